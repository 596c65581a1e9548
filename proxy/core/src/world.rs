//! The compiled world: what a snapshot and the own agents look like to one call.
//!
//! Invariant: a world never changes; what moves is in the `live` parts that worlds share.

pub mod endpoint;
pub mod judged;
pub mod table;
mod shaping;
pub mod compile;
