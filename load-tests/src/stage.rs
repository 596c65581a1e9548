//! Parts of a mesh as processes of our own, that can be killed, frozen, and brought back where they were.
//!
//! In: what should stand. Out: addresses, and processes by their ids.
//! Never here: load, figures.
//! Invariant: only processes started here are signalled, by their own id, and none outlives its value.

pub mod part;
pub mod ask;
pub mod control;
pub mod wire;
pub mod proxy;
pub mod redis;
pub mod agent;
