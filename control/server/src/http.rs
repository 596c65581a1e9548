//! What operators ask over HTTP: lists as JSON, explanations, health, metrics.
//!
//! One file per resource; `server` joins them. Errors are problem+json. Always plaintext, so it listens on loopback.

pub mod problem;
pub mod api;
pub mod agents;
pub mod capabilities;
pub mod routes;
pub mod proxies;
pub mod snapshots;
pub mod snapshot;
pub mod watch;
pub mod stock;
pub mod sessions;
pub mod events;
mod traffic;
pub mod explain;
pub mod session_keys;
pub mod leader;
pub mod refused;
pub mod publish;
pub mod plan;
pub mod history;
pub mod diff;
pub mod rollouts;
pub mod health;
pub mod metrics;
pub mod door;
pub mod server;
