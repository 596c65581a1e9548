//! An agent as the mesh knows it: what all its replicas agree on.

use semver::Version;

use crate::calls::Calls;
use crate::key::KeySource;
use crate::name::{AgentName, PoolName};
use crate::tag::TagSet;

/// One agent; its replicas are the endpoints of `pool`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Agent {
    pub name: AgentName,
    /// The highest version among its replicas.
    pub version: Version,
    pub tags: TagSet,
    pub pool: PoolName,
    /// Of calls that name the agent itself, because of capabilities that need sessions; at most [`KEYS_MAX`](crate::key::KEYS_MAX).
    pub keys: Vec<KeySource>,
    /// Sorted tools of which all its replicas say that running them twice changes nothing; at most [`TOOLS_MAX`](crate::capability::TOOLS_MAX).
    pub repeatable: Vec<String>,
    /// How calls that name the agent itself travel.
    pub calls: Calls,
}
