//! The proxy: pingora, sessions, mTLS, probes, telemetry.
//!
//! In: settings. Out: a running proxy that answers its agent, other proxies, and its operator.
//! Never here: control's decisions, SQL, signals and process exits (the binary owns them).
//! Order: a module imports only those listed before it.

pub mod config;
pub mod telemetry;
pub mod lifecycle;
pub mod identity;
#[cfg(test)]
mod tests;
pub mod introspect;
pub mod health;
pub mod registration;
pub mod snapshot;
pub mod session;
pub mod rates;
pub mod overload;
pub mod catalog;
pub mod facade;
pub mod gateway;
pub mod handover;
pub mod admin;
pub mod app;
