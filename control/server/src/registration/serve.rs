//! The registry service: takes report streams in, within limits.
//!
//! Invariant: nobody is heard before it said who it is, and the identity of a stream is the one its connection proves.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use outrigger_control_core::agent::Sender;
use outrigger_control_core::lease::LeaseRules;
use outrigger_control_core::registry::StreamId;
use outrigger_model::name::NodeId;
use outrigger_wire::proto::registry::facts::Fact;
use outrigger_wire::proto::registry::registry_server::Registry;
use outrigger_wire::proto::registry::{Facts, Hint};
use tokio::sync::{Semaphore, mpsc};
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Request, Response, Status, Streaming};

use crate::authn::{Peer, Plaintext, peer};
use crate::lifecycle::Lifecycle;
use crate::registration::stream::{Hints, Reporting, elsewhere, serve};
use crate::telemetry::metrics::Metrics;
use crate::writer::Writer;

/// Open report streams; a proxy has one.
const STREAMS_MAX: usize = 20_000;
/// A stream that does not say hello within this time is let go.
const HELLO_WITHIN: Duration = Duration::from_secs(10);
/// Hints on their way to one proxy.
const HINTS_IN_FLIGHT_MAX: usize = 64;
/// Largest report: a thousand replicas with the tools of an ordinary server each.
pub const REPORT_BYTES_MAX: usize = 16 << 20;

/// Cheap to clone.
#[derive(Debug, Clone)]
pub struct Registration {
    writer: Writer,
    metrics: Metrics,
    lifecycle: Lifecycle,
    plaintext: Plaintext,
    rules: LeaseRules,
    last: Arc<AtomicU64>,
    places: Arc<Semaphore>,
}

impl Registration {
    pub fn new(
        writer: Writer,
        metrics: Metrics,
        lifecycle: Lifecycle,
        plaintext: Plaintext,
        rules: LeaseRules,
    ) -> Self {
        let places = Arc::new(Semaphore::new(STREAMS_MAX));
        Self { writer, metrics, lifecycle, plaintext, rules, last: Arc::default(), places }
    }

    async fn run(self, peer: Peer, mut facts: Streaming<Facts>, hints: Hints) {
        match self.hello(&mut facts).await {
            Ok(Some(node)) => {
                let reporting = Reporting {
                    stream: StreamId(self.last.fetch_add(1, Ordering::Relaxed)),
                    sender: Sender { node, identity: peer.identity, from: peer.from },
                    writer: self.writer,
                    metrics: self.metrics,
                    stopping: self.lifecycle.stopping().clone(),
                };
                serve(reporting, self.rules, facts, hints).await;
            }
            Ok(None) => {}
            // The only message on a channel with room for more.
            Err(status) => drop(hints.try_send(Err(status))),
        }
    }

    /// None: the proxy went before it said a word.
    async fn hello(&self, facts: &mut Streaming<Facts>) -> Result<Option<NodeId>, Status> {
        let first = tokio::select! {
            () = self.lifecycle.stopping().cancelled() => return Err(Status::unavailable("control is stopping")),
            first = tokio::time::timeout(HELLO_WITHIN, facts.message()) => first,
        };
        match first.map_err(|_| Status::deadline_exceeded("no hello within 10 s"))?? {
            Some(Facts { fact: Some(Fact::Hello(hello)) }) => {
                NodeId::new(&hello.node).map(Some).map_err(|bad| Status::invalid_argument(format!("hello.node: {bad}")))
            }
            Some(_) => Err(Status::invalid_argument("the first message of a stream must be hello")),
            None => Ok(None),
        }
    }
}

#[tonic::async_trait]
impl Registry for Registration {
    type ReportStream = ReceiverStream<Result<Hint, Status>>;

    async fn report(&self, request: Request<Streaming<Facts>>) -> Result<Response<Self::ReportStream>, Status> {
        if self.lifecycle.stopping().is_cancelled() {
            return Err(Status::unavailable("control is stopping"));
        }
        let peer = peer(request.extensions(), self.plaintext)?;
        peer.must_be_proxy()?;
        self.writer.leads().map_err(|not_leading| elsewhere(&not_leading))?;
        let place = Arc::clone(&self.places).try_acquire_owned();
        let place = place.map_err(|_| Status::unavailable(format!("{STREAMS_MAX} proxies report; try again later")))?;
        let (hints, answers) = mpsc::channel(HINTS_IN_FLIGHT_MAX);
        let (service, facts) = (self.clone(), request.into_inner());
        self.lifecycle.tasks().spawn(async move {
            service.run(peer, facts, hints).await;
            drop(place);
        });
        Ok(Response::new(ReceiverStream::new(answers)))
    }
}
