//! Makes a world of a snapshot, the own agents, and the live state of the world before.
//!
//! In: a [`Snapshot`], [`Own`] agents, [`Rules`], the previous [`World`]. Out: the next [`World`], or the field that is wrong.
//! Own agents are believed before control: the proxy sees a closed port first. One that does not serve is in no pool.
//! Invariant: the previous world is only read; what both share is the live state of endpoints and pools that are the same.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Instant;

use http::Uri;
use outrigger_model::agent::Agent;
use outrigger_model::endpoint::{Endpoint as Listed, EndpointState};
use outrigger_model::key::SessionPolicy;
use outrigger_model::name::{AgentName, PoolName, ReplicaId, RouteName};
use outrigger_model::pool::Pool as WrittenPool;
use outrigger_model::replica::Generation;
use outrigger_model::resource::Serial;
use outrigger_model::route::{Affinity, RoutePolicy};
use outrigger_model::snapshot::Snapshot;
use outrigger_model::wiring::Wiring;

use crate::live::{Live, PoolLive};
use crate::mcp::wanted;
use crate::world::endpoint::{Endpoint, Lead, Place, Pool, Preferences, Route, Terms, Wired};
use crate::world::shaping;
use crate::world::table::World;

/// Most endpoints of a snapshot, over all pools.
pub const ENDPOINTS_MAX: usize = 200_000;
/// Most routes of a snapshot.
pub const ROUTES_MAX: usize = 100_000;

/// One agent behind this proxy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Own {
    pub replica: ReplicaId,
    pub agent: AgentName,
    pub upstream: Uri,
    pub generation: Generation,
    /// Whether its port is open.
    pub serving: bool,
}

/// What this proxy accepts of a snapshot.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Rules {
    /// Whether endpoints beyond loopback may lack an identity.
    pub plaintext_beyond_loopback: bool,
    /// Where rotations start; from the shell's chance.
    pub seed: u64,
    /// Where this proxy runs; empty: it is not said.
    pub zone: String,
}

/// Why a snapshot does not become a world; the text is what control is told.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CompileError {
    #[error("Route: {count} routes are more than {ROUTES_MAX}")]
    Routes { count: usize },
    #[error("Endpoints: {count} endpoints are more than {ENDPOINTS_MAX}")]
    Endpoints { count: usize },
    #[error(
        "Endpoints/{pool}.endpoints[{at}].identity: replica `{replica}` is beyond loopback and proves no identity; give its proxy a certificate, or run this one with `insecure: true`"
    )]
    Identity { pool: PoolName, at: usize, replica: ReplicaId },
    #[error("Agent/{agent}.name: it is no route name")]
    Name { agent: AgentName },
}

/// Compiles the world that follows `previous`.
pub fn compile(
    snapshot: &Snapshot,
    serial: Option<Serial>,
    own: &[Own],
    rules: Rules,
    previous: &World,
    now: Instant,
) -> Result<World, CompileError> {
    check_size(snapshot)?;
    let resources = snapshot.resources();
    let mut build =
        Build { rules, previous, now, own: HashMap::new(), replicas: HashMap::new(), terms: HashMap::new() };
    build.add_own(own);
    let mut pools = HashMap::with_capacity(resources.pools.len());
    for (name, pool) in &resources.pools {
        let listed = resources.endpoints.get(name).map_or(&[][..], |endpoints| &endpoints.endpoints);
        pools.insert(name.clone(), Arc::new(build.pool(pool, listed)?));
    }
    let mut routes = HashMap::with_capacity(resources.routes.len());
    for (name, route) in &resources.routes {
        // A snapshot is assembled only if every pool that a route names is in it.
        let Some(pool) = pools.get(&route.pool) else { continue };
        let wants = wanted::of_route(&route.policy.sessions.keys);
        let shaping = shaping::compile(&route.policy.traffic, &pools);
        let agent = resources.agents.get(&pool.agent).filter(|_| route.policy.retries.trust_hints);
        let hinted = agent.map(|agent| agent.repeatable.clone()).unwrap_or_default();
        let (name, mut policy, pool) = (name.clone(), route.policy.clone(), Arc::clone(pool));
        let wired = resources.wirings.get(&name).and_then(|wiring| wired(wiring, &pool));
        if wired.is_some() && policy.affinity == Affinity::Auto {
            // Calls of one function have no list and no session that they would have to follow: equal providers share them.
            policy.affinity = Affinity::Keys;
        }
        let compiled = Route { name: name.clone(), policy, wants, hinted, pool, shaping, wired };
        routes.insert(name, Arc::new(compiled));
    }
    let mut agents = HashMap::with_capacity(resources.agents.len());
    for (name, agent) in &resources.agents {
        let Some(pool) = pools.get(&agent.pool) else { continue };
        // Pools of dependencies hold replicas of several agents; by its id each is its own agent's.
        build.replicas.extend(pool.endpoints.iter().map(|endpoint| (endpoint.replica.clone(), Arc::clone(endpoint))));
        agents.insert(name.clone(), Arc::new(agent_route(agent, pool, &pools)?));
    }
    let own = build.owned(|agent| Some(resources.agents.get(agent)?.pool.clone()));
    let (settings, keyring) = (resources.settings.clone(), resources.keyring.clone());
    let revocations = resources.revocations.clone();
    let limits_pools = pools.values().any(|pool| !pool.policy.rates.is_empty());
    let replicas = build.replicas;
    Ok(World { serial, settings, keyring, revocations, routes, agents, limits_pools, pools, replicas, own })
}

fn tool(listed: &Listed) -> Option<Arc<str>> {
    (!listed.tool.is_empty()).then(|| listed.tool.as_str().into())
}

fn check_size(snapshot: &Snapshot) -> Result<(), CompileError> {
    let resources = snapshot.resources();
    let count = resources.routes.len();
    if count > ROUTES_MAX {
        return Err(CompileError::Routes { count });
    }
    let count = resources.endpoints.values().map(|endpoints| endpoints.endpoints.len()).sum();
    if count > ENDPOINTS_MAX {
        return Err(CompileError::Endpoints { count });
    }
    Ok(())
}

/// Calls that name an agent itself follow the rules that need no operator.
fn agent_route(agent: &Agent, pool: &Arc<Pool>, pools: &HashMap<PoolName, Arc<Pool>>) -> Result<Route, CompileError> {
    let name = RouteName::new(agent.name.as_str()).map_err(|_| CompileError::Name { agent: agent.name.clone() })?;
    let sessions = SessionPolicy { keys: agent.keys.clone(), ..SessionPolicy::default() };
    let wants = wanted::of_route(&sessions.keys);
    let policy = RoutePolicy { sessions, ..RoutePolicy::wanted(&agent.calls) };
    let shaping = shaping::compile(&policy.traffic, pools);
    Ok(Route { name, policy, wants, hinted: Vec::new(), pool: Arc::clone(pool), shaping, wired: None })
}

/// Where more than one function fits, none of them is the route's.
fn wired(wiring: &Wiring, pool: &Pool) -> Option<Wired> {
    let [first] = wiring.providers.as_slice() else { return None };
    let mixed = pool.endpoints.iter().any(|endpoint| endpoint.tool.is_some());
    Some(Wired { function: Arc::clone(&first.function), mixed })
}

struct Build<'a> {
    rules: Rules,
    previous: &'a World,
    now: Instant,
    /// With whether its agent serves.
    own: HashMap<ReplicaId, (Arc<Endpoint>, bool)>,
    replicas: HashMap<ReplicaId, Arc<Endpoint>>,
    terms: HashMap<PoolName, Arc<Terms>>,
}

impl Build<'_> {
    fn add_own(&mut self, own: &[Own]) {
        for own in own {
            let place = Place::Own { upstream: own.upstream.clone() };
            let endpoint = Arc::new(Endpoint {
                replica: own.replica.clone(),
                agent: own.agent.clone(),
                live: self.live(&own.replica, &place, own.generation),
                lead: Arc::new(Lead::of(&own.replica, &place)),
                place,
                generation: own.generation,
                weight: 100,
                state: EndpointState::Up,
                tier: 0,
                zone: self.rules.zone.clone(),
                terms: Arc::new(Terms::alone()),
                tool: None,
            });
            if own.serving {
                self.replicas.insert(own.replica.clone(), Arc::clone(&endpoint));
            }
            self.own.insert(own.replica.clone(), (endpoint, own.serving));
        }
    }

    fn pool(&mut self, written: &WrittenPool, listed: &[Listed]) -> Result<Pool, CompileError> {
        let live = match self.previous.pool(written.name.as_str()) {
            Some(before) => Arc::clone(&before.live),
            None => Arc::new(PoolLive::new(self.rules.seed)),
        };
        let WrittenPool { name, agent, balance, policy } = written.clone();
        let terms = Terms { balance, policy: policy.clone(), size: listed.len(), live: Arc::clone(&live) };
        let terms = Arc::new(terms);
        self.terms.insert(name.clone(), Arc::clone(&terms));
        let mut endpoints = Vec::with_capacity(listed.len());
        for (at, listed) in listed.iter().enumerate() {
            let endpoint = match self.own.get(&listed.replica) {
                Some((_, false)) => continue,
                Some((own, true)) => self.own_listed(&Arc::clone(own), listed, &terms),
                None => self.peer(written, at, listed, &terms)?,
            };
            self.replicas.insert(listed.replica.clone(), Arc::clone(&endpoint));
            endpoints.push(endpoint);
        }
        endpoints.sort_by(|a, b| a.replica.cmp(&b.replica));
        let preferences = Preferences::of(&endpoints, &policy, &self.rules.zone);
        Ok(Pool { name, agent, balance, policy, endpoints, preferences, live })
    }

    /// The own agents, each by the rules of the pool that all its replicas are in.
    fn owned(&self, pool_of: impl Fn(&AgentName) -> Option<PoolName>) -> HashMap<ReplicaId, Arc<Endpoint>> {
        let terms = |agent: &AgentName| self.terms.get(&pool_of(agent)?).map(Arc::clone);
        let own = self.own.iter().map(|(id, (endpoint, _))| {
            let endpoint = match terms(&endpoint.agent) {
                Some(terms) => Arc::new(Endpoint { terms, ..Endpoint::clone(endpoint) }),
                None => Arc::clone(endpoint),
            };
            (id.clone(), endpoint)
        });
        own.collect()
    }

    /// An own endpoint with the weight and the state that the mesh gives it.
    fn own_listed(&self, own: &Arc<Endpoint>, listed: &Listed, terms: &Arc<Terms>) -> Arc<Endpoint> {
        // A proxy that hears itself called silent is not: its own agent is right here.
        let state = match listed.state {
            EndpointState::Draining => EndpointState::Draining,
            EndpointState::Up | EndpointState::Suspect => EndpointState::Up,
        };
        let (tier, zone, terms, tool) = (listed.tier, listed.zone.clone(), Arc::clone(terms), tool(listed));
        Arc::new(Endpoint { weight: listed.weight, state, tier, zone, terms, tool, ..Endpoint::clone(own) })
    }

    fn peer(
        &self,
        written: &WrittenPool,
        at: usize,
        listed: &Listed,
        terms: &Arc<Terms>,
    ) -> Result<Arc<Endpoint>, CompileError> {
        let beyond = !listed.address.ip().to_canonical().is_loopback();
        if listed.identity.is_none() && beyond && !self.rules.plaintext_beyond_loopback {
            let (pool, replica) = (written.name.clone(), listed.replica.clone());
            return Err(CompileError::Identity { pool, at, replica });
        }
        let place = Place::Peer { address: listed.address, identity: listed.identity.clone() };
        Ok(Arc::new(Endpoint {
            replica: listed.replica.clone(),
            agent: written.agent.clone(),
            live: self.live(&listed.replica, &place, listed.generation),
            lead: Arc::new(Lead::of(&listed.replica, &place)),
            place,
            generation: listed.generation,
            weight: listed.weight,
            state: listed.state,
            tier: listed.tier,
            zone: listed.zone.clone(),
            terms: Arc::clone(terms),
            tool: tool(listed),
        }))
    }

    /// The live state of the same endpoint of this world or of the one before, or a new one.
    fn live(&self, replica: &ReplicaId, place: &Place, generation: Generation) -> Arc<Live> {
        let before =
            [self.replicas.get(replica), self.previous.replica(replica.as_str()), self.previous.own(replica.as_str())];
        let same = before.into_iter().flatten().find(|endpoint| endpoint.same_life(replica, place, generation));
        same.map_or_else(|| Arc::new(Live::new(self.now)), |endpoint| Arc::clone(&endpoint.live))
    }
}

#[cfg(test)]
mod tests;
