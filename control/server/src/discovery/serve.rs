//! The aggregated discovery service: deltas of our own types here, everything that stock clients ask for in `stock`.
//!
//! In: gRPC streams of watchers. Out: a task per stream, within limits.
//! Never here: standard types, and the state-of-the-world variant, which is for them only.
//! Invariant: nobody is answered before the first snapshot is published, and no stream waits for another.

use std::convert::Infallible;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use outrigger_control_core::snapshot::scope::Scope;
use outrigger_wire::proto::discovery::DeltaDiscoveryRequest;
use outrigger_wire::watcher::{self, Watcher};
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::body::Body;
use tonic::codegen::{BoxFuture, Service};
use tonic::server::{Grpc, NamedService, StreamingService};
use tonic::{Request, Response, Status, Streaming};

use crate::authn::{Peer, Plaintext, peer};
use crate::discovery::behind::catch_up;
use crate::discovery::codec::{DiscoveryCodec, Message};
use crate::discovery::protection::Protection;
use crate::discovery::stream::{Session, serve};
use crate::discovery::watchers::{Place, Watchers, Who};
use crate::lifecycle::Lifecycle;
use crate::publish::publisher::{ViewError, Views};
use crate::stock::serve::{Stock, is_for};
use crate::telemetry::metrics::{Metrics, ReasonLabel};
use crate::writer::Writer;

const DELTA: &str = "/envoy.service.discovery.v3.AggregatedDiscoveryService/DeltaAggregatedResources";
const SOTW: &str = "/envoy.service.discovery.v3.AggregatedDiscoveryService/StreamAggregatedResources";
/// A stream that does not say who it is within this time is let go.
const FIRST_REQUEST_WITHIN: Duration = Duration::from_secs(10);
/// Frames handed to the connection ahead of what its window takes.
const FRAMES_IN_FLIGHT_MAX: usize = 4;

/// Cheap to clone; tonic clones it per request.
#[derive(Debug, Clone)]
pub struct Discovery {
    pub views: Views,
    pub watchers: Watchers,
    pub writer: Writer,
    pub metrics: Metrics,
    pub protection: Protection,
    pub lifecycle: Lifecycle,
    pub plaintext: Plaintext,
    pub stock: Stock,
}

impl NamedService for Discovery {
    const NAME: &'static str = "envoy.service.discovery.v3.AggregatedDiscoveryService";
}

impl Service<http::Request<Body>> for Discovery {
    type Response = http::Response<Body>;
    type Error = Infallible;
    type Future = BoxFuture<Self::Response, Infallible>;

    fn poll_ready(&mut self, _cx: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: http::Request<Body>) -> Self::Future {
        let service = Delta(self.clone());
        Box::pin(async move {
            Ok(match request.uri().path() {
                DELTA => Grpc::new(DiscoveryCodec).streaming(service, request).await,
                SOTW => service.0.stock.state_of_the_world(request).await,
                _ => Status::unimplemented("there is no such method").into_http(),
            })
        })
    }
}

struct Delta(Discovery);

impl StreamingService<DeltaDiscoveryRequest> for Delta {
    type Response = Message;
    type ResponseStream = ReceiverStream<Result<Message, Status>>;
    type Future = BoxFuture<Response<Self::ResponseStream>, Status>;

    fn call(&mut self, request: Request<Streaming<DeltaDiscoveryRequest>>) -> Self::Future {
        let discovery = self.0.clone();
        Box::pin(async move { discovery.open(request) })
    }
}

impl Discovery {
    fn open(
        self,
        request: Request<Streaming<DeltaDiscoveryRequest>>,
    ) -> Result<Response<ReceiverStream<Result<Message, Status>>>, Status> {
        if self.lifecycle.stopping().is_cancelled() {
            return Err(Status::unavailable("control is stopping"));
        }
        let peer = peer(request.extensions(), self.plaintext).inspect_err(|_| self.count("identity"))?;
        self.protection.admit(Instant::now()).inspect_err(|_| self.count("rate"))?;
        let (out, answers) = mpsc::channel(FRAMES_IN_FLIGHT_MAX);
        let tasks = self.lifecycle.tasks().clone();
        // The head of the answer must not wait for the first request: clients may wait for it before they send one.
        tasks.spawn(async move {
            let mut requests = request.into_inner();
            let begun = match self.first(&mut requests).await {
                Ok(None) => return,
                Ok(Some(first)) if is_for(&first) => return self.stock.visit(peer, first, requests, out).await,
                Ok(Some(first)) => self.begin(peer, &first).await.map(|session| (session, first)),
                Err(status) => Err(status),
            };
            match begun {
                Ok((session, first)) => serve(session, first, requests, out).await,
                Err(status) => drop(out.send(Err(status)).await),
            }
        });
        Ok(Response::new(ReceiverStream::new(answers)))
    }

    /// None: the client went.
    async fn first(
        &self,
        requests: &mut Streaming<DeltaDiscoveryRequest>,
    ) -> Result<Option<DeltaDiscoveryRequest>, Status> {
        let first = tokio::select! {
            () = self.lifecycle.stopping().cancelled() => return Err(Status::unavailable("control is stopping")),
            first = tokio::time::timeout(FIRST_REQUEST_WITHIN, requests.message()) => first,
        };
        first.map_err(|_| Status::deadline_exceeded("no request within 10 s"))?
    }

    /// Finds the stream's view.
    async fn begin(self, peer: Peer, first: &DeltaDiscoveryRequest) -> Result<Session, Status> {
        let refuse = |reason, status| {
            self.count(reason);
            Err(status)
        };
        let node = first.node.clone().unwrap_or_default();
        let holds = watcher::holds(&node);
        let Watcher { node, role, needs, namespace, build, labels, only_needs } = match watcher::decode(&node) {
            Ok(watcher) => watcher,
            Err(bad) => return refuse("node", Status::invalid_argument(bad.to_string())),
        };
        let needs: Vec<String> = needs.iter().map(ToString::to_string).collect();
        let mut lanes = self.views.lanes();
        let lane = lanes.borrow_and_update().lane(&node, &labels);
        let scope = match Scope::parse(&needs) {
            Ok(scope) => scope.within(namespace).seeing(only_needs.into()).of(peer.audience(role)).on(lane),
            Err(bad) => return refuse("needs", Status::invalid_argument(format!("node.metadata.{bad}"))),
        };
        let place = Place::from(&scope);
        let who = Who { node: node.clone(), identity: peer.identity, role, build, labels: labels.clone() };
        let watching = match self.watchers.open(who, place, Instant::now()) {
            Ok(watching) => watching,
            Err(full) => return refuse("limit", Status::unavailable(full.to_string())),
        };
        let view = match self.views.watch(scope.clone()).await {
            Ok(view) => view,
            Err(bad @ ViewError::Build(_)) => return refuse("view", Status::internal(bad.to_string())),
            Err(bad) => return refuse("limit", Status::unavailable(bad.to_string())),
        };
        if let Some(holds) = holds
            && let Err(status) = catch_up(&view, &self.writer, holds).await
        {
            return refuse("behind", status);
        }
        Ok(Session {
            node,
            labels,
            scope,
            view,
            views: self.views,
            lanes,
            watching,
            writer: self.writer,
            metrics: self.metrics,
            protection: self.protection,
            stopping: self.lifecycle.stopping().clone(),
        })
    }

    fn count(&self, reason: &'static str) {
        self.metrics.discovery_ended.get_or_create(&ReasonLabel { reason }).inc();
    }
}
