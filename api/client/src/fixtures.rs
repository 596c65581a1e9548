//! A mesh that tests can edit, and control as a model: what it publishes, and the bursts it would send.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use outrigger_model::endpoint::{Endpoint, EndpointState};
use outrigger_model::label::Labels;
use outrigger_model::manifest::Manifest;
use outrigger_model::name::{AgentName, NodeId, PoolName, ReplicaId, RouteName};
use outrigger_model::pool::policy::PoolPolicy;
use outrigger_model::pool::{Balance, Endpoints, Pool};
use outrigger_model::replica::Generation;
use outrigger_model::resource::{Epoch, ResourceKind, Serial, Token};
use outrigger_model::route::{Route, RoutePolicy};
use outrigger_model::snapshot::Kinds;
use outrigger_wire::body::Bodies;
use outrigger_wire::kind::{MANIFEST_TYPE_URL, kind_of, type_url};
use outrigger_wire::manifest;
use outrigger_wire::proto::discovery::{DeltaDiscoveryRequest, DeltaDiscoveryResponse};
use outrigger_wire::watcher::{Role, Watcher};

type Tokens = BTreeMap<(ResourceKind, Arc<str>), Token>;

pub fn watcher() -> Watcher {
    let needs = vec!["forecast=weather ^1.2 +eu".parse().unwrap()];
    let (node, namespace, labels) = (NodeId::new("caller-1").unwrap(), Default::default(), Labels::default());
    Watcher { node, role: Role::Proxy, needs, namespace, build: "test".into(), labels, only_needs: false }
}

/// One pool with one endpoint of a weight, and a route to it.
pub fn add(resources: &mut Kinds, name: &str, weight: u16) {
    let pool = PoolName::new(name).unwrap();
    let route = RouteName::new(name).unwrap();
    let endpoint = Endpoint {
        replica: ReplicaId::new(&format!("{name}-1")).unwrap(),
        address: "10.0.0.5:17006".parse().unwrap(),
        identity: None,
        generation: Generation(1),
        weight,
        tier: 0,
        zone: String::new(),
        tool: String::new(),
        state: EndpointState::Up,
    };
    let agent = AgentName::new(name).unwrap();
    resources.pools.insert(
        pool.clone(),
        Pool { name: pool.clone(), agent, balance: Balance::default(), policy: PoolPolicy::default() },
    );
    resources.endpoints.insert(pool.clone(), Endpoints { pool: pool.clone(), endpoints: vec![endpoint] });
    resources.routes.insert(route.clone(), Route { name: route, pool, policy: RoutePolicy::default() });
}

pub fn remove(resources: &mut Kinds, name: &str) {
    resources.pools.remove(name);
    resources.endpoints.remove(name);
    resources.routes.remove(name);
}

/// Control: one view, one watcher.
#[derive(Debug)]
pub struct ModelControl {
    pub resources: Kinds,
    pub epoch: Epoch,
    pub serial: Serial,
    bodies: Bodies,
    tokens: Tokens,
    /// What the watcher holds, as far as its reports and ACKs of manifests say.
    acked: BTreeMap<(ResourceKind, Arc<str>), String>,
    nonces: u64,
}

impl ModelControl {
    pub fn new() -> Self {
        let mut control = Self {
            resources: Kinds::default(),
            epoch: Epoch(1),
            serial: Serial(0),
            bodies: Bodies::default(),
            tokens: Tokens::new(),
            acked: BTreeMap::new(),
            nonces: 0,
        };
        control.publish(|_| {});
        control
    }

    /// Edits the mesh and publishes the result under the next serial.
    pub fn publish(&mut self, edit: impl FnOnce(&mut Kinds)) {
        edit(&mut self.resources);
        self.serial = Serial(self.serial.0 + 1);
        let bodies = Bodies::of(&self.resources);
        let mut tokens = Tokens::new();
        for body in bodies.iter() {
            let key = (body.kind, body.name.clone());
            let same = self.bodies.get(body.kind, &body.name).is_some_and(|old| old.digest == body.digest);
            let kept = self.tokens.get(&key).filter(|_| same).copied();
            let token = kept.unwrap_or_else(|| Token::new(self.epoch, self.serial, &body.digest));
            tokens.insert(key, token);
        }
        (self.bodies, self.tokens) = (bodies, tokens);
    }

    /// Control lost its store: new epoch, serials from the start, the same mesh.
    pub fn lose_store(&mut self) {
        self.epoch = Epoch(self.epoch.0 + 1);
        self.serial = Serial(0);
        self.bodies = Bodies::default();
        self.tokens.clear();
        self.publish(|_| {});
    }

    pub fn manifest(&self) -> Manifest {
        let made_at = SystemTime::UNIX_EPOCH + Duration::from_secs(1_800_000_000);
        manifest::of(&self.bodies, self.epoch, self.serial, made_at, "a test")
    }

    /// A stream opened: what the watcher says it holds.
    pub fn open(&mut self, requests: &[DeltaDiscoveryRequest]) {
        self.acked.clear();
        for request in requests {
            let Some(kind) = kind_of(&request.type_url) else { continue };
            for (name, token) in &request.initial_resource_versions {
                self.acked.insert((kind, Arc::from(name.as_str())), token.clone());
            }
        }
    }

    /// Changes of all kinds, then the manifest.
    pub fn burst(&mut self) -> Vec<DeltaDiscoveryResponse> {
        let mut burst = Vec::new();
        for kind in ResourceKind::ALL {
            let changed = self.bodies.of_kind(kind).filter_map(|body| {
                let key = (kind, body.name.clone());
                let token = self.tokens[&key];
                (self.acked.get(&key) != Some(&token.to_string())).then(|| body.envelope(&token))
            });
            let resources: Vec<_> = changed.collect();
            let gone = self.acked.keys().filter(|(of, name)| *of == kind && self.bodies.get(kind, name).is_none());
            let removed_resources: Vec<_> = gone.map(|(_, name)| name.to_string()).collect();
            if !resources.is_empty() || !removed_resources.is_empty() {
                let nonce = self.nonce();
                let type_url = type_url(kind).to_owned();
                burst.push(DeltaDiscoveryResponse {
                    type_url,
                    resources,
                    removed_resources,
                    nonce,
                    ..Default::default()
                });
            }
        }
        let (nonce, resources) = (self.nonce(), vec![manifest::envelope(&self.manifest())]);
        burst.push(DeltaDiscoveryResponse {
            type_url: MANIFEST_TYPE_URL.into(),
            resources,
            nonce,
            ..Default::default()
        });
        burst
    }

    /// The watcher acknowledged the manifest.
    pub fn acknowledged(&mut self) {
        let held = self.tokens.iter().map(|(key, token)| (key.clone(), token.to_string()));
        self.acked = held.collect();
    }

    fn nonce(&mut self) -> String {
        self.nonces += 1;
        format!("{}.{}", self.serial, self.nonces)
    }
}
