//! Which endpoint of a pool a call goes to.
//!
//! Invariant: an endpoint that was tried is never chosen again, and a draining one never for something new.

pub mod tried;
pub(crate) mod chance;
mod share;
mod round_robin;
mod random;
mod least_request;
mod peak_ewma;
mod rendezvous;
mod fit;
pub mod pick;
pub mod preview;
