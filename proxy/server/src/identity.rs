//! How connections of a proxy prove who is at their ends.
//!
//! In: sockets, and the party's own material. Out: [`link::Link`]s that pingora speaks HTTP on and that know their peer.
//! Never here: HTTP, routes, what a peer may do.

mod clocks;
pub mod link;
pub mod listener;
pub mod connector;
