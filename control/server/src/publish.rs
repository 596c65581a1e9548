//! Turns what control knows into the editions that streams send.

pub mod edition;
