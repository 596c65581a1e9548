//! How connections of a proxy prove who is at their ends.
//!
//! In: sockets, and the party's own material. Out: [`link::Link`]s that carry bytes and whose other end is known.
//! Never here: HTTP, routes, what a peer may do.

pub mod link;
pub mod listener;
pub mod connector;
