//! A snapshot: all resources of one view, checked as a whole.
//!
//! In: resources of every kind. Out: a [`Snapshot`] in which every reference leads somewhere.
//! Invariant: nothing changes a snapshot; a new one is assembled instead.

use std::collections::BTreeMap;

use crate::agent::Agent;
use crate::capability::Capability;
use crate::name::{AgentName, CapabilityName, PoolName, RouteName};
use crate::pool::{Endpoints, Pool};
use crate::route::Route;
use crate::settings::Settings;

/// The parts that a snapshot is assembled from, keyed by name.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Resources {
    pub settings: Settings,
    pub agents: BTreeMap<AgentName, Agent>,
    pub capabilities: BTreeMap<CapabilityName, Capability>,
    pub pools: BTreeMap<PoolName, Pool>,
    pub endpoints: BTreeMap<PoolName, Endpoints>,
    pub routes: BTreeMap<RouteName, Route>,
}

/// Resources that fit together.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Snapshot(Resources);

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SnapshotError {
    #[error("Route/{route}.pool: there is no pool `{pool}`")]
    RoutePool { route: RouteName, pool: PoolName },
    #[error("Agent/{agent}.pool: there is no pool `{pool}`")]
    AgentPool { agent: AgentName, pool: PoolName },
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
        for (name, route) in &resources.routes {
            if !resources.pools.contains_key(&route.pool) {
                return Err(SnapshotError::RoutePool { route: name.clone(), pool: route.pool.clone() });
            }
        }
        for (name, agent) in &resources.agents {
            if !resources.pools.contains_key(&agent.pool) {
                return Err(SnapshotError::AgentPool { agent: name.clone(), pool: agent.pool.clone() });
            }
        }
        for pool in resources.pools.keys() {
            if !resources.endpoints.contains_key(pool) {
                return Err(SnapshotError::PoolWithoutEndpoints { pool: pool.clone() });
            }
        }
        for (pool, endpoints) in &resources.endpoints {
            if !resources.pools.contains_key(pool) {
                return Err(SnapshotError::EndpointsPool { pool: pool.clone() });
            }
            let bad = endpoints.endpoints.iter().position(|endpoint| !(1..=1000).contains(&endpoint.weight));
            if let Some((at, endpoint)) = bad.and_then(|at| Some((at, endpoints.endpoints.get(at)?))) {
                return Err(SnapshotError::Weight { pool: pool.clone(), at, weight: endpoint.weight });
            }
        }
        Ok(Self(resources))
    }

    pub fn resources(&self) -> &Resources {
        &self.0
    }

    pub fn into_resources(self) -> Resources {
        self.0
    }
}

#[cfg(test)]
mod tests;
