//! The world that a scenario plays in: one agent with up to five replicas, and what control changes of it.
//!
//! In: how many replicas, how they are balanced, what they are. Out: a [`World`] after another one.

use std::time::Instant;

use outrigger_model::agent::Agent;
use outrigger_model::calls::Calls;
use outrigger_model::endpoint::{Endpoint, EndpointState};
use outrigger_model::name::{AgentName, PoolName, ReplicaId, RouteName};
use outrigger_model::pool::policy::PoolPolicy;
use outrigger_model::pool::{Balance, Endpoints, Pool};
use outrigger_model::replica::Generation;
use outrigger_model::route::{Affinity, Route, RoutePolicy};
use outrigger_model::snapshot::{Resources, Snapshot};
use outrigger_model::tag::TagSet;
use outrigger_proxy_core::world::compile::{Rules, compile};
use outrigger_proxy_core::world::table::World;

use crate::chance::Chance;

pub const AGENT: &str = "weather";

#[derive(Debug, Clone)]
pub struct Stage {
    pub balance: Balance,
    pub affinity: Affinity,
    pub replicas: Vec<Replica>,
    /// Where rotations start.
    pub turn: u64,
}

/// What control says of a replica.
#[derive(Debug, Clone, Copy)]
pub struct Replica {
    pub draining: bool,
    pub generation: u64,
}

impl Stage {
    pub fn random(chance: &mut Chance) -> Self {
        let replica = Replica { draining: false, generation: 1 };
        Self {
            balance: chance.of(&[Balance::RoundRobin, Balance::LeastRequest]),
            affinity: chance.of(&[Affinity::None, Affinity::Keys, Affinity::Auto]),
            replicas: vec![replica; 1 + chance.below(5)],
            turn: chance.next() % 1_000,
        }
    }

    /// Replicas that take what is new.
    pub fn up(&self) -> impl Iterator<Item = usize> + '_ {
        self.replicas.iter().enumerate().filter(|(_, replica)| !replica.draining).map(|(at, _)| at)
    }

    pub fn world(&self, previous: &World, now: Instant) -> World {
        let (agent, pool) = (AgentName::new(AGENT).expect("a name"), PoolName::new(AGENT).expect("a name"));
        let route = RouteName::new(AGENT).expect("a name");
        let mut resources = Resources::default();
        let version = semver::Version::new(1, 0, 0);
        let known = Agent {
            name: agent.clone(),
            version,
            tags: TagSet::default(),
            pool: pool.clone(),
            keys: Vec::new(),
            repeatable: Vec::new(),
            calls: Calls::default(),
        };
        resources.agents.insert(agent.clone(), known);
        let (balance, policy) = (self.balance, PoolPolicy::default());
        resources.pools.insert(pool.clone(), Pool { name: pool.clone(), agent, balance, policy });
        let endpoints = self.replicas.iter().enumerate().map(|(at, replica)| endpoint(at, *replica)).collect();
        resources.endpoints.insert(pool.clone(), Endpoints { pool: pool.clone(), endpoints });
        let policy = RoutePolicy { affinity: self.affinity, ..RoutePolicy::default() };
        resources.routes.insert(route.clone(), Route { name: route, pool, policy });
        let snapshot = Snapshot::assemble(resources).expect("a snapshot");
        let rules = Rules { plaintext_beyond_loopback: false, seed: self.turn, zone: String::new() };
        compile(&snapshot, None, &[], rules, previous, now).expect("a world")
    }
}

/// The number of a replica, as its name tells.
pub fn number(replica: &ReplicaId) -> usize {
    let digits = replica.as_str().rsplit('-').next().expect("a number");
    digits.parse().expect("a number")
}

fn endpoint(at: usize, replica: Replica) -> Endpoint {
    let port = 10_000 + u16::try_from(at).expect("few replicas");
    Endpoint {
        replica: ReplicaId::new(&format!("{AGENT}-{at}")).expect("a name"),
        address: ([127, 0, 0, 1], port).into(),
        identity: None,
        generation: Generation(replica.generation),
        weight: 100,
        tier: 0,
        zone: String::new(),
        state: if replica.draining { EndpointState::Draining } else { EndpointState::Up },
    }
}
