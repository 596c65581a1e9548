//! Whether a failed attempt may be tried again, after which pause, and how often in all.

pub mod budget;
pub mod backoff;
pub mod judge;
