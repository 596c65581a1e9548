//! Turns what control knows into the editions that streams send.
//!
//! In: facts and intent at a serial. Out: per view the newest edition, and frames that its streams share.

pub mod edition;
pub mod frame;
pub mod cache;
pub mod assemble;
pub mod step;
pub mod past;
pub mod serving;
pub mod view;
pub mod replicas;
pub mod publisher;
#[cfg(test)]
pub mod fixture;
