//! What the machine says: CPU and memory of processes, and which machine and versions these are.
//!
//! In: process ids, commands. Out: figures and texts.
//! Never here: judging figures.

pub mod process;
pub mod about;
