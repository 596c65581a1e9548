//! What the proxy believes of the endpoints it calls, from its own experience.

pub mod endpoint;
pub mod circuit;
pub mod tools;
pub mod latency;
