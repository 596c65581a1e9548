//! The aggregated endpoint: everything an agent may use, as one MCP server, for both eras.
//!
//! In: whole requests for `/mcp`. Out: answers. Targets are reached through the gateway, as any caller reaches them.
//! Never here: sockets, routes, replicas; what is decided from names alone is the core's `aggregate`.
//! Invariant: no list is asked for while a caller waits; one target in trouble fails its own calls and nothing else.
//!
//! Why JSON trees are read here and nowhere else on the way of calls: lists and capabilities of many servers have to become one.
//! Bodies of calls are taken apart one level deep, and what is not replaced keeps its bytes.

pub(crate) mod object;
pub(crate) mod message;
pub(crate) mod events;
mod pipe;
mod pauses;
mod line;
mod listing;
mod view;
mod mirror;
mod lines;
mod outlet;
mod session;
mod sessions;
mod aim;
mod state;
mod answers;
mod calls;
mod execute;
mod watching;
mod legacy;
mod modern;
mod serve;

pub use execute::NotExecuted;
pub use outlet::{Answer, Body, Stream};
pub use serve::Request;
pub use state::Catalog;
