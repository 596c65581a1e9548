//! The words of the mesh, as types that hold only good values.
//!
//! In: text and numbers from an edge (configuration, wire, headers), parsed once. Out: values that the cores decide with.
//! Never here: serde, protobuf, sockets, clocks, logs.
//! Invariant: a value of any type in this crate is valid; nothing inside the house checks it again.

pub mod name;
pub mod field;
pub mod digest;
pub mod identity;
pub mod address;
pub mod tag;
pub mod label;
pub mod requirement;
pub mod revision;
pub mod traffic;
pub mod calls;
pub mod capability;
pub mod registration;
pub mod replica;
pub mod endpoint;
pub mod tool_pattern;
pub mod rate;
pub mod pool;
pub mod key;
pub mod retries;
pub mod route;
pub mod agent;
pub mod wiring;
pub mod settings;
pub mod secret;
pub mod revocation;
pub mod tally;
pub mod resource;
pub mod position;
pub mod manifest;
pub mod snapshot;
