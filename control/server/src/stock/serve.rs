//! Takes in the streams of stock clients, in either variant of the aggregated discovery service.
//!
//! In: gRPC streams, or streams whose first request was read already. Out: a task per stream, within limits.
//! Never here: deltas of our own types; `discovery` serves those and hands over the others.
//! Invariant: values that may be secrets are told only to a client whose certificate is one of a proxy.

use std::time::{Duration, Instant};

use outrigger_control_core::snapshot::scope::{Audience, Scope};
use outrigger_model::identity::Party;
use outrigger_wire::proto::discovery::DiscoveryRequest;
use outrigger_wire::watcher;
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::body::Body;
use tonic::codegen::BoxFuture;
use tonic::server::{Grpc, StreamingService};
use tonic::{Request, Response, Status, Streaming};

use crate::authn::{Peer, Plaintext, peer};
use crate::lifecycle::Lifecycle;
use crate::publish::publisher::ViewError;
use crate::stock::codec::{SotwCodec, Written};
use crate::stock::dialect::{Dialect, is_stock};
use crate::stock::guests::{Guests, Who};
use crate::stock::halls::Halls;
use crate::stock::kind::STANDARD;
use crate::stock::stream::{Session, serve};
use crate::stock::{past, read};
use crate::telemetry::metrics::{Metrics, ReasonLabel};
use crate::writer::Writer;

/// A stream that does not say who it is within this time is let go.
const FIRST_REQUEST_WITHIN: Duration = Duration::from_secs(10);
/// Answers handed to the connection ahead of what its window takes.
const ANSWERS_IN_FLIGHT_MAX: usize = 4;

/// Cheap to clone.
#[derive(Debug, Clone)]
pub struct Stock {
    pub halls: Halls,
    pub guests: Guests,
    pub writer: Writer,
    pub metrics: Metrics,
    pub lifecycle: Lifecycle,
    pub plaintext: Plaintext,
    pub started: Instant,
    /// Within which every proxy that is there has come back after a start.
    pub grace: Duration,
}

/// Whether a stream that begins like this is one of a stock client.
pub fn is_for(first: &impl read::Request) -> bool {
    first.type_url().starts_with(STANDARD) || first.node().is_some_and(|node| is_stock(&node.user_agent_name))
}

impl Stock {
    /// Serves `StreamAggregatedResources`.
    pub async fn state_of_the_world(self, request: http::Request<Body>) -> http::Response<Body> {
        Grpc::new(SotwCodec).streaming(StateOfTheWorld(self), request).await
    }

    fn open(
        self,
        request: Request<Streaming<DiscoveryRequest>>,
    ) -> Result<Response<ReceiverStream<Result<Written, Status>>>, Status> {
        if self.lifecycle.stopping().is_cancelled() {
            return Err(Status::unavailable("control is stopping"));
        }
        let peer = peer(request.extensions(), self.plaintext).inspect_err(|_| self.count("identity"))?;
        let (out, answers) = mpsc::channel(ANSWERS_IN_FLIGHT_MAX);
        let tasks = self.lifecycle.tasks().clone();
        // The head of the answer must not wait for the first request: clients may wait for it before they send one.
        tasks.spawn(async move {
            let mut requests = request.into_inner();
            match self.first(&mut requests).await {
                Ok(Some(first)) => self.visit(peer, first, requests, out).await,
                Ok(None) => {}
                Err(status) => drop(out.send(Err(status)).await),
            }
        });
        Ok(Response::new(ReceiverStream::new(answers)))
    }

    /// None: the client went.
    async fn first(&self, requests: &mut Streaming<DiscoveryRequest>) -> Result<Option<DiscoveryRequest>, Status> {
        let first = tokio::select! {
            () = self.lifecycle.stopping().cancelled() => return Err(Status::unavailable("control is stopping")),
            first = tokio::time::timeout(FIRST_REQUEST_WITHIN, requests.message()) => first,
        };
        let first = first.map_err(|_| Status::deadline_exceeded("no request within 10 s"))??;
        if first.as_ref().is_some_and(|first| !is_for(first)) {
            let text = "only standard resource types are served as state of the world; use DeltaAggregatedResources";
            return Err(Status::unimplemented(text));
        }
        Ok(first)
    }

    /// Serves a stream whose first request was read, until it ends.
    pub async fn visit<R: read::Request, M: From<Written>>(
        self,
        peer: Peer,
        first: R,
        requests: Streaming<R>,
        out: mpsc::Sender<Result<M, Status>>,
    ) {
        match self.begin(peer, &first).await {
            Ok(session) => serve(session, first, requests, out).await,
            Err(status) => drop(out.send(Err(status)).await),
        }
    }

    /// Finds out who this is, and what it is to be told.
    async fn begin<R: read::Request>(self, peer: Peer, first: &R) -> Result<Session, Status> {
        let refuse = |reason, status| {
            self.count(reason);
            Err(status)
        };
        if let Err(not_leading) = self.writer.leads() {
            return refuse("follower", Status::unavailable(not_leading.to_string()));
        }
        let node = first.node().cloned().unwrap_or_default();
        let watcher = match watcher::decode(&node) {
            Ok(watcher) => watcher,
            Err(bad) => return refuse("node", Status::invalid_argument(bad.to_string())),
        };
        let dialect = match Dialect::of(&node) {
            Ok(dialect) => dialect,
            Err(bad) => return refuse("node", Status::invalid_argument(bad.to_string())),
        };
        let needs: Vec<String> = watcher.needs.iter().map(ToString::to_string).collect();
        let scope = match Scope::parse(&needs) {
            Ok(scope) => scope.of(audience(&peer)),
            Err(bad) => return refuse("needs", Status::invalid_argument(format!("node.metadata.{bad}"))),
        };
        let who = Who {
            node: watcher.node.clone(),
            identity: peer.identity,
            dialect: dialect.as_str(),
            mode: R::MODE,
            build: watcher.build,
            view: scope.key().clone(),
        };
        let visit = match self.guests.open(who, Instant::now()) {
            Ok(visit) => visit,
            Err(full) => return refuse("limit", Status::unavailable(full.to_string())),
        };
        let hall = match self.halls.watch(scope, &dialect).await {
            Ok(hall) => hall,
            Err(bad @ ViewError::Build(_)) => return refuse("view", Status::internal(bad.to_string())),
            Err(bad) => return refuse("limit", Status::unavailable(bad.to_string())),
        };
        if let Err(early) = past::check(&first.reported(), &hall.newest(), self.started.elapsed(), self.grace) {
            return refuse("early", Status::unavailable(early.to_string()));
        }
        Ok(Session {
            node: watcher.node.to_string(),
            hall,
            visit,
            stopping: self.lifecycle.stopping().clone(),
            writer: self.writer,
            metrics: self.metrics,
        })
    }

    fn count(&self, reason: &'static str) {
        self.metrics.discovery_ended.get_or_create(&ReasonLabel { reason }).inc();
    }
}

/// Unlike our own proxies, which say what they are, anybody is an Envoy who says so: without a certificate it is shown no values.
fn audience(peer: &Peer) -> Audience {
    match peer.identity.as_ref().map(|identity| &identity.party) {
        Some(Party::Agent(_) | Party::Node(_)) => Audience::Proxies,
        Some(Party::Operator(_) | Party::Control) | None => Audience::Observers,
    }
}

struct StateOfTheWorld(Stock);

impl StreamingService<DiscoveryRequest> for StateOfTheWorld {
    type Response = Written;
    type ResponseStream = ReceiverStream<Result<Written, Status>>;
    type Future = BoxFuture<Response<Self::ResponseStream>, Status>;

    fn call(&mut self, request: Request<Streaming<DiscoveryRequest>>) -> Self::Future {
        let stock = self.0.clone();
        Box::pin(async move { stock.open(request) })
    }
}

#[cfg(test)]
mod tests;
