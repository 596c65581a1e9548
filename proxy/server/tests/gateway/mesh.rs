//! Gateways over a world made by hand.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use outrigger_identity::Material;
use outrigger_model::agent::Agent as ModelAgent;
use outrigger_model::calls::Calls;
use outrigger_model::endpoint::{Endpoint, EndpointState};
use outrigger_model::identity::SpiffeId;
use outrigger_model::name::{AgentName, PoolName, ReplicaId, RouteName};
use outrigger_model::pool::policy::PoolPolicy;
use outrigger_model::pool::{Balance, Endpoints, Pool};
use outrigger_model::replica::Generation;
use outrigger_model::revocation::Revocations;
use outrigger_model::route::{Route, RoutePolicy};
use outrigger_model::secret::Keyring;
use outrigger_model::settings::Settings;
use outrigger_model::snapshot::{Resources, Snapshot};
use outrigger_model::tag::TagSet;
use outrigger_model::wiring::{Provider, Wiring};
use outrigger_proxy::catalog::Catalog;
use outrigger_proxy::config::settings::Aggregate;
use outrigger_proxy::gateway::{self, Elsewhere, Gateway, GatewayParts, Limits, bind};
use outrigger_proxy::lifecycle::Stop;
use outrigger_proxy::overload::Overload;
use outrigger_proxy::rates::Rates;
use outrigger_proxy::session::owners::Owners;
use outrigger_proxy::session::seals::Seals;
use outrigger_proxy::session::sessions::Sessions;
use outrigger_proxy::session::store::Store;
use outrigger_proxy::snapshot::worlds::Worlds;
use outrigger_proxy::telemetry::{Events, Metrics};
use outrigger_proxy_core::gate::{Hosts, Rules as GateRules};
use outrigger_proxy_core::mcp::facts::Caller;
use outrigger_proxy_core::outside::{Known, Outside};
use outrigger_proxy_core::world::compile::{Own, Rules, compile};
use outrigger_proxy_core::world::table::World;
use prometheus_client::registry::Registry;
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair, SanType};

/// What a world is made of: one agent, `weather`.
#[derive(Clone)]
pub struct Scene {
    pub own: Vec<(&'static str, SocketAddr)>,
    /// Further agents behind this proxy, with a pool of one replica each and no route.
    pub others: Vec<(&'static str, SocketAddr)>,
    /// The host in the URLs of own agents; none is their address.
    pub host: Option<&'static str>,
    pub peers: Vec<(&'static str, SocketAddr, Option<SpiffeId>)>,
    /// What replicas are that are not simply up.
    pub states: Vec<(&'static str, EndpointState)>,
    pub generation: u64,
    pub policy: RoutePolicy,
    pub pool_policy: PoolPolicy,
    pub balance: Balance,
    pub settings: Settings,
    pub keyring: Keyring,
    pub revocations: Revocations,
    pub limits: Limits,
    pub material: Option<Material>,
    pub shared: Option<Arc<dyn Store>>,
    pub caller: &'static str,
    /// Where whole URLs may lead.
    pub outside: Outside,
    pub tunnel_idle: Duration,
    /// How everything at once is kept; none asks no agent what it offers.
    pub aggregate: Option<Aggregate>,
    /// Most calls in flight; none lets everything in.
    pub in_flight_max: Option<u64>,
    /// The function that calls of the route are of, as the first provider calls it.
    pub function: Option<&'static str>,
    /// What replicas call it that call it otherwise.
    pub tools: Vec<(&'static str, &'static str)>,
}

pub struct Proxy {
    pub gateway: Option<Gateway>,
    pub outbound: SocketAddr,
    pub inbound: SocketAddr,
    pub worlds: Arc<Worlds>,
    pub overload: Option<Arc<Overload>>,
    metrics: Registry,
}

/// One provider of a function.
fn wiring(route: &RouteName, function: &str) -> Wiring {
    let provider = Provider {
        agent: AgentName::new("weather").expect("name"),
        replica: ReplicaId::new("weather-1").expect("name"),
        capability: "weather".parse().expect("name"),
        function: function.into(),
        version: semver::Version::new(1, 0, 0),
        tags: TagSet::default(),
        description: "".into(),
        kwargs: "".into(),
        input_schema: "".into(),
        callable: true,
    };
    Wiring { route: route.clone(), providers: vec![provider] }
}

impl Scene {
    pub fn empty() -> Self {
        Self {
            own: Vec::new(),
            others: Vec::new(),
            host: None,
            peers: Vec::new(),
            states: Vec::new(),
            generation: 1,
            policy: RoutePolicy::default(),
            pool_policy: PoolPolicy::default(),
            balance: Balance::RoundRobin,
            settings: Settings::default(),
            keyring: Keyring::default(),
            revocations: Revocations::default(),
            limits: Limits::default(),
            material: None,
            shared: None,
            caller: "planner",
            outside: Outside::default(),
            tunnel_idle: Duration::from_secs(60),
            aggregate: None,
            in_flight_max: None,
            function: None,
            tools: Vec::new(),
        }
    }

    pub fn of_own(agents: &[(&'static str, SocketAddr)]) -> Self {
        Self { own: agents.to_vec(), ..Self::empty() }
    }

    /// Lets whole URLs lead to sites as a file lists them.
    pub fn allowing(mut self, sites: &[&str]) -> Self {
        self.outside.allowed = sites.iter().map(|site| site.parse().expect("a site")).collect();
        self
    }

    /// Lets a URL stand for the route `weather`.
    pub fn knowing(mut self, site: &str, path: &str) -> Self {
        let site = site.parse().expect("a site");
        let route = RouteName::new("weather").expect("name");
        self.outside.known.push(Known { site, path: path.to_owned(), route });
        self
    }

    pub fn of_peers(peers: &[(&'static str, SocketAddr, Option<SpiffeId>)]) -> Self {
        Self { peers: peers.to_vec(), ..Self::empty() }
    }

    fn tool(&self, replica: &str) -> String {
        self.tools.iter().find(|(name, _)| *name == replica).map_or_else(String::new, |(_, tool)| (*tool).into())
    }

    pub fn world(&self, previous: &World) -> World {
        let agent = AgentName::new("weather").expect("name");
        let pool = PoolName::new("weather").expect("name");
        let route = RouteName::new("weather").expect("name");
        let endpoint = |replica: &str, address, identity| Endpoint {
            replica: ReplicaId::new(replica).expect("name"),
            address,
            identity,
            generation: Generation(self.generation),
            weight: 100,
            tier: 0,
            zone: String::new(),
            tool: self.tool(replica),
            state: self.states.iter().find(|(name, _)| *name == replica).map_or(EndpointState::Up, |(_, state)| *state),
        };
        let own = self.own.iter().map(|(replica, address)| endpoint(replica, *address, None));
        let peers = self.peers.iter().map(|(replica, address, id)| endpoint(replica, *address, id.clone()));
        let mut endpoints: Vec<Endpoint> = own.chain(peers).collect();
        endpoints.sort_by(|a, b| a.replica.cmp(&b.replica));
        let mut resources = Resources {
            settings: self.settings.clone(),
            keyring: self.keyring.clone(),
            revocations: self.revocations.clone(),
            ..Resources::default()
        };
        resources.agents.insert(
            agent.clone(),
            ModelAgent {
                name: agent.clone(),
                version: semver::Version::new(1, 0, 0),
                tags: TagSet::default(),
                pool: pool.clone(),
                keys: Vec::new(),
                repeatable: Vec::new(),
                calls: Calls::default(),
            },
        );
        let (balance, policy) = (self.balance, self.pool_policy.clone());
        resources.pools.insert(pool.clone(), Pool { name: pool.clone(), agent: agent.clone(), balance, policy });
        resources.endpoints.insert(pool.clone(), Endpoints { pool: pool.clone(), endpoints });
        resources.wirings.extend(self.function.map(|function| (route.clone(), wiring(&route, function))));
        resources.routes.insert(route.clone(), Route { name: route, pool, policy: self.policy.clone() });
        for (name, address) in &self.others {
            let (agent, pool) = (AgentName::new(name).expect("name"), PoolName::new(name).expect("name"));
            let (balance, policy) = (Balance::RoundRobin, PoolPolicy::default());
            let endpoints = vec![endpoint(name, *address, None)];
            resources.pools.insert(pool.clone(), Pool { name: pool.clone(), agent, balance, policy });
            resources.endpoints.insert(pool.clone(), Endpoints { pool, endpoints });
        }
        let others = self.others.iter().map(|(name, address)| (AgentName::new(name).expect("name"), name, address));
        let own = self.own.iter().map(|(replica, address)| (agent.clone(), replica, address));
        let own: Vec<Own> = own
            .chain(others)
            .map(|(agent, replica, address)| Own {
                replica: ReplicaId::new(replica).expect("name"),
                agent,
                upstream: match self.host {
                    Some(host) => format!("http://{host}:{}/mcp", address.port()).parse().expect("a URL"),
                    None => format!("http://{address}/mcp").parse().expect("a URL"),
                },
                generation: Generation(self.generation),
                serving: true,
            })
            .collect();
        let snapshot = Snapshot::assemble(resources).expect("a snapshot");
        let rules = Rules { plaintext_beyond_loopback: false, seed: 0, zone: String::new() };
        compile(&snapshot, None, &own, rules, previous, Instant::now()).expect("a world")
    }

    pub fn start(&self) -> Proxy {
        let worlds = Arc::new(Worlds::new(self.world(&World::default())));
        let rules = GateRules {
            hosts: Some(Hosts { forwards: true, ..Hosts::default() }),
            headers_max: 100,
            header_bytes_max: 65_536,
        };
        let any = "127.0.0.1:0".parse().expect("address");
        let (outbound, inbound) = (bind(any).expect("bind"), bind(any).expect("bind"));
        let listeners = [&outbound, &inbound].map(|listener| listener.local_addr().expect("address"));
        let elsewhere = Elsewhere {
            outside: self.outside.clone(),
            outbound_port: listeners[0].port(),
            listeners: listeners.to_vec(),
            tunnel_idle: self.tunnel_idle,
        };
        let mut metrics = Registry::default();
        let events = Arc::new(Events::new(Metrics::register(&mut metrics)));
        let settings = self.aggregate.unwrap_or_default();
        let catalog = Catalog::new(Arc::clone(&worlds), Arc::clone(&events), settings, &Caller::new(self.caller));
        let catalog = Arc::new(catalog);
        if self.aggregate.is_some() {
            tokio::spawn(Arc::clone(&catalog).run(Stop::new()));
        }
        let overload = self.in_flight_max.map(|max| Arc::new(Overload::new(Some(max), Arc::clone(&events))));
        let parts = GatewayParts {
            rates: Rates::new(None, Arc::clone(&events)),
            overload: overload.clone(),
            worlds: Arc::clone(&worlds),
            sessions: Arc::new(Sessions::new(1_000, self.shared.clone(), Arc::clone(&events))),
            owners: Arc::new(Owners::new(1_000)),
            openings: Arc::default(),
            seals: Seals::new(),
            events,
            caller: Caller::new(self.caller),
            inbound_rules: GateRules { hosts: None, ..rules.clone() },
            outbound_rules: rules,
            elsewhere,
            announced: Arc::default(),
            limits: self.limits,
            catalog: Arc::clone(&catalog),
            facade: None,
        };
        let gateway = gateway::start(Arc::new(parts), self.material.as_ref(), outbound, inbound).expect("a gateway");
        let (outbound, inbound) = (gateway.outbound.address, gateway.inbound.address);
        Proxy { outbound, inbound, gateway: Some(gateway), worlds, overload, metrics }
    }
}

impl Proxy {
    /// Puts another world in place.
    pub fn show(&self, scene: &Scene) {
        self.worlds.replace(scene.world(&self.worlds.current()));
    }

    /// The value of one metric, as it stands before the last space of its line.
    pub fn metric(&self, name: &str) -> u64 {
        let mut text = String::new();
        prometheus_client::encoding::text::encode(&mut text, &self.metrics).expect("text");
        let value = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
        value.map_or(0, |value| value.parse().expect("a count"))
    }

    /// How many calls were refused so far, by reason.
    pub fn refusals(&self) -> BTreeMap<String, u64> {
        let mut text = String::new();
        prometheus_client::encoding::text::encode(&mut text, &self.metrics).expect("text");
        let lines = text.lines().filter_map(|line| line.strip_prefix("outrigger_refusals_total{reason=\""));
        let parts = lines.filter_map(|line| line.split_once("\"} "));
        parts.map(|(reason, count)| (reason.to_owned(), count.parse().expect("a count"))).collect()
    }

    /// What a counter stands at; `line` is its name with its labels.
    pub fn count(&self, line: &str) -> u64 {
        let mut text = String::new();
        prometheus_client::encoding::text::encode(&mut text, &self.metrics).expect("text");
        let found = text.lines().find_map(|written| written.strip_prefix(line)?.strip_prefix(' ')?.parse().ok());
        found.unwrap_or_default()
    }

    pub async fn stop(&mut self, grace: Duration) {
        let Some(Gateway { outbound, inbound }) = self.gateway.take() else { return };
        tokio::join!(outbound.stop(grace), inbound.stop(grace));
    }
}

/// An address on which nobody listens, for as long as the test runs.
pub fn closed_port() -> SocketAddr {
    let socket = tokio::net::TcpSocket::new_v4().expect("a socket");
    socket.bind("127.0.0.1:0".parse().expect("address")).expect("bind");
    let address = socket.local_addr().expect("address");
    // A socket that is bound and does not listen refuses connections, and keeps others from taking its port.
    std::mem::forget(socket);
    address
}

pub struct Authority {
    issuer: Issuer<'static, KeyPair>,
    pem: String,
}

impl Authority {
    pub fn new() -> Self {
        let key = KeyPair::generate().expect("key");
        let mut parameters = CertificateParams::default();
        parameters.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let pem = parameters.self_signed(&key).expect("root").pem();
        Self { issuer: Issuer::new(parameters, key), pem }
    }

    pub fn issue(&self, id: &str) -> Material {
        let key = KeyPair::generate().expect("key");
        let mut parameters = CertificateParams::default();
        parameters.subject_alt_names = vec![SanType::URI(id.try_into().expect("ascii"))];
        let certificate = parameters.signed_by(&key, &self.issuer).expect("certificate");
        Material::from_pem(&certificate.pem(), &key.serialize_pem(), &self.pem).expect("material")
    }
}
