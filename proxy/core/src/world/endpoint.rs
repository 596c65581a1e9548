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

/// One replica that can be called.
#[derive(Debug, Clone)]
pub struct Endpoint {
    pub replica: ReplicaId,
    pub agent: AgentName,
    pub place: Place,
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
    pub timeouts: Timeouts,
    pub pool: Arc<Pool>,
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
