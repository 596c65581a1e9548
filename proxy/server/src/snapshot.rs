//! The world that calls see, and how the next one comes about.
//!
//! In: candidates of the watch client, or the last good file; the own agents. Out: one cell with the world in use.
//! Never here: protobuf, streams, what a world is used for.
//! Invariant: a snapshot that does not compile changes nothing.

pub mod worlds;
pub mod frozen;
pub mod join;

#[cfg(test)]
pub(crate) mod fixtures;
