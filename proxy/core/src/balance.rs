//! Which endpoint of a pool a call goes to.
//!
//! Invariant: an endpoint that was tried is never chosen again, and a draining one never for something new.

pub mod tried;
pub mod round_robin;
pub mod least_request;
pub mod rendezvous;
pub mod pick;
