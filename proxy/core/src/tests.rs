//! A small mesh for the tests of this crate: agents with replicas `name-1`, `name-2`, …, each changed by one word.
//!
//! Never here: anything but tests.

use std::time::Instant;

use http::Uri;
use outrigger_model::agent::Agent;
use outrigger_model::endpoint::{Endpoint, EndpointState};
use outrigger_model::key::KeySource;
use outrigger_model::name::{AgentName, PoolName, ReplicaId, RouteName};
use outrigger_model::pool::policy::PoolPolicy;
use outrigger_model::pool::{Balance, Endpoints, Pool};
use outrigger_model::replica::Generation;
use outrigger_model::resource::Serial;
use outrigger_model::retries::Retries;
use outrigger_model::route::{Affinity, Route, RoutePolicy};
use outrigger_model::snapshot::{Resources, Snapshot};
use outrigger_model::tag::TagSet;

use crate::world::compile::{CompileError, Own, Rules, compile};
use crate::world::table::World;

#[derive(Debug, Clone, Default)]
pub struct Mesh {
    pub resources: Resources,
    pub own: Vec<Own>,
    pub insecure: bool,
    pub zone: &'static str,
}

impl Mesh {
    /// One agent, its pool, its route, its replicas.
    pub fn of(agent: &str, replicas: u16) -> Self {
        Self::default().and(agent, replicas)
    }

    pub fn and(mut self, agent: &str, replicas: u16) -> Self {
        let name = AgentName::new(agent).unwrap();
        let pool = PoolName::new(agent).unwrap();
        let port = 10_000 + 100 * u16::try_from(self.resources.agents.len()).unwrap();
        let endpoints = (1..=replicas).map(|number| endpoint(agent, number, port)).collect();
        let version = semver::Version::new(1, 0, 0);
        let known = Agent {
            name: name.clone(),
            version,
            tags: TagSet::default(),
            pool: pool.clone(),
            keys: Vec::new(),
            repeatable: Vec::new(),
            calls: Default::default(),
        };
        self.resources.agents.insert(name.clone(), known);
        let (balance, policy) = (Balance::LeastRequest, PoolPolicy::default());
        self.resources.pools.insert(pool.clone(), Pool { name: pool.clone(), agent: name, balance, policy });
        self.resources.endpoints.insert(pool.clone(), Endpoints { pool: pool.clone(), endpoints });
        let route = RouteName::new(agent).unwrap();
        let written = Route { name: route.clone(), pool, policy: RoutePolicy::default() };
        self.resources.routes.insert(route, written);
        self
    }

    fn each(mut self, replica: &str, change: impl Fn(&mut Endpoint)) -> Self {
        for endpoints in self.resources.endpoints.values_mut() {
            endpoints.endpoints.iter_mut().filter(|endpoint| endpoint.replica.as_str() == replica).for_each(&change);
        }
        self
    }

    pub fn generation(self, replica: &str, generation: u64) -> Self {
        self.each(replica, |endpoint| endpoint.generation = Generation(generation))
    }

    pub fn weight(self, replica: &str, weight: u16) -> Self {
        self.each(replica, |endpoint| endpoint.weight = weight)
    }

    /// What every pool is judged and limited by.
    pub fn policy(mut self, change: impl Fn(&mut PoolPolicy)) -> Self {
        self.resources.pools.values_mut().for_each(|pool| change(&mut pool.policy));
        self
    }

    pub fn tier(self, replica: &str, tier: u8) -> Self {
        self.each(replica, |endpoint| endpoint.tier = tier)
    }

    pub fn zone(self, replica: &str, zone: &str) -> Self {
        self.each(replica, |endpoint| endpoint.zone = zone.to_owned())
    }

    pub fn state(self, replica: &str, state: EndpointState) -> Self {
        self.each(replica, |endpoint| endpoint.state = state)
    }

    pub fn address(self, replica: &str, address: &str) -> Self {
        self.each(replica, |endpoint| endpoint.address = address.parse().unwrap())
    }

    pub fn without(mut self, replica: &str) -> Self {
        for endpoints in self.resources.endpoints.values_mut() {
            endpoints.endpoints.retain(|endpoint| endpoint.replica.as_str() != replica);
        }
        self
    }

    /// What every route says of retries.
    pub fn retries(mut self, change: impl Fn(&mut Retries)) -> Self {
        self.resources.routes.values_mut().for_each(|route| change(&mut route.policy.retries));
        self
    }

    /// Tools of every agent that may run twice, as it says itself.
    pub fn repeatable(mut self, tools: &[&str]) -> Self {
        let tools: Vec<String> = tools.iter().map(|tool| (*tool).to_owned()).collect();
        self.resources.agents.values_mut().for_each(|agent| agent.repeatable = tools.clone());
        self
    }

    pub fn affinity(mut self, affinity: Affinity) -> Self {
        self.resources.routes.values_mut().for_each(|route| route.policy.affinity = affinity);
        self
    }

    /// Keys of every route and agent.
    pub fn keys(mut self, keys: &[KeySource]) -> Self {
        self.resources.routes.values_mut().for_each(|route| route.policy.sessions.keys = keys.to_vec());
        self.resources.agents.values_mut().for_each(|agent| agent.keys = keys.to_vec());
        self
    }

    pub fn balance(mut self, balance: Balance) -> Self {
        self.resources.pools.values_mut().for_each(|pool| pool.balance = balance);
        self
    }

    pub fn own(mut self, replica: &str, generation: u64, serving: bool) -> Self {
        self.own.push(Own {
            replica: ReplicaId::new(replica).unwrap(),
            agent: AgentName::new("weather").unwrap(),
            upstream: Uri::from_static("http://127.0.0.1:8081/mcp"),
            generation: Generation(generation),
            serving,
        });
        self
    }

    pub fn world(&self, now: Instant) -> World {
        self.after(&World::default(), now).unwrap()
    }

    pub fn after(&self, previous: &World, now: Instant) -> Result<World, CompileError> {
        let snapshot = Snapshot::assemble(self.resources.clone()).unwrap();
        let rules = Rules { plaintext_beyond_loopback: self.insecure, seed: 0, zone: self.zone.to_owned() };
        compile(&snapshot, Some(Serial(7)), &self.own, rules, previous, now)
    }
}

fn endpoint(agent: &str, number: u16, port: u16) -> Endpoint {
    Endpoint {
        replica: ReplicaId::new(&format!("{agent}-{number}")).unwrap(),
        address: ([127, 0, 0, 1], port + number).into(),
        identity: None,
        generation: Generation(1),
        weight: 100,
        tier: 0,
        zone: String::new(),
        tool: String::new(),
        state: EndpointState::Up,
    }
}
