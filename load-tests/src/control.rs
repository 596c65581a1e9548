//! The rows about control: how many reports it takes, how it finds a provider, how fast a change is everywhere.
//!
//! In: counts. Out: a [`crate::row::Row`] each.
//! Never here: calls of agents.
//! Invariant: control is a process of its own on one core; who reports and who watches shares the other core.

pub mod error;
pub mod crowd;
pub mod registry;
pub mod beat;
pub mod heartbeats;
pub mod resolution;
pub mod watchers;
pub mod changes;
pub mod plain;
pub mod plenty;

pub use error::ControlError;
