//! Asks the own agent, as an MCP client, what it offers.
//!
//! In: the agent's URL. Out: an [`Offer`](offer::Offer): revisions, server, tools with the digests of their schemas.
//! Never here: agents of others; the proxy asks nobody but the agents it stands in front of.
//! Invariant: whatever an agent answers, it ends within a deadline, holds a bounded number of bytes, and does not panic.

mod canonical;
pub mod offer;
mod answer;
mod exchange;
pub mod talk;
pub mod ping;
