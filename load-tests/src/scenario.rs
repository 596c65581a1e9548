//! What is measured: a YAML file becomes a [`Scenario`] that holds only what can be run.
//!
//! In: a file of `load-tests/scenarios`. Out: a scenario, or which key is wrong.
//! Never here: running it.

pub mod words;
pub mod plan;
mod file;
pub mod read;

pub use plan::Scenario;
pub use read::ScenarioError;
pub use words::{Load, PeerName, Suite, Way};
