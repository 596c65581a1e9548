//! A server and a client on the official Rust SDK that do what the official conformance suite asks of one.
//!
//! In: the requests of the suite, or the URL of its server. Out: what each scenario expects, as the SDK says it.
//! Never here: Outrigger. What passes directly has to pass through the mesh in the same way.
//! Invariant: nothing here answers for the SDK; frames, headers and errors of the protocol are the SDK's own.

pub mod client;
pub mod server;
