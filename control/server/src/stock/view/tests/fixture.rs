//! A snapshot of a few words, and its translation decoded again.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};

use envoy_types::pb::envoy::config::cluster::v3::Cluster;
use envoy_types::pb::envoy::config::endpoint::v3::ClusterLoadAssignment;
use envoy_types::pb::envoy::config::route::v3::RouteConfiguration;
use outrigger_model::endpoint::{Endpoint, EndpointState};
use outrigger_model::identity::TrustDomain;
use outrigger_model::name::{AgentName, PoolName, ReplicaId, RouteName};
use outrigger_model::pool::{Balance, Endpoints, Pool};
use outrigger_model::replica::Generation;
use outrigger_model::route::{Route, RoutePolicy};
use outrigger_model::snapshot::{Resources, Snapshot};
use outrigger_model::traffic::Share;
use prost::Message;

use super::*;
use crate::stock::dialect::Envoy;

/// `weather` and `weather-next` are pools of one agent, `shadow` is one of another; `shop` leads to `weather`.
pub struct Mesh {
    resources: Resources,
    pub dialect: Dialect,
    pub trust: Option<Trust>,
}

pub fn share(pool: &str, weight: u16) -> Share {
    Share { pool: PoolName::new(pool).unwrap(), weight }
}

pub fn endpoint(replica: &str, port: u16) -> Endpoint {
    Endpoint {
        replica: ReplicaId::new(replica).unwrap(),
        address: SocketAddr::from((Ipv4Addr::LOCALHOST, port)),
        identity: None,
        generation: Generation(1),
        weight: 100,
        state: EndpointState::Up,
        tier: 0,
        zone: String::new(),
        tool: String::new(),
    }
}

impl Mesh {
    pub fn new() -> Self {
        let mut mesh = Self { resources: Resources::default(), dialect: Dialect::Envoy(Envoy::default()), trust: None };
        for (pool, agent) in [("weather", "weather"), ("weather-next", "weather"), ("shadow", "shadow")] {
            let (name, agent) = (PoolName::new(pool).unwrap(), AgentName::new(agent).unwrap());
            mesh.resources.endpoints.insert(name.clone(), Endpoints { pool: name.clone(), endpoints: vec![] });
            let pool = Pool { name: name.clone(), agent, balance: Balance::RoundRobin, policy: Default::default() };
            mesh.resources.pools.insert(name, pool);
        }
        mesh.route(|_| {})
    }

    pub fn grpc() -> Self {
        Self { dialect: Dialect::Grpc, ..Self::new() }
    }

    pub fn with_identities(self) -> Self {
        let domain = TrustDomain::new("mesh.example").unwrap();
        Self { trust: Some(Trust { domain, authority: "PEM".to_owned() }), ..self }
    }

    pub fn listening(self, at: &str) -> Self {
        Self { dialect: Dialect::Envoy(Envoy { listen: at.parse().unwrap(), ..Envoy::default() }), ..self }
    }

    pub fn route(mut self, change: impl FnOnce(&mut RoutePolicy)) -> Self {
        let mut policy = RoutePolicy::default();
        change(&mut policy);
        let (name, pool) = (RouteName::new("shop").unwrap(), PoolName::new("weather").unwrap());
        self.resources.routes.insert(name.clone(), Route { name, pool, policy });
        self
    }

    pub fn pool(mut self, change: impl FnOnce(&mut Pool)) -> Self {
        change(self.resources.pools.get_mut(&PoolName::new("weather").unwrap()).unwrap());
        self
    }

    pub fn endpoints(mut self, pool: &str, endpoints: Vec<Endpoint>) -> Self {
        self.resources.endpoints.get_mut(&PoolName::new(pool).unwrap()).unwrap().endpoints = endpoints;
        self
    }

    pub fn drafts(&self) -> Vec<Draft> {
        let snapshot = Snapshot::assemble(self.resources.clone()).unwrap();
        translate(&snapshot, &self.dialect, self.trust.as_ref())
    }

    pub fn draft(&self, kind: Kind, name: &str) -> Draft {
        self.drafts().into_iter().find(|draft| draft.kind == kind && &*draft.name == name).expect(name)
    }

    pub fn read<T: Message + Default>(&self, kind: Kind, name: &str) -> T {
        T::decode(self.draft(kind, name).body).unwrap()
    }

    pub fn cluster(&self, name: &str) -> Cluster {
        self.read(Kind::Cluster, name)
    }

    pub fn assignment(&self, name: &str) -> ClusterLoadAssignment {
        self.read(Kind::Endpoints, name)
    }

    pub fn routes(&self) -> RouteConfiguration {
        self.read(Kind::Route, "outrigger")
    }

    pub fn names(&self) -> BTreeMap<Kind, Vec<String>> {
        let mut names: BTreeMap<Kind, Vec<String>> = BTreeMap::new();
        for draft in self.drafts() {
            names.entry(draft.kind).or_default().push(draft.name.to_string());
        }
        names
    }
}
