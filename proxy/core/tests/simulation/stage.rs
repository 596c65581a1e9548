//! The world that a scenario plays in: one agent with up to five replicas, and what control changes of it.
//!
//! In: how many replicas, how they are balanced and judged, what they are. Out: a [`World`] after another one.

use std::time::{Duration, Instant};

use outrigger_model::agent::Agent;
use outrigger_model::calls::Calls;
use outrigger_model::endpoint::{Endpoint, EndpointState};
use outrigger_model::name::{AgentName, PoolName, ReplicaId, RouteName};
use outrigger_model::pool::policy::{Breaker, Outlier, PoolPolicy};
use outrigger_model::pool::{Balance, Endpoints, Pool};
use outrigger_model::replica::Generation;
use outrigger_model::retries::{Budget, Retries};
use outrigger_model::route::{Affinity, Route, RoutePolicy};
use outrigger_model::snapshot::{Resources, Snapshot};
use outrigger_model::tag::TagSet;
use outrigger_proxy_core::world::compile::{self, compile};
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
    pub rules: Rules,
}

/// What an operator says of how replicas are judged, and how often a call is sent again.
#[derive(Debug, Clone, Copy)]
pub struct Rules {
    pub attempts: u8,
    pub failure_threshold: u32,
    pub recovery: u64,
    pub share_max_percent: u8,
    pub budget_percent: u8,
    pub budget_per_second_min: u16,
}

/// What control says of a replica.
#[derive(Debug, Clone, Copy)]
pub struct Replica {
    pub draining: bool,
    pub generation: u64,
    pub tier: u8,
}

impl Rules {
    /// What is the default more often than not.
    fn random(chance: &mut Chance) -> Self {
        Self {
            attempts: 1 + chance.below(5) as u8,
            failure_threshold: chance.of(&[5, 5, 5, 2, 0]),
            recovery: chance.of(&[30_000, 30_000, 2_000]),
            share_max_percent: chance.of(&[100, 100, 50, 20]),
            budget_percent: chance.of(&[20, 20, 20, 0]),
            budget_per_second_min: chance.of(&[10, 10, 1, 0]),
        }
    }

    fn of_pool(self) -> PoolPolicy {
        let Self { failure_threshold, recovery, share_max_percent, .. } = self;
        PoolPolicy {
            outlier: Outlier { share_max_percent, ..Outlier::default() },
            breaker: Breaker { failure_threshold, recovery: Duration::from_millis(recovery) },
            ..PoolPolicy::default()
        }
    }

    fn of_route(self) -> Retries {
        let budget = Budget { percent: self.budget_percent, per_second_min: self.budget_per_second_min };
        let tools = vec!["get_*".parse().expect("a pattern")];
        Retries { attempts: self.attempts, budget, tools, ..Retries::default() }
    }
}

impl Stage {
    pub fn random(chance: &mut Chance) -> Self {
        let tiered = chance.one_in(3);
        let count = 1 + chance.below(5);
        let replica = |_| Replica { draining: false, generation: 1, tier: u8::from(tiered && chance.one_in(2)) };
        let replicas = (0..count).map(replica).collect();
        Self {
            balance: chance.of(&[Balance::RoundRobin, Balance::LeastRequest]),
            affinity: chance.of(&[Affinity::None, Affinity::Keys, Affinity::Auto]),
            replicas,
            turn: chance.next() % 1_000,
            rules: Rules::random(chance),
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
        let (balance, policy) = (self.balance, self.rules.of_pool());
        resources.pools.insert(pool.clone(), Pool { name: pool.clone(), agent, balance, policy });
        let endpoints = self.replicas.iter().enumerate().map(|(at, replica)| endpoint(at, *replica)).collect();
        resources.endpoints.insert(pool.clone(), Endpoints { pool: pool.clone(), endpoints });
        let policy = RoutePolicy { affinity: self.affinity, retries: self.rules.of_route(), ..RoutePolicy::default() };
        resources.routes.insert(route.clone(), Route { name: route, pool, policy });
        let snapshot = Snapshot::assemble(resources).expect("a snapshot");
        let rules = compile::Rules { plaintext_beyond_loopback: false, seed: self.turn, zone: String::new() };
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
        tier: replica.tier,
        zone: String::new(),
        tool: String::new(),
        state: if replica.draining { EndpointState::Draining } else { EndpointState::Up },
    }
}
