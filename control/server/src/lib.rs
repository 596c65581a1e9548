//! The control service: registration, snapshots, discovery, store.

pub mod ca;
pub mod config;
pub mod lifecycle;
pub mod authn;
pub mod store;
pub mod writer;
pub mod sweep;
pub mod publish;
pub mod discovery;
