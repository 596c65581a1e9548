//! The peers: each proxy started as a child process on free ports, with the configuration kept in `load-tests/peers`.
//!
//! In: which peer, which way, where the agents are. Out: a [`Running`] with the target to call and the processes to measure.
//! Never here: load, figures.
//! Invariant: every child is ended by its own id, at the latest when its [`Running`] is dropped.

pub mod cores;
pub mod child;
pub mod template;
pub mod certificates;
pub mod place;
pub mod plain;
pub mod mesh;
pub mod visitor;
pub mod start;

pub use place::Place;
pub use start::{PeerError, Running, start, start_agents, versions};
