//! The comparison: every peer under the same load, in rounds, in an order that changes with each round.
//!
//! In: scenarios. Out: [`result::Bench`], with every round kept and medians beside them.
//! Invariant: peers of one scenario are measured in the same minutes, so that noise of the machine meets all of them.

pub mod result;
pub mod visit;
pub mod sample;
pub mod memory;
pub mod bench;
