//! What the proxy understands of MCP and JSON-RPC; nothing outside this room does.
//!
//! Invariant: the body of a call is never turned into a tree; it is looked at as it goes by.

pub mod method;
pub mod envelope;
pub mod wanted;
pub mod headers;
pub mod facts;
pub mod table;
pub mod sse;
pub mod minted;
pub mod failed;
pub mod error;
pub mod renamed;
