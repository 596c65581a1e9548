//! A control on loopback, and the proxies, watchers and operators that talk to it through its ports.

use std::collections::{BTreeMap, BTreeSet};
use std::future::Future;
use std::path::Path;
use std::time::Duration;

use outrigger_config::{Environment, load_str};
use outrigger_identity::Material;
use outrigger_model::label::Labels;
use outrigger_model::resource::{ResourceKind, Token};
use outrigger_wire::kind::{MANIFEST_TYPE_URL, type_url};
use outrigger_wire::proto::discovery::aggregated_discovery_service_client::AggregatedDiscoveryServiceClient;
use outrigger_wire::proto::discovery::{DeltaDiscoveryRequest, DeltaDiscoveryResponse};
use outrigger_wire::proto::registry::facts::Fact;
use outrigger_wire::proto::registry::hint::Hint as Kind;
use outrigger_wire::proto::registry::registry_client::RegistryClient;
use outrigger_wire::proto::registry::{Facts, Hello, Hint, Refused, Replica, Report};
use outrigger_wire::proto::rpc;
use outrigger_wire::watcher::{self, Watcher as Node};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::transport::Channel;
use tonic::{Status, Streaming};

use super::*;
use crate::config::file::ControlFile;

/// Everything that is waited for must happen within this time.
pub async fn soon<T>(what: impl Future<Output = T>) -> T {
    tokio::time::timeout(Duration::from_secs(20), what).await.expect("it did not happen in time")
}

pub fn settings(folder: &Path, yaml: &str) -> Settings {
    let yaml = format!("listen: {{grpc: \"127.0.0.1:0\", http: \"127.0.0.1:0\"}}\n{yaml}");
    let file: ControlFile = load_str(&yaml, &Environment::default()).unwrap();
    Settings::try_from((file, folder)).unwrap()
}

pub async fn control(yaml: &str) -> Running {
    soon(Control::start(settings(Path::new("/"), yaml))).await.unwrap()
}

pub fn channel(control: &Running, material: Option<&Material>) -> Channel {
    outrigger_identity::channel(&control.grpc.to_string(), material).unwrap()
}

pub fn replica(id: &str) -> Replica {
    let agent = id.split_once('-').unwrap().0;
    Replica {
        id: id.to_owned(),
        agent: agent.to_owned(),
        semver: "1.0.0".to_owned(),
        address: "127.0.0.1:17006".to_owned(),
        generation: 1,
        weight: 100,
        zone: String::new(),
        serving: true,
        ..Replica::default()
    }
}

/// A report stream.
pub struct Proxy {
    facts: mpsc::Sender<Facts>,
    hints: Streaming<Hint>,
}

impl Proxy {
    pub async fn connect(channel: Channel, node: &str) -> Result<Self, Status> {
        let (facts, stream) = mpsc::channel(16);
        let proxy_says_hello = Fact::Hello(Hello { node: node.to_owned(), build: "test".to_owned() });
        facts.send(Facts { fact: Some(proxy_says_hello) }).await.unwrap();
        let hints = soon(RegistryClient::new(channel).report(ReceiverStream::new(stream))).await?.into_inner();
        let mut proxy = Self { facts, hints };
        match proxy.hint().await? {
            Kind::Welcome(_) => Ok(proxy),
            other => panic!("{other:?} instead of a welcome"),
        }
    }

    pub async fn hint(&mut self) -> Result<Kind, Status> {
        let hint = soon(self.hints.message()).await?;
        Ok(hint.ok_or_else(|| Status::aborted("the stream ended"))?.hint.unwrap())
    }

    pub async fn say(&self, fact: Fact) {
        self.facts.send(Facts { fact: Some(fact) }).await.unwrap();
    }

    /// Reports these replicas, and returns what was refused.
    pub async fn report(&mut self, replicas: Vec<Replica>) -> Vec<Refused> {
        self.say(Fact::Report(Report { replicas, calls: None })).await;
        let mut refused = Vec::new();
        loop {
            match self.hint().await.unwrap() {
                Kind::Refused(one) => refused.push(one),
                Kind::Taken(_) => return refused,
                other => panic!("{other:?} as the answer to a report"),
            }
        }
    }
}

/// One proxy with one replica of the same name, in front of the agent before the dash.
pub async fn register(control: &Running, id: &str) -> Proxy {
    let mut proxy = Proxy::connect(channel(control, None), id).await.unwrap();
    assert_eq!(proxy.report(vec![replica(id)]).await, []);
    proxy
}

pub type Tokens = BTreeMap<(String, String), String>;

/// What came between two Manifests.
#[derive(Debug, Default)]
pub struct Burst {
    /// Type and name of what came with a body.
    pub bodies: BTreeSet<(String, String)>,
    /// What came without: it still stands.
    pub standing: BTreeSet<(String, String)>,
    pub removed: BTreeSet<(String, String)>,
    /// Of the Manifest, not answered yet.
    pub nonce: String,
    pub version: String,
}

/// A discovery stream that wants everything.
pub struct Watcher {
    requests: mpsc::Sender<DeltaDiscoveryRequest>,
    responses: Streaming<DeltaDiscoveryResponse>,
    pub tokens: Tokens,
    /// The newest body of the keyring.
    pub keyring: Vec<u8>,
}

pub fn urls() -> Vec<&'static str> {
    let kinds = ResourceKind::ALL.map(type_url);
    kinds.into_iter().chain([MANIFEST_TYPE_URL]).collect()
}

impl Watcher {
    pub async fn connect(channel: Channel, node: &str, needs: &[&str], held: Tokens) -> Self {
        Self::connect_as(watcher::Role::Proxy, channel, node, needs, held).await
    }

    /// One that says which snapshot it runs.
    pub async fn running(channel: Channel, node: &str, runs: Token) -> Self {
        Self::of_running(Self::node(node, &[]), channel, Tokens::new(), Some(runs)).await
    }

    /// Why the stream was not taken.
    pub async fn refusal(&mut self) -> Status {
        self.responses.message().await.expect_err("the stream was taken")
    }

    pub async fn connect_as(role: watcher::Role, channel: Channel, node: &str, needs: &[&str], held: Tokens) -> Self {
        Self::of(Node { role, ..Self::node(node, needs) }, channel, held).await
    }

    /// A proxy of the default namespace.
    pub fn node(node: &str, needs: &[&str]) -> Node {
        Node {
            node: outrigger_model::name::NodeId::new(node).unwrap(),
            role: watcher::Role::Proxy,
            needs: needs.iter().map(|need| need.parse().unwrap()).collect(),
            namespace: Default::default(),
            build: "test".to_owned(),
            labels: Labels::default(),
            only_needs: false,
        }
    }

    /// A proxy that is labelled.
    pub async fn labelled(control: &Running, node: &str, labels: &[(&str, &str)], held: Tokens) -> Self {
        let labels = Labels::parse(labels.iter().copied()).unwrap();
        Self::of(Node { labels, ..Self::node(node, &[]) }, channel(control, None), held).await
    }

    pub async fn of(node: Node, channel: Channel, held: Tokens) -> Self {
        Self::of_running(node, channel, held, None).await
    }

    async fn of_running(node: Node, channel: Channel, held: Tokens, runs: Option<Token>) -> Self {
        let (requests, stream) = mpsc::channel(64);
        let mut node = watcher::encode(&node);
        watcher::set_holds(&mut node, runs);
        for (at, url) in urls().into_iter().enumerate() {
            let of_type = held.iter().filter(|((of, _), _)| of == url);
            let request = DeltaDiscoveryRequest {
                node: (at == 0).then(|| node.clone()),
                type_url: url.to_owned(),
                resource_names_subscribe: vec!["*".to_owned()],
                initial_resource_versions: of_type.map(|((_, name), token)| (name.clone(), token.clone())).collect(),
                ..DeltaDiscoveryRequest::default()
            };
            requests.send(request).await.unwrap();
        }
        let mut client = AggregatedDiscoveryServiceClient::new(channel);
        let responses = soon(client.delta_aggregated_resources(ReceiverStream::new(stream))).await.unwrap();
        Self { requests, responses: responses.into_inner(), tokens: held, keyring: Vec::new() }
    }

    pub async fn open(control: &Running, node: &str) -> Self {
        Self::connect(channel(control, None), node, &[], Tokens::new()).await
    }

    pub async fn next(&mut self) -> DeltaDiscoveryResponse {
        soon(self.responses.message()).await.unwrap().expect("the stream ended")
    }

    /// Reads until the stream ends, and says how.
    pub async fn end(&mut self) -> Result<Option<DeltaDiscoveryResponse>, Status> {
        loop {
            match soon(self.responses.message()).await {
                Ok(Some(response)) => self.answer(&response.type_url, &response.nonce, None).await,
                ended => return ended,
            }
        }
    }

    pub async fn answer(&self, type_url: &str, nonce: &str, refusal: Option<&str>) {
        let request = DeltaDiscoveryRequest {
            type_url: type_url.to_owned(),
            response_nonce: nonce.to_owned(),
            error_detail: refusal.map(|text| rpc::Status { code: 3, message: text.to_owned() }),
            ..DeltaDiscoveryRequest::default()
        };
        self.requests.send(request).await.unwrap();
    }

    /// Reads up to the next Manifest; everything before it is accepted.
    pub async fn burst(&mut self) -> Burst {
        let mut burst = Burst::default();
        loop {
            let response = self.next().await;
            let url = response.type_url.clone();
            for resource in response.resources {
                let key = (url.clone(), resource.name);
                if let Some(body) = resource.resource.as_ref().filter(|_| url == type_url(ResourceKind::Keyring)) {
                    self.keyring.clone_from(&body.value);
                }
                let list = if resource.resource.is_some() { &mut burst.bodies } else { &mut burst.standing };
                list.insert(key.clone());
                self.tokens.insert(key, resource.version.clone());
                burst.version = resource.version;
            }
            for name in response.removed_resources {
                self.tokens.remove(&(url.clone(), name.clone()));
                burst.removed.insert((url.clone(), name));
            }
            if url == MANIFEST_TYPE_URL {
                burst.nonce = response.nonce;
                return burst;
            }
            self.answer(&url, &response.nonce, None).await;
        }
    }

    /// The body of the first route of this name that comes.
    pub async fn route_body(&mut self, name: &str) -> Vec<u8> {
        loop {
            let response = self.next().await;
            for resource in &response.resources {
                if let Some(body) = &resource.resource
                    && response.type_url == type_url(ResourceKind::Route)
                    && resource.name == name
                {
                    return body.value.clone();
                }
            }
            self.answer(&response.type_url, &response.nonce, None).await;
        }
    }

    /// Reads and accepts bursts until what is held satisfies `until`.
    pub async fn apply_until(&mut self, until: impl Fn(&Tokens) -> bool) -> Burst {
        loop {
            let burst = self.burst().await;
            self.answer(MANIFEST_TYPE_URL, &burst.nonce, None).await;
            if until(&self.tokens) {
                return burst;
            }
        }
    }
}

pub fn key(kind: ResourceKind, name: &str) -> (String, String) {
    (type_url(kind).to_owned(), name.to_owned())
}

/// Status, content type and body of a GET.
pub async fn get(control: &Running, path: &str, host: &str) -> (u16, String, String) {
    ask(control, &format!("GET {path} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n\r\n")).await
}

/// Posts JSON to the operator API.
pub async fn post(control: &Running, path: &str, body: &str) -> (u16, serde_json::Value) {
    post_with(control, path, "", body).await
}

/// The same with further header fields, each ended by CRLF.
pub async fn post_with(control: &Running, path: &str, fields: &str, body: &str) -> (u16, serde_json::Value) {
    let length = body.len();
    let head = format!("host: 127.0.0.1\r\ncontent-type: application/json\r\n{fields}connection: close");
    let request = format!("POST {path} HTTP/1.1\r\n{head}\r\ncontent-length: {length}\r\n\r\n{body}");
    let (status, _, body) = ask(control, &request).await;
    (status, serde_json::from_str(&body).unwrap())
}

pub async fn ask(control: &Running, request: &str) -> (u16, String, String) {
    let ask = async {
        let mut tcp = tokio::net::TcpStream::connect(control.http).await.unwrap();
        tcp.write_all(request.as_bytes()).await.unwrap();
        let mut text = String::new();
        tcp.read_to_string(&mut text).await.unwrap();
        text
    };
    let text = soon(ask).await;
    let (head, body) = text.split_once("\r\n\r\n").unwrap();
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    let kind = head.lines().find_map(|line| line.strip_prefix("content-type: ")).unwrap_or_default();
    (status, kind.to_owned(), body.to_owned())
}

/// Status and body of a POST without a body; a web page's has an `origin`.
pub async fn press(control: &Running, path: &str, origin: &str) -> (u16, String) {
    let origin = if origin.is_empty() { String::new() } else { format!("origin: {origin}\r\n") };
    let head = format!("POST {path} HTTP/1.1\r\nhost: 127.0.0.1\r\n{origin}content-length: 0");
    let (status, _, body) = ask(control, &format!("{head}\r\nconnection: close\r\n\r\n")).await;
    (status, body)
}

/// Asks again until it is so.
pub async fn until(what: &str, is_so: impl AsyncFn() -> bool) {
    let asked = async {
        while !is_so().await {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    assert!(tokio::time::timeout(Duration::from_secs(20), asked).await.is_ok(), "never: {what}");
}

pub async fn json(control: &Running, path: &str) -> serde_json::Value {
    let (status, _, body) = get(control, path, "127.0.0.1").await;
    assert_eq!(status, 200, "{path}: {body}");
    serde_json::from_str(&body).unwrap()
}

/// Asks again until the answer is as it should be.
pub async fn json_until(
    control: &Running,
    path: &str,
    until: impl Fn(&serde_json::Value) -> bool,
) -> serde_json::Value {
    let mut last = serde_json::Value::Null;
    let ask = async {
        loop {
            last = json(control, path).await;
            if until(&last) {
                return;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    let done = tokio::time::timeout(Duration::from_secs(20), ask).await;
    assert!(done.is_ok(), "{path} stayed {last}");
    last
}
