//! The registry API of mcp-mesh, for agents that no proxy stands beside, and for `meshctl`.
//!
//! In: heartbeats of agents, questions about who is there. Out: answers in the form that mcp-mesh gives them.
//! Never here: SQL, who provides what (the core resolves, for these agents as for proxies), connections to agents.
//! Invariant: a light signal costs neither a look-up in the store nor a resolution; an answer is whole or is not given.

pub mod refused;
pub mod place;
pub mod resolved;
pub mod sheet;
pub mod directory;
pub mod trail;
pub mod memory;
pub mod keeper;
pub mod desk;
pub mod audit;
pub mod follow;
pub mod claim;
pub mod heartbeat;
pub mod light;
pub mod extras;
pub mod agents;
pub mod read;
pub mod jobs;
pub mod serve;
