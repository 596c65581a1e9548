//! Takes what proxies report into the registry.
//!
//! In: report streams. Out: commands for the writer, and hints back to the proxies.
//! Never here: what is accepted; the core judges each claim.

pub mod claim;
pub mod stream;
pub mod serve;
