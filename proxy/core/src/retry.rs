//! Whether a failed attempt may be tried again.

pub mod judge;
