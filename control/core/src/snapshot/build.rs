//! The snapshot of one scope: everyone's routes and pools, and those of the watcher's own dependencies.
//!
//! In: facts, intent, the keys that proxies share, a scope. Out: [`Built`]: a whole snapshot, and where each of its routes comes from.
//! A dependency whose requirement says how far it reaches (`@reach=`) is one of an agent of mcp-mesh: it has a wiring beside its route.
//! A view holds the agents and capabilities of its namespace and what its watcher asks of others. A route of an operator is in the
//! views of the namespace that its requirement names.
//! Who sees its needs only gets the agents that provide them, and no routes but its own.
//! Precedence where two things claim one route name: dependency, operator, agent, capability.
//! Invariant: the same inputs make the same snapshot; a healthy mesh and an empty one both assemble. Keys are in snapshots of proxies only.

mod needs;
mod traffic;

use std::collections::{BTreeMap, BTreeSet};

use outrigger_model::agent::Agent;
use outrigger_model::calls::Calls;
use outrigger_model::capability::Capability;
use outrigger_model::digest::Digest;
use outrigger_model::endpoint::{Endpoint, EndpointState, TIER_MAX};
use outrigger_model::name::{AgentName, BadName, CapabilityName, Namespace, PoolName, RouteName};
use outrigger_model::pool::{Endpoints, Pool};
use outrigger_model::replica::ReplicaState;
use outrigger_model::requirement::Requirement;
use outrigger_model::requirement::also::Also;
use outrigger_model::revocation::Revocations;
use outrigger_model::route::{Route, RoutePolicy};
use outrigger_model::secret::Keyring;
use outrigger_model::snapshot::{Resources, Snapshot, SnapshotError};
use outrigger_model::tag::TagSet;

use crate::facts::{Facts, Standing};
use crate::intent::{Intent, OperatorPool, OperatorRoute};
use crate::resolve::{Winner, resolve};

use super::scope::{Scope, Sight};
use super::{repeatable, stateful};

/// What all proxies share beside facts and intent.
#[derive(Debug, Clone, Copy)]
pub struct Shared<'a> {
    pub revocations: &'a Revocations,
    pub keyring: &'a Keyring,
}

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

/// `shared` goes to everyone; of it the keys only to those whose scope has them.
pub fn build(facts: &Facts, intent: &Intent, shared: &Shared<'_>, scope: &Scope) -> Result<Built, BuildError> {
    let keyring = if scope.has_keys() { shared.keyring.clone() } else { Keyring::default() };
    let (settings, revocations) = (intent.settings().clone(), shared.revocations.clone());
    let resources = Resources { settings, keyring, revocations, ..Resources::default() };
    let namespace = scope.namespace();
    let mut draft =
        Draft { facts, intent, namespace, resources, kinds: BTreeMap::new(), shows_secrets: scope.has_keys() };
    // The first to claim a name keeps it.
    for (alias, requirement) in scope.needs() {
        draft.need(alias, requirement)?;
    }
    if scope.sight() == Sight::Needs {
        let named = draft.resources.wirings.values().flat_map(|wiring| &wiring.providers).map(|it| it.agent.clone());
        let wanted: BTreeSet<_> = named.chain(draft.resources.pools.values().map(|pool| pool.agent.clone())).collect();
        draft.agents(|name| wanted.contains(name))?;
        return Ok(Built { snapshot: Snapshot::assemble(draft.resources)?, kinds: draft.kinds });
    }
    for route in intent.routes().filter(|route| route.requirement.namespace() == namespace.as_str()) {
        let OperatorRoute { name, requirement, policy, .. } = route;
        let traffic = draft.traffic(route)?;
        let policy = RoutePolicy { traffic, ..policy.clone() };
        draft.asked(name, RouteKind::Operator, requirement, Some(&policy))?;
    }
    draft.agents(|_| true)?;
    draft.capabilities()?;
    Ok(Built { snapshot: Snapshot::assemble(draft.resources)?, kinds: draft.kinds })
}

/// The pool that a requirement leads to under a route name, as `build` names it in a view of a namespace: that of the agent only if it
/// is an agent of that namespace, because another may have the same name.
pub fn pool_name(
    facts: &Facts,
    namespace: &Namespace,
    route: &RouteName,
    winner: &Winner<'_>,
) -> Result<PoolName, BadName> {
    if winner.is_whole_agent && winner.namespace() == namespace {
        return PoolName::new(winner.agent.as_str());
    }
    derived_name(facts, route, winner.agent.as_str())
}

struct Draft<'a> {
    facts: &'a Facts,
    intent: &'a Intent,
    namespace: &'a Namespace,
    resources: Resources,
    kinds: BTreeMap<RouteName, RouteKind>,
    /// Whether it is for somebody who serves calls by it.
    shows_secrets: bool,
}

impl Draft<'_> {
    fn agents(&mut self, is_wanted: impl Fn(&AgentName) -> bool) -> Result<(), BuildError> {
        let facts = self.facts;
        for name in facts.agents().filter(|name| is_wanted(name)) {
            let replicas: Vec<&Standing> = facts.replicas_in(self.namespace.as_str(), name).collect();
            let Some(newest) = newest(&replicas) else { continue };
            let pool = PoolName::new(name.as_str())?;
            self.pool(pool.clone(), name, &replicas);
            let Standing { replica, .. } = newest;
            let agent = Agent {
                name: name.clone(),
                version: replica.version.clone(),
                tags: replica.tags.clone(),
                pool: pool.clone(),
                keys: stateful::keys(facts, self.namespace, name),
                repeatable: repeatable::tools(facts, self.namespace, name),
                calls: CapabilityName::new(name.as_str()).map(|whole| self.calls(newest.capability(&whole)))?,
            };
            let policy = RoutePolicy::wanted(&agent.calls);
            self.resources.agents.insert(name.clone(), agent);
            self.route(RouteName::new(name.as_str())?, RouteKind::Agent, pool, policy, self.namespace);
        }
        Ok(())
    }

    fn capabilities(&mut self) -> Result<(), BuildError> {
        let facts = self.facts;
        for name in facts.capabilities_in(self.namespace.as_str()) {
            let any = Requirement::any(name.clone());
            let also = Also { namespace: Some(self.namespace.clone()), ..Also::default() };
            let Some(winner) = resolve(facts, &Requirement { also, ..any }) else { continue };
            let route = RouteName::new(name.as_str())?;
            let offered = newest_offer(&winner, name);
            if !self.kinds.contains_key(&route) {
                let pool = self.pool_for(&route, &winner)?;
                let policy = RoutePolicy::wanted(&self.calls(offered));
                self.route(route, RouteKind::Capability, pool, policy, self.namespace);
            }
            if let Some(offered) = offered {
                let offered = Capability { calls: self.calls(Some(offered)), ..offered.clone() };
                self.resources.capabilities.insert(name.clone(), offered);
            }
        }
        Ok(())
    }

    /// How a provider wants its calls to travel. The values of its headers may be secrets.
    fn calls(&self, offered: Option<&Capability>) -> Calls {
        let calls = offered.map(|offered| &offered.calls);
        let shown = calls.map(|calls| if self.shows_secrets { calls.clone() } else { calls.without_values() });
        shown.unwrap_or_default()
    }

    /// A route that somebody asked for: it exists even if nobody provides it, and then leads to an empty pool. Without a policy of an operator
    /// its calls travel as the provider wants.
    fn asked(
        &mut self,
        route: &RouteName,
        kind: RouteKind,
        requirement: &Requirement,
        policy: Option<&RoutePolicy>,
    ) -> Result<(), BuildError> {
        if self.kinds.contains_key(route) {
            return Ok(());
        }
        let winner = resolve(self.facts, requirement);
        let wanted = || self.calls(winner.as_ref().and_then(|winner| newest_offer(winner, &requirement.capability)));
        let policy = policy.map_or_else(|| RoutePolicy::wanted(&wanted()), RoutePolicy::clone);
        let pool = match &winner {
            Some(winner) => self.pool_for(route, winner)?,
            None => self.empty_pool(route, requirement)?,
        };
        let home = winner.as_ref().map_or(self.namespace, Winner::namespace);
        self.route(route.clone(), kind, pool, policy, home);
        Ok(())
    }

    fn empty_pool(&mut self, route: &RouteName, requirement: &Requirement) -> Result<PoolName, BuildError> {
        let pool = derived_name(self.facts, route, "none")?;
        self.pool(pool.clone(), &AgentName::new(requirement.capability.as_str())?, &[]);
        Ok(pool)
    }

    fn pool_for(&mut self, route: &RouteName, winner: &Winner<'_>) -> Result<PoolName, BuildError> {
        let pool = pool_name(self.facts, self.namespace, route, winner)?;
        self.pool(pool.clone(), winner.agent, &winner.replicas().collect::<Vec<_>>());
        Ok(pool)
    }

    fn pool(&mut self, name: PoolName, agent: &AgentName, replicas: &[&Standing]) {
        if self.resources.pools.contains_key(&name) {
            return;
        }
        let tiers = self.intent.pool(agent).map(|rules| rules.tiers.clone()).unwrap_or_default();
        let endpoints = replicas.iter().filter_map(|standing| endpoint(standing, &tiers)).collect();
        self.pool_of(name, agent, endpoints);
    }

    fn pool_of(&mut self, name: PoolName, agent: &AgentName, endpoints: Vec<Endpoint>) {
        let rules = self.intent.pool(agent).cloned().unwrap_or_default();
        let OperatorPool { balance, policy, .. } = rules;
        self.resources.endpoints.insert(name.clone(), Endpoints { pool: name.clone(), endpoints });
        self.resources.pools.insert(name.clone(), Pool { name, agent: agent.clone(), balance, policy });
    }

    /// `home` is the namespace of the agents of the pool.
    fn route(&mut self, name: RouteName, kind: RouteKind, pool: PoolName, mut policy: RoutePolicy, home: &Namespace) {
        if self.kinds.contains_key(&name) {
            return;
        }
        self.kinds.insert(name.clone(), kind);
        // Who names keys knows which state its calls follow; for the others the agent says it.
        if let Some(pool) = self.resources.pools.get(&pool).filter(|_| policy.sessions.keys.is_empty()) {
            policy.sessions.keys = stateful::keys(self.facts, home, &pool.agent);
        }
        let route = Route { name: name.clone(), pool, policy };
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

fn endpoint(standing: &Standing, tiers: &[TagSet]) -> Option<Endpoint> {
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
        tier: tier(&replica.tags, tiers),
        zone: replica.zone.clone(),
        tool: String::new(),
    })
}

/// The first list of tags that a replica has all of; behind the last where it has none.
fn tier(tags: &TagSet, tiers: &[TagSet]) -> u8 {
    let at = tiers.iter().position(|tier| tier.iter().all(|tag| tags.contains(tag))).unwrap_or(tiers.len());
    u8::try_from(at).unwrap_or(TIER_MAX).min(TIER_MAX)
}

/// The replica of the highest version; among equals the first by id. Its state does not matter: what an agent is does
/// not change when one replica of it stumbles.
fn newest<'a>(replicas: &[&'a Standing]) -> Option<&'a Standing> {
    replicas.iter().copied().rev().max_by(|a, b| a.replica.version.cmp(&b.replica.version))
}

fn newest_offer<'a>(winner: &Winner<'a>, name: &CapabilityName) -> Option<&'a Capability> {
    let offers = winner.replicas().rev().filter_map(|standing| standing.capability(name));
    offers.max_by(|a, b| a.version.cmp(&b.version))
}

#[cfg(test)]
mod tests;
