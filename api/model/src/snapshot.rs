//! A snapshot: all resources of one view, checked as a whole.
//!
//! In: [`Resources`] as they are drafted, or [`Kinds`] that were edited. Out: a [`Snapshot`] in which every reference leads
//! somewhere.
//! Invariant: nothing changes a snapshot; a new one is assembled instead, which shares what did not change.

pub mod shared;

use std::collections::BTreeMap;

use crate::agent::Agent;
use crate::capability::Capability;
use crate::name::{AgentName, CapabilityName, PoolName, RouteName};
use crate::pool::{Endpoints, Pool};
use crate::revocation::Revocations;
use crate::route::Route;
use crate::secret::Keyring;
use crate::settings::Settings;
use crate::wiring::Wiring;
use shared::Shared;

/// The parts that a snapshot is assembled from, keyed by name.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Resources {
    pub settings: Settings,
    pub keyring: Keyring,
    pub revocations: Revocations,
    pub agents: BTreeMap<AgentName, Agent>,
    pub capabilities: BTreeMap<CapabilityName, Capability>,
    pub pools: BTreeMap<PoolName, Pool>,
    pub endpoints: BTreeMap<PoolName, Endpoints>,
    pub routes: BTreeMap<RouteName, Route>,
    pub wirings: BTreeMap<RouteName, Wiring>,
}

/// The same parts as a snapshot keeps them: a copy shares every kind until it changes it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Kinds {
    pub settings: Settings,
    pub keyring: Keyring,
    pub revocations: Revocations,
    pub agents: Shared<AgentName, Agent>,
    pub capabilities: Shared<CapabilityName, Capability>,
    pub pools: Shared<PoolName, Pool>,
    pub endpoints: Shared<PoolName, Endpoints>,
    pub routes: Shared<RouteName, Route>,
    pub wirings: Shared<RouteName, Wiring>,
}

/// Resources that fit together.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Snapshot(Kinds);

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SnapshotError {
    #[error("Route/{route}.pool: there is no pool `{pool}`")]
    RoutePool { route: RouteName, pool: PoolName },
    #[error("Route/{route}.traffic: there is no pool `{pool}`")]
    TrafficPool { route: RouteName, pool: PoolName },
    #[error("Agent/{agent}.pool: there is no pool `{pool}`")]
    AgentPool { agent: AgentName, pool: PoolName },
    #[error("Wiring/{route}: there is no route of that name")]
    WiringRoute { route: RouteName },
    #[error("Endpoints/{pool}: there is no pool of that name")]
    EndpointsPool { pool: PoolName },
    #[error("Pool/{pool}: it has no Endpoints resource, not even an empty one")]
    PoolWithoutEndpoints { pool: PoolName },
    #[error("Endpoints/{pool}.endpoints[{at}].weight: {weight} is not within 1 to 1000")]
    Weight { pool: PoolName, at: usize, weight: u16 },
}

impl Snapshot {
    /// Checks every reference between resources; the error names the field that leads nowhere.
    pub fn assemble(resources: Resources) -> Result<Self, SnapshotError> {
        Self::default().next(resources.into())
    }

    /// Assembles the snapshot after this one. What both share was checked and is not checked again.
    pub fn next(&self, kinds: Kinds) -> Result<Self, SnapshotError> {
        kinds.check_references(&self.0)?;
        kinds.check_endpoints(&self.0)?;
        Ok(Self(kinds))
    }

    pub fn resources(&self) -> &Kinds {
        &self.0
    }
}

impl From<Resources> for Kinds {
    fn from(resources: Resources) -> Self {
        let Resources { settings, keyring, revocations, agents, capabilities, pools, endpoints, routes, wirings } =
            resources;
        Self {
            settings,
            keyring,
            revocations,
            agents: agents.into_iter().collect(),
            capabilities: capabilities.into_iter().collect(),
            pools: pools.into_iter().collect(),
            endpoints: endpoints.into_iter().collect(),
            routes: routes.into_iter().collect(),
            wirings: wirings.into_iter().collect(),
        }
    }
}

impl From<&Resources> for Kinds {
    fn from(resources: &Resources) -> Self {
        resources.clone().into()
    }
}

impl From<&Self> for Kinds {
    fn from(kinds: &Self) -> Self {
        kinds.clone()
    }
}

impl Kinds {
    /// That every pool which a route or an agent names exists.
    fn check_references(&self, before: &Self) -> Result<(), SnapshotError> {
        let nothing = Self::default();
        let wirings = if self.routes.is_same(&before.routes) { &before.wirings } else { &nothing.wirings };
        let lost = self
            .wirings
            .changed_since(wirings)
            .find(|(name, wiring)| wiring.is_some() && !self.routes.contains_key(*name));
        if let Some((route, _)) = lost {
            return Err(SnapshotError::WiringRoute { route: route.clone() });
        }
        let pool_gone = self.pools.changed_since(&before.pools).any(|(_, pool)| pool.is_none());
        // A pool that went may leave routes behind that did not change.
        let checked = if pool_gone { &nothing } else { before };
        for (name, route) in self.routes.changed_since(&checked.routes) {
            let Some(route) = route else { continue };
            if !self.pools.contains_key(&route.pool) {
                return Err(SnapshotError::RoutePool { route: name.clone(), pool: route.pool.clone() });
            }
            if let Some(pool) = route.policy.traffic.pools().find(|pool| !self.pools.contains_key(*pool)) {
                return Err(SnapshotError::TrafficPool { route: name.clone(), pool: pool.clone() });
            }
        }
        for (name, agent) in self.agents.changed_since(&checked.agents) {
            if let Some(Agent { pool, .. }) = agent.filter(|agent| !self.pools.contains_key(&agent.pool)) {
                return Err(SnapshotError::AgentPool { agent: name.clone(), pool: pool.clone() });
            }
        }
        Ok(())
    }

    /// That pools and endpoints come in pairs, and that weights are within their limits.
    fn check_endpoints(&self, before: &Self) -> Result<(), SnapshotError> {
        let pools = self.pools.changed_since(&before.pools).map(|(pool, _)| pool);
        let endpoints = self.endpoints.changed_since(&before.endpoints).map(|(pool, _)| pool);
        for pool in pools.chain(endpoints) {
            match (self.pools.contains_key(pool), self.endpoints.contains_key(pool)) {
                (true, false) => return Err(SnapshotError::PoolWithoutEndpoints { pool: pool.clone() }),
                (false, true) => return Err(SnapshotError::EndpointsPool { pool: pool.clone() }),
                (true, true) | (false, false) => {}
            }
        }
        for (pool, endpoints) in self.endpoints.changed_since(&before.endpoints) {
            let listed = endpoints.map_or(&[][..], |endpoints| &endpoints.endpoints);
            if let Some((at, bad)) = listed.iter().enumerate().find(|(_, it)| !(1..=1000).contains(&it.weight)) {
                return Err(SnapshotError::Weight { pool: pool.clone(), at, weight: bad.weight });
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
