//! Endpoints, pools and routes, compiled for lookup.
//!
//! In: their parts, from `compile`. Out: shared values that a call holds by `Arc` for as long as it needs them.

use std::net::SocketAddr;
use std::sync::Arc;

use http::Uri;
use outrigger_model::endpoint::EndpointState;
use outrigger_model::identity::SpiffeId;
use outrigger_model::name::{AgentName, PoolName, ReplicaId, RouteName};
use outrigger_model::pool::Balance;
use outrigger_model::replica::Generation;
use outrigger_model::route::{Affinity, Timeouts};

use crate::live::{Live, PoolLive};

/// Where the bytes of a call go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// The inbound listener of another proxy. No identity means plaintext.
    Peer { address: SocketAddr, identity: Option<SpiffeId> },
    /// The own agent, at its configured URL.
    Own { upstream: Uri },
}

/// What depends on the endpoint only when a call goes to it; written once, when the world is made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lead {
    /// Where to connect. None for an own agent whose URL holds a name.
    pub address: Option<SocketAddr>,
    pub path: String,
    /// Stands in the agent's URL, and replaces what the caller wrote.
    pub query: Option<String>,
    /// What an own agent is told as `Host`; a peer gets the caller's.
    pub host: Option<String>,
}

/// One replica that can be called.
#[derive(Debug, Clone)]
pub struct Endpoint {
    pub replica: ReplicaId,
    pub agent: AgentName,
    pub place: Place,
    pub lead: Arc<Lead>,
    pub generation: Generation,
    pub weight: u16,
    pub state: EndpointState,
    pub live: Arc<Live>,
}

/// Interchangeable endpoints of one agent.
#[derive(Debug, Clone)]
pub struct Pool {
    pub name: PoolName,
    pub agent: AgentName,
    pub balance: Balance,
    /// Sorted by replica.
    pub endpoints: Vec<Arc<Endpoint>>,
    pub live: Arc<PoolLive>,
}

/// A name that callers use, with everything behind it.
#[derive(Debug, Clone)]
pub struct Route {
    pub name: RouteName,
    pub affinity: Affinity,
    /// Whether the bodies of all calls are read.
    pub inspect: bool,
    pub timeouts: Timeouts,
    pub pool: Arc<Pool>,
}

impl Lead {
    pub fn of(replica: &ReplicaId, place: &Place) -> Self {
        match place {
            Place::Peer { address, .. } => {
                Self { address: Some(*address), path: format!("/agents/{replica}/mcp"), query: None, host: None }
            }
            Place::Own { upstream } => {
                let host = upstream.host().unwrap_or_default().trim_start_matches('[').trim_end_matches(']');
                let port = upstream.port_u16().unwrap_or(80);
                Self {
                    address: host.parse().ok().map(|ip| SocketAddr::new(ip, port)),
                    path: upstream.path().to_owned(),
                    query: upstream.query().map(str::to_owned),
                    host: Some(upstream.authority().map_or("", |authority| authority.as_str()).to_owned()),
                }
            }
        }
    }
}

impl Endpoint {
    pub const fn is_own(&self) -> bool {
        matches!(self.place, Place::Own { .. })
    }

    /// Whether this is the same running copy at the same place; only then its live state is kept.
    pub(super) fn same_life(&self, replica: &ReplicaId, place: &Place, generation: Generation) -> bool {
        self.replica == *replica && self.place == *place && self.generation == generation
    }
}
