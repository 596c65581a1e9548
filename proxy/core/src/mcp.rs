//! What the proxy understands of MCP and JSON-RPC; nothing outside this room does.
//!
//! Invariant: the body of a call is never turned into a tree; at most its first bytes are looked at.

pub mod method;
pub mod headers;
pub mod envelope;
pub mod facts;
pub mod time;
pub mod sse;
pub mod error;
