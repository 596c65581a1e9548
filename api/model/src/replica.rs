//! One running copy of an agent, as its proxy reports it.
//!
//! In: a report. Out: a [`Replica`]; control adds the state of its lease to it.

use std::fmt;
use std::net::SocketAddr;
use std::str::FromStr;
use std::sync::Arc;

use semver::Version;

use crate::capability::Capability;
use crate::identity::SpiffeId;
use crate::name::{AgentName, BadName, Namespace, NodeId, ReplicaId};
use crate::registration::Registration;
use crate::revision::Revision;
use crate::tag::TagSet;

/// Most capabilities of one replica.
pub const CAPABILITIES_MAX: usize = 4_096;

/// Changes whenever the agent process behind a replica may have lost its memory; a session is bound to one generation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Generation(pub u64);

/// What a proxy says about one copy of its agent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Replica {
    pub id: ReplicaId,
    pub agent: AgentName,
    pub node: NodeId,
    pub version: Version,
    pub tags: TagSet,
    /// The inbound listener of the proxy in front of it.
    pub address: SocketAddr,
    /// The identity that the inbound listener proves; none where the mesh runs with `insecure: true`.
    pub identity: Option<SpiffeId>,
    pub generation: Generation,
    /// Revisions that the agent answered to, oldest first.
    pub revisions: Vec<Revision>,
    /// Relative share of new calls, 1 to 1000.
    pub weight: u16,
    /// Where it runs, such as a zone of a cloud; empty: it is not said.
    pub zone: String,
    pub namespace: Namespace,
    pub capabilities: Vec<Capability>,
    /// As the agent registered itself, where it did: an agent of mcp-mesh.
    pub registration: Option<Arc<Registration>>,
}

/// In front of the id of a replica it is the node of an agent that no proxy stands beside.
const DIRECT_NODE_PREFIX: &str = "direct-";

impl Replica {
    /// The node of an agent that registers itself.
    pub fn direct_node(id: &ReplicaId) -> Result<NodeId, BadName> {
        NodeId::new(&format!("{DIRECT_NODE_PREFIX}{id}"))
    }

    /// Whether its address is the agent's own, because no proxy stands beside it.
    pub fn is_direct(&self) -> bool {
        self.identity.is_none() && self.node.as_str().strip_prefix(DIRECT_NODE_PREFIX) == Some(self.id.as_str())
    }
}

/// What control believes of a replica.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ReplicaState {
    /// Its proxy reports it as serving, and reports regularly.
    Healthy,
    /// Its proxy reports that the agent does not answer, or its lease ended.
    Unhealthy,
    /// Its proxy stopped reporting, and its lease has not ended yet.
    Unknown,
    /// Its proxy is shutting down: sessions go on, new ones go elsewhere.
    Draining,
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a replica state")]
pub struct BadReplicaState(String);

impl ReplicaState {
    pub const ALL: [Self; 4] = [Self::Healthy, Self::Unhealthy, Self::Unknown, Self::Draining];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Healthy => "healthy",
            Self::Unhealthy => "unhealthy",
            Self::Unknown => "unknown",
            Self::Draining => "draining",
        }
    }
}

impl FromStr for ReplicaState {
    type Err = BadReplicaState;
    fn from_str(text: &str) -> Result<Self, BadReplicaState> {
        Self::ALL.into_iter().find(|state| state.as_str() == text).ok_or_else(|| BadReplicaState(text.to_owned()))
    }
}

impl fmt::Display for ReplicaState {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.as_str())
    }
}
