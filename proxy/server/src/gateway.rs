//! Calls: from a connection that an agent or a peer opened to the endpoint that serves it, and back.

pub mod serve;
