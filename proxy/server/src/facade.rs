//! The registry that agents of mcp-mesh find at their own proxy, and the tools that anyone can call there by plain HTTP.
//!
//! In: requests on the outbound listener that are no calls. Out: answers; agents that join and leave; what they depend on.
//! Never here: sockets; who provides what, which is control's to know.
//! Invariant: an answer to an agent is whole: what this proxy does not know right now is told as it was known last.

pub mod doors;
#[cfg(test)]
mod fixtures;
mod admit;
mod members;
mod told;
mod kept;
mod residents;
mod registry;
mod serve;
mod execute;

pub use registry::{Facade, Told};
pub use residents::Residents;
pub use serve::Request;
