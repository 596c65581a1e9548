//! The tables of a world, and how a call looks things up in them.
//!
//! In: names as text, straight from a path. Out: shared routes and endpoints.
//! Invariant: looking up allocates nothing and takes no lock.

use std::collections::HashMap;
use std::sync::Arc;

use outrigger_model::name::{AgentName, PoolName, ReplicaId, RouteName};
use outrigger_model::rate::RateLimit;
use outrigger_model::resource::Serial;
use outrigger_model::revocation::Revocations;
use outrigger_model::secret::Keyring;
use outrigger_model::settings::Settings;

use crate::world::endpoint::{Endpoint, Pool, Route};

/// Everything a call can ask about the mesh. Take it once per call.
#[derive(Debug, Default)]
pub struct World {
    pub(super) serial: Option<Serial>,
    pub(super) settings: Settings,
    pub(super) keyring: Keyring,
    pub(super) revocations: Revocations,
    pub(super) routes: HashMap<RouteName, Arc<Route>>,
    pub(super) agents: HashMap<AgentName, Arc<Route>>,
    pub(super) pools: HashMap<PoolName, Arc<Pool>>,
    pub(super) replicas: HashMap<ReplicaId, Arc<Endpoint>>,
    pub(super) own: HashMap<ReplicaId, Arc<Endpoint>>,
    /// Whether any pool has limits.
    pub(super) limits_pools: bool,
}

impl World {
    /// The number of the snapshot behind it; none before the first.
    pub fn serial(&self) -> Option<Serial> {
        self.serial
    }

    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// What sealed ids and stored values are sealed with; empty where control shares none.
    pub fn keyring(&self) -> &Keyring {
        &self.keyring
    }

    /// Sessions that operators ended.
    pub fn revocations(&self) -> &Revocations {
        &self.revocations
    }

    pub fn route(&self, name: &str) -> Option<&Arc<Route>> {
        self.routes.get(name)
    }

    /// The first route by name, if all lead to one agent.
    pub fn only_route(&self) -> Option<&Arc<Route>> {
        let first = self.routes.values().min_by(|a, b| a.name.cmp(&b.name))?;
        self.routes.values().all(|route| route.pool.agent == first.pool.agent).then_some(first)
    }

    /// The pool of all replicas of one agent, as a route of the agent's name.
    pub fn agent(&self, name: &str) -> Option<&Arc<Route>> {
        self.agents.get(name)
    }

    /// The limits of all calls that reach an agent, whoever brings them.
    pub fn rates_of(&self, agent: &AgentName) -> &[RateLimit] {
        let route = if self.limits_pools { self.agents.get(agent) } else { None };
        route.map_or(&[], |route| &route.pool.policy.rates)
    }

    /// Every agent, in no order, with the pool of all its replicas.
    pub fn agents(&self) -> impl Iterator<Item = (&AgentName, &Arc<Route>)> {
        self.agents.iter()
    }

    /// A replica that can be called, own or not.
    pub fn replica(&self, id: &str) -> Option<&Arc<Endpoint>> {
        self.replicas.get(id)
    }

    /// One of the replicas behind this proxy, whether its agent serves or not. For the inbound listener.
    pub fn own(&self, id: &str) -> Option<&Arc<Endpoint>> {
        self.own.get(id)
    }

    /// All of those, in no order.
    pub fn owned(&self) -> impl Iterator<Item = &Arc<Endpoint>> {
        self.own.values()
    }

    pub fn pool(&self, name: &str) -> Option<&Arc<Pool>> {
        self.pools.get(name)
    }

    /// Sorted by name.
    pub fn routes(&self) -> Vec<&Arc<Route>> {
        let mut routes: Vec<_> = self.routes.values().collect();
        routes.sort_by(|a, b| a.name.cmp(&b.name));
        routes
    }

    /// Sorted by name.
    pub fn pools(&self) -> Vec<&Arc<Pool>> {
        let mut pools: Vec<_> = self.pools.values().collect();
        pools.sort_by(|a, b| a.name.cmp(&b.name));
        pools
    }

    /// Sorted by replica.
    pub fn replicas(&self) -> Vec<&Arc<Endpoint>> {
        let mut replicas: Vec<_> = self.replicas.values().collect();
        replicas.sort_by(|a, b| a.replica.cmp(&b.replica));
        replicas
    }

    /// For the hint of a refusal.
    pub fn route_names(&self) -> Vec<RouteName> {
        self.routes().into_iter().map(|route| route.name.clone()).collect()
    }
}
