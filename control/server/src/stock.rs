//! Serves stock xDS clients, Envoy and gRPC, from the same snapshots as our own proxies.
//!
//! `view` translates a snapshot into standard resources and `gaps` names what they cannot say; `assemble` gives each its token,
//! `halls` keeps one edition for all clients that are told the same. `topic`, `gates` and `engine` decide what one stream is told,
//! `stream` reads and writes, `serve` takes streams in (`past` says which
//! of them too early), `guests` remembers who they are.
//! Never here: our own resource types; `discovery` serves those.

pub mod kind;
pub mod shelf;
pub mod dialect;
mod pack;
mod view;
pub mod gaps;
mod assemble;
pub mod halls;
pub mod topic;
mod gates;
mod engine;
pub mod guests;
mod past;
mod read;
mod write;
pub mod codec;
mod stream;
pub mod serve;
