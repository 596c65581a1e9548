//! HTTP/1.1 messages as bytes: where a head ends and what stands in it, how long a body is, where a body ends.
//!
//! In: bytes as they came from a connection. Out: heads with their fields found, and the number of bytes that belong to a body.
//! Never here: sockets, and what a field of MCP means.
//! Invariant: a message that two servers could take apart in two ways is refused. Source: RFC 9112.

pub mod field;
pub mod head;
pub mod body;
#[cfg(test)]
pub mod written;
