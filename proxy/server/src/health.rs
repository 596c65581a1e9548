//! The health of the own agents, seen from beside them.

pub mod local;
mod port;
mod streak;
mod page;
mod command;
mod check;
mod probe;
pub mod roster;
