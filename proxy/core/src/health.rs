//! What the proxy believes of the endpoints it calls, from its own experience.

pub mod endpoint;
