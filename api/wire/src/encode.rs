//! Model → protobuf, one file per resource.
//!
//! Invariant: equal values give equal messages, and equal messages give equal bytes (no maps are used).

pub(crate) mod field;
pub mod settings;
pub mod keyring;
pub mod revocations;
mod session_policy;
mod rates;
mod pool_policy;
mod retries;
mod traffic;
mod calls;
pub mod agent;
pub mod capability;
pub mod pool;
pub mod endpoints;
pub mod route;
pub mod wiring;
pub mod manifest;
pub mod replica;
