//! What one call costs the proxy, counted instead of timed: instructions, allocations and copies, under valgrind's callgrind.
//!
//! In: the binaries. Out: [`count::Counted`] for each [`act::Act`].
//! Never here: wall clock; a busy machine changes no figure.
//! Invariant: a figure is the difference between two runs of one process, so that starting it is in none.

pub mod act;
pub mod profile;
pub mod front;
pub mod count;
pub mod table;
