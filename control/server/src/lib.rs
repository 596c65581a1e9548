//! The control service: registration, snapshots, discovery, store.

pub mod ca;
pub mod publish;
pub mod discovery;
