//! The health of the own agents, seen from beside them.

pub mod local;
mod port;
pub mod probe;
