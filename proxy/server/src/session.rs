//! Where session bindings are kept: in memory always, in Redis too where it is configured; quotas are counted there as well.
//!
//! Invariant: Redis is used and never needed. Nothing that it does, at start or later, fails a call or delays one for longer
//! than one bounded request, and a session that is known here never asks it.

pub mod store;
pub mod memory;
pub mod seals;
pub mod sealer;
pub mod redis;
mod behind;
#[cfg(test)]
pub(crate) mod real;
#[cfg(test)]
pub(crate) mod conformance;
pub mod sessions;
pub mod owners;
pub mod openings;
