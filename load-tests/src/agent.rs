//! The echo agent: an MCP server that is never the limit and keeps count of what it executed.
//!
//! In: MCP over HTTP/1.1, of both eras. Out: answers with the caller's number and this replica's name.
//! Beside MCP it answers `PUT /run/{numbers}`, `GET /run` and `PUT /tell/{events}/{every_ms}` to the generator, which never
//! go through a proxy.
//! Invariant: whoever calls is answered, with whatever session id, so that a misrouted call shows as one.

pub mod run;
pub mod reply;
mod tell;
pub mod serve;

pub use serve::{Agent, AgentError, start};
