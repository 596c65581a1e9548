//! Measures Outrigger beside other proxies: an echo agent, a load generator, the peers, and the comparison.
//!
//! A stranger to the servers: it knows MCP over HTTP, the command line of each peer, and what a proxy says to control.
//! Invariant: every call has a number, and each number ends in exactly one column of the tally.

pub mod echo;
pub mod tally;
pub mod agent;
pub mod machine;
pub mod generate;
pub mod scenario;
pub mod speaker;
pub mod peers;
pub mod measure;
pub mod cost;
pub mod report;
pub mod plot;
pub mod row;
pub mod stage;
pub mod control;
pub mod outages;
pub mod sessions;
