//! The snapshot of one scope: everyone's routes and pools, and those of the watcher's own dependencies.
//!
//! In: facts, intent, a scope. Out: [`Built`]: a whole snapshot, and where each of its routes comes from.
//! Precedence where two things claim one route name: dependency, operator, agent, capability.
//! Invariant: the same inputs make the same snapshot; a healthy mesh and an empty one both assemble.

use std::collections::BTreeMap;

use outrigger_model::agent::Agent;
use outrigger_model::capability::Capability;
use outrigger_model::digest::Digest;
use outrigger_model::endpoint::{Endpoint, EndpointState};
use outrigger_model::key::SessionPolicy;
use outrigger_model::name::{AgentName, BadName, CapabilityName, PoolName, RouteName};
use outrigger_model::pool::{Endpoints, Pool};
use outrigger_model::replica::ReplicaState;
use outrigger_model::requirement::Requirement;
use outrigger_model::revocation::Revocations;
use outrigger_model::route::{Affinity, Route, Timeouts};
use outrigger_model::snapshot::{Resources, Snapshot, SnapshotError};

use crate::facts::{Facts, Standing};
use crate::intent::{Intent, OperatorRoute};
use crate::resolve::{Winner, resolve};

use super::scope::Scope;
use super::stateful;

/// A snapshot, and what its routes are.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Built {
    pub snapshot: Snapshot,
    pub kinds: BTreeMap<RouteName, RouteKind>,
}

/// Where a route comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RouteKind {
    Dependency,
    Operator,
    Agent,
    Capability,
}

#[derive(Debug, thiserror::Error)]
pub enum BuildError {
    #[error("a name does not fit where it leads")]
    Name(#[from] BadName),
    #[error("the parts of the snapshot do not fit together")]
    Parts(#[from] SnapshotError),
}

impl RouteKind {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Dependency => "dependency",
            Self::Operator => "operator",
            Self::Agent => "agent",
            Self::Capability => "capability",
        }
    }
}

/// `revocations` go to everyone.
pub fn build(facts: &Facts, intent: &Intent, revocations: &Revocations, scope: &Scope) -> Result<Built, BuildError> {
    let (settings, revocations) = (intent.settings().clone(), revocations.clone());
    let resources = Resources { settings, revocations, ..Resources::default() };
    let mut draft = Draft { facts, intent, resources, kinds: BTreeMap::new() };
    // The first to claim a name keeps it.
    for (alias, requirement) in scope.needs() {
        draft.asked(alias, RouteKind::Dependency, requirement, Way::default())?;
    }
    for route in intent.routes() {
        let OperatorRoute { affinity, inspect, ref sessions, timeouts, .. } = *route;
        let way = Way { affinity, inspect, sessions: sessions.clone(), timeouts };
        draft.asked(&route.name, RouteKind::Operator, &route.requirement, way)?;
    }
    draft.agents()?;
    draft.capabilities()?;
    Ok(Built { snapshot: Snapshot::assemble(draft.resources)?, kinds: draft.kinds })
}

/// The pool that a requirement leads to under a route name, as `build` names it.
pub fn pool_name(facts: &Facts, route: &RouteName, winner: &Winner<'_>) -> Result<PoolName, BadName> {
    if winner.is_whole_agent {
        return PoolName::new(winner.agent.as_str());
    }
    derived_name(facts, route, winner.agent.as_str())
}

/// How calls of a route travel.
#[derive(Default)]
struct Way {
    affinity: Affinity,
    inspect: bool,
    sessions: SessionPolicy,
    timeouts: Timeouts,
}

struct Draft<'a> {
    facts: &'a Facts,
    intent: &'a Intent,
    resources: Resources,
    kinds: BTreeMap<RouteName, RouteKind>,
}

impl Draft<'_> {
    fn agents(&mut self) -> Result<(), BuildError> {
        let facts = self.facts;
        for name in facts.agents() {
            let replicas: Vec<&Standing> = facts.replicas_of(name).collect();
            let Some(newest) = newest(&replicas) else { continue };
            let pool = PoolName::new(name.as_str())?;
            self.pool(pool.clone(), name, &replicas);
            let Standing { replica, .. } = newest;
            let agent = Agent {
                name: name.clone(),
                version: replica.version.clone(),
                tags: replica.tags.clone(),
                pool: pool.clone(),
                keys: stateful::keys(facts, name),
            };
            self.resources.agents.insert(name.clone(), agent);
            self.route(RouteName::new(name.as_str())?, RouteKind::Agent, pool, Way::default());
        }
        Ok(())
    }

    fn capabilities(&mut self) -> Result<(), BuildError> {
        let facts = self.facts;
        for name in facts.capabilities() {
            let Some(winner) = resolve(facts, &Requirement::any(name.clone())) else { continue };
            let route = RouteName::new(name.as_str())?;
            if let Some(offered) = newest_offer(&winner, name) {
                self.resources.capabilities.insert(name.clone(), offered);
            }
            if !self.kinds.contains_key(&route) {
                let pool = self.pool_for(&route, &winner)?;
                self.route(route, RouteKind::Capability, pool, Way::default());
            }
        }
        Ok(())
    }

    /// A route that somebody asked for: it exists even if nobody provides it, and then leads to an empty pool.
    fn asked(
        &mut self,
        route: &RouteName,
        kind: RouteKind,
        requirement: &Requirement,
        way: Way,
    ) -> Result<(), BuildError> {
        if self.kinds.contains_key(route) {
            return Ok(());
        }
        let pool = match resolve(self.facts, requirement) {
            Some(winner) => self.pool_for(route, &winner)?,
            None => {
                let pool = derived_name(self.facts, route, "none")?;
                self.pool(pool.clone(), &AgentName::new(requirement.capability.as_str())?, &[]);
                pool
            }
        };
        self.route(route.clone(), kind, pool, way);
        Ok(())
    }

    fn pool_for(&mut self, route: &RouteName, winner: &Winner<'_>) -> Result<PoolName, BuildError> {
        let pool = pool_name(self.facts, route, winner)?;
        self.pool(pool.clone(), winner.agent, &winner.replicas);
        Ok(pool)
    }

    fn pool(&mut self, name: PoolName, agent: &AgentName, replicas: &[&Standing]) {
        if self.resources.pools.contains_key(&name) {
            return;
        }
        let endpoints = replicas.iter().filter_map(|standing| endpoint(standing)).collect();
        let balance = self.intent.balance(agent);
        self.resources.endpoints.insert(name.clone(), Endpoints { pool: name.clone(), endpoints });
        self.resources.pools.insert(name.clone(), Pool { name, agent: agent.clone(), balance });
    }

    fn route(&mut self, name: RouteName, kind: RouteKind, pool: PoolName, way: Way) {
        if self.kinds.contains_key(&name) {
            return;
        }
        self.kinds.insert(name.clone(), kind);
        let Way { affinity, inspect, mut sessions, timeouts } = way;
        // Who names keys knows which state its calls follow; for the others the agent says it.
        if let Some(pool) = self.resources.pools.get(&pool).filter(|_| sessions.keys.is_empty()) {
            sessions.keys = stateful::keys(self.facts, &pool.agent);
        }
        let route = Route { name: name.clone(), pool, affinity, inspect, sessions, timeouts };
        self.resources.routes.insert(name, route);
    }
}

/// `<route>--<leaf>`, or with a digest in its place where that would be too long, be the pool of an agent, or could be
/// read as another pair of names. An agent can therefore never name itself into somebody's pool.
fn derived_name(facts: &Facts, route: &RouteName, leaf: &str) -> Result<PoolName, BadName> {
    let plain = format!("{route}--{leaf}");
    let reads_one_way = !route.as_str().contains("--") && !route.as_str().ends_with('-') && !leaf.contains("--");
    if let Ok(name) = PoolName::new(&plain)
        && reads_one_way
        && !facts.has_agent(&plain)
    {
        return Ok(name);
    }
    let start: String = route.as_str().chars().take(60).collect();
    let mut digest = Digest::of_parts([route.as_str().as_bytes(), leaf.as_bytes()]);
    while facts.has_agent(&format!("{start}---{digest}")) {
        digest = Digest::of(digest.as_bytes());
    }
    PoolName::new(&format!("{start}---{digest}"))
}

fn endpoint(standing: &Standing) -> Option<Endpoint> {
    let state = match standing.state {
        ReplicaState::Healthy => EndpointState::Up,
        ReplicaState::Unknown => EndpointState::Suspect,
        ReplicaState::Draining => EndpointState::Draining,
        ReplicaState::Unhealthy => return None,
    };
    let replica = &standing.replica;
    Some(Endpoint {
        replica: replica.id.clone(),
        address: replica.address,
        identity: replica.identity.clone(),
        generation: replica.generation,
        weight: replica.weight,
        state,
    })
}

/// The replica of the highest version; among equals the first by id. Its state does not matter: what an agent is does
/// not change when one replica of it stumbles.
fn newest<'a>(replicas: &[&'a Standing]) -> Option<&'a Standing> {
    replicas.iter().copied().rev().max_by(|a, b| a.replica.version.cmp(&b.replica.version))
}

fn newest_offer(winner: &Winner<'_>, name: &CapabilityName) -> Option<Capability> {
    let offers = winner.replicas.iter().rev().filter_map(|standing| standing.capability(name));
    offers.max_by(|a, b| a.version.cmp(&b.version)).cloned()
}

#[cfg(test)]
mod tests;
