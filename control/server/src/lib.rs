//! The control service: registration, snapshots, discovery, store.

pub mod ca;
