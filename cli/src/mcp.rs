//! A small MCP client, so that an operator can call a tool without writing a program.
//!
//! In: the outbound listener, a route, a tool and its arguments. Out: the tool's answer.
//! Never here: what a proxy decides about calls. This is a client like any other, on the outside of the mesh.

pub mod message;
pub mod events;
pub mod client;
