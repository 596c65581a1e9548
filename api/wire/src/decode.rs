//! Protobuf → model, one file per resource.
//!
//! Invariant: what comes out is valid, sorted and within the limits; what is wrong is named by its field.

pub(crate) mod field;
pub mod settings;
pub mod keyring;
pub mod revocations;
mod session_policy;
mod rates;
mod pool_policy;
mod retries;
mod traffic;
pub mod calls;
pub mod agent;
pub mod capability;
pub mod pool;
pub mod endpoints;
pub mod route;
pub mod wiring;
pub mod manifest;
