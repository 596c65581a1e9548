//! The words that pass between the generator and the echo agent.
//!
//! In: the number of a call and what it asks for. Out: the bytes of a request or of an answer, and readings of both.
//! Never here: sockets, counting.
//! Invariant: an answer carries the caller's number and the name of the replica that gave it.

pub mod fill;
pub mod ask;
pub mod list;
pub mod request;
pub mod answer;
pub mod event;

pub use ask::{Ask, Era, Form, Mix};

/// The one tool of the agent.
pub const TOOL: &str = "echo";
pub const LEGACY: &str = "2025-11-25";
pub const MODERN: &str = "2026-07-28";
pub const SESSION_HEADER: &str = "mcp-session-id";
pub const REVISION_HEADER: &str = "mcp-protocol-version";
pub const METHOD_HEADER: &str = "mcp-method";
pub const NAME_HEADER: &str = "mcp-name";
/// Number of a GET stream, which has no body that could say it.
pub const STREAM_HEADER: &str = "load-stream";
