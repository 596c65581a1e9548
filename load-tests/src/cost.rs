//! What one call costs the proxy, counted instead of timed: instructions, allocations and copies, under valgrind's callgrind.
//!
//! In: the binaries. Out: [`count::Counted`] for each [`act::Act`], the ratio to nginx, and whether both are as committed.
//! Never here: wall clock; a busy machine changes no count, and the ratio little.
//! Invariant: starting the process, writing profiles and what it does by the clock are in no figure.

pub mod act;
pub mod profile;
pub mod stretch;
pub mod front;
pub mod count;
pub mod ratio;
pub mod committed;
pub mod judge;
pub mod table;
