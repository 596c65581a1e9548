//! A small mesh for tests of this crate.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use outrigger_model::agent::Agent;
use outrigger_model::calls::Calls;
use outrigger_model::endpoint::{Endpoint, EndpointState};
use outrigger_model::name::{AgentName, PoolName, ReplicaId, RouteName};
use outrigger_model::pool::policy::PoolPolicy;
use outrigger_model::pool::{Balance, Endpoints, Pool};
use outrigger_model::replica::Generation;
use outrigger_model::route::{Route, RoutePolicy};
use outrigger_model::snapshot::Resources;
use outrigger_model::tag::TagSet;
use semver::Version;

/// One agent `weather` with one plaintext replica `weather-1` at `address`, and a route of its name.
pub(crate) fn mesh(address: &str) -> Resources {
    let pool = PoolName::new("weather").expect("a name");
    let agent = AgentName::new("weather").expect("a name");
    let route = RouteName::new("weather").expect("a name");
    let endpoint = Endpoint {
        replica: ReplicaId::new("weather-1").expect("a name"),
        address: address.parse::<SocketAddr>().expect("an address"),
        identity: None,
        generation: Generation(1),
        weight: 100,
        tier: 0,
        zone: String::new(),
        tool: String::new(),
        state: EndpointState::Up,
    };
    Resources {
        agents: BTreeMap::from([(
            agent.clone(),
            Agent {
                name: agent.clone(),
                version: Version::new(1, 0, 0),
                tags: TagSet::default(),
                pool: pool.clone(),
                keys: Vec::new(),
                repeatable: Vec::new(),
                calls: Calls::default(),
            },
        )]),
        pools: BTreeMap::from([(
            pool.clone(),
            Pool { name: pool.clone(), agent, balance: Balance::LeastRequest, policy: PoolPolicy::default() },
        )]),
        endpoints: BTreeMap::from([(pool.clone(), Endpoints { pool: pool.clone(), endpoints: vec![endpoint] })]),
        routes: BTreeMap::from([(route.clone(), Route { name: route, pool, policy: RoutePolicy::default() })]),
        ..Resources::default()
    }
}
