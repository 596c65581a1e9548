//! The rows about sessions: what one costs while it is kept, and what following it costs a call.
//!
//! In: counts. Out: a [`crate::row::Row`] each.
//! Never here: what happens to sessions when something dies; that is `outages`.
//! Invariant: what is compared is measured in one run, on one mesh, in turn.

pub mod kept;
pub mod followed;
