//! Who is at the other end of a request over HTTP.
//!
//! In: what the accepting end noted. Out: an address; over plaintext nobody proves more.

use std::net::SocketAddr;

/// The address that a connection comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Caller(pub SocketAddr);
