//! The rows about outages: what callers see while a part of the mesh dies, comes back, or is changed.
//!
//! In: counts. Out: a [`crate::row::Row`] each.
//! Never here: comparing with other proxies.
//! Invariant: every call made during an outage is in the tally; a call that a fault cost is counted as lost or refused, and
//! none is left out because of when it was made.

pub mod error;
pub mod traffic;
pub mod aftermath;
pub mod mesh;
pub mod witness;
pub mod control_killed;
pub mod redis_killed;
pub mod hot_changes;
pub mod dead_replica;
pub mod replica_killed;
pub mod python;

pub use error::OutageError;
