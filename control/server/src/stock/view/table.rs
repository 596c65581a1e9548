//! A snapshot looked at from its pools: which routes lead to each, and which of its endpoints a stock client can tell apart.
//!
//! In: a snapshot. Out: a [`Table`].

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;

use outrigger_model::endpoint::Endpoint;
use outrigger_model::name::{AgentName, PoolName, ReplicaId};
use outrigger_model::pool::Pool;
use outrigger_model::route::Route;
use outrigger_model::snapshot::{Kinds, Snapshot};

/// A snapshot with what several translations ask of it.
#[derive(Debug)]
pub struct Table<'s> {
    kinds: &'s Kinds,
    routes_to: BTreeMap<&'s PoolName, Vec<&'s Route>>,
    /// Addresses behind which several replicas of one agent are.
    shared: BTreeSet<(&'s AgentName, SocketAddr)>,
}

impl<'s> Table<'s> {
    pub fn of(snapshot: &'s Snapshot) -> Self {
        let kinds = snapshot.resources();
        let mut routes_to: BTreeMap<_, Vec<_>> = BTreeMap::new();
        for (_, route) in kinds.routes.iter() {
            let pools: BTreeSet<_> = std::iter::once(&route.pool).chain(route.policy.traffic.pools()).collect();
            for pool in pools {
                routes_to.entry(pool).or_default().push(route);
            }
        }
        let mut behind: BTreeMap<(&AgentName, SocketAddr), BTreeSet<&ReplicaId>> = BTreeMap::new();
        for (name, endpoints) in kinds.endpoints.iter() {
            let Some(pool) = kinds.pools.get(name) else { continue };
            for endpoint in &endpoints.endpoints {
                behind.entry((&pool.agent, endpoint.address)).or_default().insert(&endpoint.replica);
            }
        }
        let shared = behind.into_iter().filter(|(_, replicas)| replicas.len() > 1).map(|(place, _)| place);
        Self { kinds, routes_to, shared: shared.collect() }
    }

    /// Sorted by name.
    pub fn pools(&self) -> impl Iterator<Item = &'s Pool> {
        self.kinds.pools.iter().map(|(_, pool)| pool)
    }

    pub fn pool(&self, name: &PoolName) -> Option<&'s Pool> {
        self.kinds.pools.get(name)
    }

    /// Sorted by name.
    pub fn routes(&self) -> impl Iterator<Item = &'s Route> {
        self.kinds.routes.iter().map(|(_, route)| route)
    }

    pub fn routes_to(&self, pool: &PoolName) -> &[&'s Route] {
        self.routes_to.get(pool).map(Vec::as_slice).unwrap_or_default()
    }

    /// The endpoints of a pool, each at an address of its own.
    pub fn endpoints(&self, pool: &Pool) -> impl Iterator<Item = &'s Endpoint> {
        self.all_endpoints(pool).filter(|endpoint| !self.is_shared(&pool.agent, endpoint.address))
    }

    /// Those that share one. A client that knows addresses only cannot say which replica it means.
    pub fn hidden_endpoints(&self, pool: &Pool) -> impl Iterator<Item = &'s Endpoint> {
        self.all_endpoints(pool).filter(|endpoint| self.is_shared(&pool.agent, endpoint.address))
    }

    fn all_endpoints(&self, pool: &Pool) -> impl Iterator<Item = &'s Endpoint> + use<'s> {
        self.kinds.endpoints.get(&pool.name).into_iter().flat_map(|endpoints| &endpoints.endpoints)
    }

    fn is_shared(&self, agent: &AgentName, address: SocketAddr) -> bool {
        self.shared.contains(&(agent, address))
    }
}
