//! Follows snapshots for people, scripts and other systems: what changed since where they are, in pieces that they can take.
//!
//! `cursor` is where one reader stands, and decides what it is told. `feed` is one view with its past, `feeds` are those of all
//! that somebody reads; `serve` is the gRPC service over them, and `http` has the JSON over them.
//! What is read here is always the view of an observer. Proxies use `discovery`.

pub mod cursor;
pub mod feed;
pub mod feeds;
pub mod words;
pub mod wire;
pub mod serve;
