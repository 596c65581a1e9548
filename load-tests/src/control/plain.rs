//! Plain watchers: raw delta streams with a connection each, that acknowledge what comes and compute nothing.
//!
//! In: control, how many, what each asks for. Out: who acknowledged which snapshot when, and who is connected.
//! Never here: what a snapshot means; `watchers` has clients that verify it.
//! Invariant: each comes again by itself, says what it holds, and obeys control where that says when.

use std::collections::{BTreeMap, HashMap};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use outrigger_model::resource::ResourceKind;
use outrigger_wire::kind::{MANIFEST_TYPE_URL, type_url};
use outrigger_wire::proto::discovery::aggregated_discovery_service_client::AggregatedDiscoveryServiceClient;
use outrigger_wire::proto::discovery::{DeltaDiscoveryRequest, DeltaDiscoveryResponse, Node};
use tokio::runtime::{Builder, Runtime};
use tokio::sync::{mpsc, watch};
use tokio_stream::wrappers::ReceiverStream;
use tonic::Status;
use tonic::transport::Endpoint;

use super::error::ControlError;

/// Things told that wait to be counted.
const WAITING_MAX: usize = 65_536;
/// Watchers that are started at the same time.
const AT_ONCE: usize = 64;
const REQUESTS_MAX: usize = 16;
const RETRY_LONGEST: Duration = Duration::from_secs(2);

/// What each watcher subscribes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Asks {
    /// The one type that moves fast.
    Endpoints,
    /// All types and the Manifest, as a proxy does.
    Everything,
}

#[derive(Debug, Clone, Copy)]
pub enum Told {
    /// Control took its stream.
    Open,
    /// It acknowledged something of this snapshot; of those that ask for everything, the Manifest.
    Acknowledged(u64),
}

#[derive(Debug)]
pub struct Plain {
    told: mpsc::Receiver<(usize, Told, Instant)>,
    /// Streams of each that control took.
    opened: Vec<u32>,
    serials: Vec<u64>,
    /// The one that reads nothing any more.
    stalled: watch::Sender<Option<usize>>,
    /// None once it is being ended.
    runtime: Option<Runtime>,
}

impl Drop for Plain {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

impl Plain {
    /// Starts so many, all of which are connected and have acknowledged what there was when this returns.
    pub async fn start(control: SocketAddr, count: usize, asks: Asks, serial: u64) -> Result<Self, ControlError> {
        let (tell, told) = mpsc::channel(WAITING_MAX);
        let (stalled, stall) = watch::channel(None);
        let runtime = Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
        let mut plain = Self { told, opened: Vec::new(), serials: Vec::new(), stalled, runtime: Some(runtime) };
        let address: Arc<str> = Arc::from(format!("http://{control}"));
        for first in (0..count).step_by(AT_ONCE) {
            for at in first..count.min(first + AT_ONCE) {
                plain.opened.push(0);
                plain.serials.push(0);
                let one = One {
                    at,
                    address: Arc::clone(&address),
                    asks,
                    held: BTreeMap::new(),
                    tell: tell.clone(),
                    stall: stall.clone(),
                };
                if let Some(runtime) = &plain.runtime {
                    runtime.spawn(one.run());
                }
            }
            plain.all_have(serial, None).await?;
        }
        Ok(plain)
    }

    /// From now on this one takes nothing.
    pub fn stall(&self, at: usize) {
        self.stalled.send_replace(Some(at));
    }

    /// Waits until all but `without` acknowledged this snapshot or a later one; when each did.
    pub async fn all_have(&mut self, serial: u64, without: Option<usize>) -> Result<Vec<Instant>, ControlError> {
        let mut came = Vec::with_capacity(self.serials.len());
        let is_late = |(at, has): (usize, &u64)| *has < serial && Some(at) != without;
        let mut missing = self.serials.iter().enumerate().filter(|one| is_late(*one)).count();
        while missing > 0 {
            let Heard { at, before, when, .. } = self.hear().await?;
            let has = self.serials.get(at).copied().unwrap_or_default();
            if before < serial && has >= serial && Some(at) != without {
                missing -= 1;
                came.push(when);
            }
        }
        Ok(came)
    }

    /// Waits until control took so many streams of everybody but `without`, one after the other; the time of the last.
    pub async fn all_opened(&mut self, times: u32, without: usize) -> Result<Instant, ControlError> {
        let mut last = Instant::now();
        let is_late = |(at, opened): &(usize, &u32)| **opened < times && *at != without;
        let mut missing = self.opened.iter().enumerate().filter(is_late).count();
        while missing > 0 {
            let Heard { at, opens, when, .. } = self.hear().await?;
            if opens == Some(times) && at != without {
                missing -= 1;
                last = when;
            }
        }
        Ok(last)
    }

    async fn hear(&mut self) -> Result<Heard, ControlError> {
        let gone = || ControlError::Wrong("the watchers are gone".to_owned());
        let (at, told, when) = self.told.recv().await.ok_or_else(gone)?;
        let (Some(opened), Some(has)) = (self.opened.get_mut(at), self.serials.get_mut(at)) else { return Err(gone()) };
        let before = *has;
        let mut opens = None;
        match told {
            Told::Open => {
                *opened += 1;
                opens = Some(*opened);
            }
            Told::Acknowledged(serial) => *has = serial.max(before),
        }
        Ok(Heard { at, before, opens, when })
    }
}

/// One thing told.
struct Heard {
    at: usize,
    /// What it had acknowledged before.
    before: u64,
    /// Which of its streams this is, if it just opened.
    opens: Option<u32>,
    when: Instant,
}

struct One {
    at: usize,
    address: Arc<str>,
    asks: Asks,
    /// By type and name, the version.
    held: BTreeMap<String, HashMap<String, String>>,
    tell: mpsc::Sender<(usize, Told, Instant)>,
    stall: watch::Receiver<Option<usize>>,
}

impl One {
    async fn run(mut self) {
        let mut failures = 0;
        loop {
            let ended = self.stream(&mut failures).await;
            if self.tell.is_closed() {
                return;
            }
            let own = Duration::from_millis(50 << failures.min(6)).min(RETRY_LONGEST).mul_f64(fastrand::f64());
            failures += 1;
            tokio::time::sleep(ended.as_ref().err().and_then(pushback).unwrap_or_default() + own).await;
        }
    }

    async fn stream(&mut self, failures: &mut u32) -> Result<(), Status> {
        let endpoint =
            Endpoint::from_shared(self.address.to_string()).map_err(|bad| Status::unknown(bad.to_string()))?;
        let endpoint = endpoint.tcp_nodelay(true).connect_timeout(Duration::from_secs(10));
        let channel = endpoint.connect().await.map_err(|bad| Status::unknown(bad.to_string()))?;
        let (requests, outbox) = mpsc::channel(REQUESTS_MAX);
        for request in self.first() {
            requests.send(request).await.map_err(|_| Status::cancelled(""))?;
        }
        let mut client = AggregatedDiscoveryServiceClient::new(channel);
        let mut answers = client.delta_aggregated_resources(ReceiverStream::new(outbox)).await?.into_inner();
        let mut is_open = false;
        if self.asks == Asks::Endpoints {
            is_open = true;
            self.told(Told::Open).await?;
        }
        while let Some(answer) = answers.message().await? {
            *failures = 0;
            if *self.stall.borrow() == Some(self.at) {
                std::future::pending::<()>().await;
            }
            if !is_open {
                is_open = true;
                self.told(Told::Open).await?;
            }
            let (serial, is_last, ack) = self.take(answer);
            requests.send(ack).await.map_err(|_| Status::cancelled(""))?;
            if is_last && let Some(serial) = serial {
                self.told(Told::Acknowledged(serial)).await?;
            }
        }
        Ok(())
    }

    async fn told(&self, told: Told) -> Result<(), Status> {
        self.tell.send((self.at, told, Instant::now())).await.map_err(|_| Status::cancelled("nobody counts any more"))
    }

    fn first(&self) -> Vec<DeltaDiscoveryRequest> {
        let kinds: Vec<&str> = match self.asks {
            Asks::Endpoints => vec![type_url(ResourceKind::Endpoints)],
            Asks::Everything => ResourceKind::ALL.into_iter().map(type_url).chain([MANIFEST_TYPE_URL]).collect(),
        };
        let node = Node { id: format!("plain-{}", self.at), ..Node::default() };
        let requests = kinds.into_iter().enumerate().map(|(place, url)| DeltaDiscoveryRequest {
            node: (place == 0).then(|| node.clone()),
            type_url: url.to_owned(),
            resource_names_subscribe: vec!["*".to_owned()],
            initial_resource_versions: self.held.get(url).cloned().unwrap_or_default(),
            ..DeltaDiscoveryRequest::default()
        });
        requests.collect()
    }

    /// The snapshot that an answer belongs to, whether it is the last of it, and its acknowledgement.
    fn take(&mut self, answer: DeltaDiscoveryResponse) -> (Option<u64>, bool, DeltaDiscoveryRequest) {
        let serial = answer.nonce.split('.').next().and_then(|serial| serial.parse().ok());
        let is_last = self.asks == Asks::Endpoints || answer.type_url == MANIFEST_TYPE_URL;
        let held = self.held.entry(answer.type_url.clone()).or_default();
        for resource in answer.resources {
            held.insert(resource.name, resource.version);
        }
        for name in answer.removed_resources {
            held.remove(&name);
        }
        let ack = DeltaDiscoveryRequest {
            type_url: answer.type_url,
            response_nonce: answer.nonce,
            ..DeltaDiscoveryRequest::default()
        };
        (serial, is_last, ack)
    }
}

fn pushback(status: &Status) -> Option<Duration> {
    let millis = status.metadata().get("grpc-retry-pushback-ms")?.to_str().ok()?.parse().ok()?;
    Some(Duration::from_millis(millis))
}
