//! The control service: registration, snapshots, discovery, store.

pub mod ca;
pub mod config;
pub mod lifecycle;
pub mod authn;
pub mod publish;
pub mod discovery;
