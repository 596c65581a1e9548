//! What a change of intent would do, before it is made.
//!
//! `judge` finds what of an intent leads nowhere or means nothing, `stock` what clients that are not ours cannot be told, `changes` says
//! which resources of a view would come, change or go.

pub mod finding;
pub mod judge;
pub mod stock;
pub mod changes;
