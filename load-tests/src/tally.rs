//! Counts what became of every call, exactly.
//!
//! In: the number of a call, what came back for it, and what the agent says it executed. Out: a [`Tally`].
//! Never here: sockets, clocks.

pub mod columns;
pub mod feed;
pub mod ledger;

pub use columns::{Executed, Tally};
pub use ledger::{Back, Ledger};
