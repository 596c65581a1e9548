//! How the proxy begins and ends: when it is ready, and how its tasks stop.
//!
//! Never here: signals (the binary owns them), what a task does.
//! Invariant: every task has an owner that joins it.

pub mod ready;
pub mod drain;

pub use drain::{Stop, Tasks};
pub use ready::{Condition, Readiness};

#[cfg(test)]
mod tests;
