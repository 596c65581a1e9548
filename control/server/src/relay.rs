//! `/proxy/{host}:{port}/mcp`: a call that an operator makes through control, as `meshctl call` does.
//!
//! In: a request for a registered agent. Out: its answer, as it comes.
//! Never here: anything that agents need; their calls never pass control.
//! Invariant: this is the only place where control opens a connection, only to replicas that are registered, at addresses that were
//! judged when they were, only to their MCP endpoints, and never more than a few at once.

pub mod target;
pub mod dial;
pub mod budget;
pub mod serve;
