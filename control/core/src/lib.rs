//! Every decision of control, as pure functions.
//!
//! In: what proxies report, what operators declare, and `now`. Out: facts, resolutions, snapshots, events.
//! Never here: sockets, SQL, protobuf, an async runtime, a clock, logs.
//! Invariant: [`registry::Registry`] is the only writer of facts; everything else reads them.

pub mod moment;
pub mod event;
pub mod agent;
pub mod lease;
pub mod standing;
pub mod offer;
pub mod facts;
pub mod changes;
pub mod resolve;
pub mod intent;
pub mod revocation;
pub mod keyring;
pub mod rollout;
pub mod snapshot;
pub mod plan;
pub mod registry;
pub mod port;

#[cfg(test)]
mod fixture;
