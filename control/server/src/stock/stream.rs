//! One stream of a stock client: reads requests, writes what the engine says, and ends it if its client does not keep up.
//!
//! In: requests, editions of the stream's hall, time. Out: answers to one client.
//! Invariant: requests are read before anything is written, and while a write waits; what waits to be written is bounded,
//! because at most one answer per kind is unanswered.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant};

use outrigger_control_core::event::EventKind;
use tokio::sync::mpsc;
use tokio::time::interval;
use tokio_util::sync::CancellationToken;
use tonic::{Status, Streaming};
use tracing::{debug, info, warn};

use crate::stock::codec::Written;
use crate::stock::engine::{Engine, Heard};
use crate::stock::guests::Visit;
use crate::stock::halls::Hall;
use crate::stock::read::{Request, ask};
use crate::stock::topic::Mode;
use crate::stock::write::frame;
use crate::telemetry::metrics::{Metrics, ReasonLabel, TopicLabel};
use crate::writer::Writer;

/// A client that has not answered for this long counts as lagging. Envoy keeps an acceptance back while clusters warm, for 15 s at most.
const LAGGING_AFTER: Duration = Duration::from_secs(30);
/// A client that has not answered for this long is let go.
const CLOSED_AFTER: Duration = Duration::from_secs(300);
/// How often the two above are looked at.
const LOOK_EVERY: Duration = Duration::from_secs(5);
/// Where nothing has to be looked at again.
const NEVER: Duration = Duration::from_secs(86_400);

/// Everything one stream needs.
#[derive(Debug)]
pub struct Session {
    pub node: String,
    pub hall: Arc<Hall>,
    pub visit: Visit,
    pub writer: Writer,
    pub metrics: Metrics,
    pub stopping: CancellationToken,
}

/// Why a stream ended.
enum End {
    ByClient,
    ByControl { reason: &'static str, status: Status },
}

struct Stream<M> {
    session: Session,
    mode: Mode,
    engine: Engine,
    out: mpsc::Sender<Result<M, Status>>,
    /// Written as soon as the client takes more.
    waiting: VecDeque<Written>,
    is_lagging: bool,
}

/// Serves one stream until it ends. `first` was read already: it said who this is.
pub async fn serve<R: Request, M: From<Written>>(
    session: Session,
    first: R,
    mut requests: Streaming<R>,
    out: mpsc::Sender<Result<M, Status>>,
) {
    session.metrics.discovery_streams.inc();
    info!(node = session.node, view = %session.hall.key(), "stock client connected");
    let (mode, waiting) = (R::MODE, VecDeque::new());
    let mut stream = Stream { session, mode, engine: Engine::new(mode), out, waiting, is_lagging: false };
    let end = match stream.hear(first).await {
        Ok(()) => stream.run(&mut requests).await,
        Err(end) => end,
    };
    stream.lag(false);
    let metrics = &stream.session.metrics;
    metrics.discovery_streams.dec();
    let node = &stream.session.node;
    match end {
        End::ByClient => info!(node, "stock client disconnected"),
        End::ByControl { reason, status } => {
            metrics.discovery_ended.get_or_create(&ReasonLabel { reason }).inc();
            info!(node, reason, detail = status.message(), "stock client let go");
            // If the client takes nothing, it will see the end of the stream instead.
            let _ = stream.out.try_send(Err(status));
        }
    }
}

impl<M: From<Written>> Stream<M> {
    async fn run<R: Request>(&mut self, requests: &mut Streaming<R>) -> End {
        let mut editions = self.session.hall.follow();
        let mut look = interval(LOOK_EVERY);
        let stopping = self.session.stopping.clone();
        let mut reigns = self.session.writer.reigns();
        self.say();
        loop {
            let again = self.engine.wakes_at().map_or(NEVER, |at| at.saturating_duration_since(Instant::now()));
            tokio::select! {
                biased;
                () = stopping.cancelled() => return end("stopping", Status::unavailable("control is stopping")),
                // The one that leads knows what its standard resources are made of at the same moment; others do not.
                () = async { drop(reigns.wait_for(|reign| reign.term().is_none()).await) } => {
                    return end("follower", Status::unavailable("another control leads"));
                }
                request = requests.message() => match request {
                    Ok(Some(request)) => {
                        if let Err(end) = self.hear(request).await {
                            return end;
                        }
                        self.say();
                    }
                    Ok(None) => return End::ByClient,
                    Err(status) => {
                        debug!(node = self.session.node, %status, "stock client broke off");
                        return End::ByClient;
                    }
                },
                permit = self.out.clone().reserve_owned(), if !self.waiting.is_empty() => match permit {
                    Ok(permit) => {
                        if let Some(written) = self.waiting.pop_front() {
                            drop(permit.send(Ok(written.into())));
                        }
                    }
                    Err(_) => return End::ByClient,
                },
                changed = editions.changed() => {
                    if changed.is_err() {
                        return end("stopping", Status::unavailable("control is stopping"));
                    }
                    self.say();
                }
                () = tokio::time::sleep(again) => self.say(),
                _ = look.tick() => if let Some(end) = self.look() {
                    return end;
                },
            }
        }
    }

    async fn hear<R: Request>(&mut self, request: R) -> Result<(), End> {
        let refused = |status: Status| Err(End::ByControl { reason: "request", status });
        let asked = match ask(request) {
            Ok(Some(asked)) => asked,
            Ok(None) => return Ok(()),
            Err(status) => return refused(status),
        };
        let heard = match self.engine.hear(asked) {
            Ok(heard) => heard,
            Err(many) => return refused(Status::resource_exhausted(many.to_string())),
        };
        match heard {
            Heard::Nothing => {}
            Heard::Accepted { kind, version } => self.session.visit.accepted(kind, version),
            Heard::Refused { kind, version, detail } => {
                let Session { node, metrics, writer, visit, .. } = &self.session;
                let topic = kind.as_str();
                warn!(node, topic, version, detail, "stock client refused an answer");
                metrics.discovery_refusals.get_or_create(&TopicLabel { topic }).inc();
                let told = format!("{topic} {version}: {detail}");
                visit.refused(kind, version, detail);
                // A writer that stopped needs no more events.
                let _ = writer.note(EventKind::SnapshotRefused, node, &told).await;
            }
        }
        Ok(())
    }

    /// Queues what the engine has to say.
    fn say(&mut self) {
        let newest = self.session.hall.newest();
        for reply in self.engine.say(&newest, Instant::now()) {
            let frame = frame(&reply, self.mode, newest.epoch);
            let Session { metrics, visit, .. } = &self.session;
            metrics.discovery_answers.get_or_create(&TopicLabel { topic: reply.kind.as_str() }).inc();
            metrics.discovery_bytes.inc_by(frame.0.len() as u64);
            visit.told(reply.kind);
            self.waiting.push_back(Written { frame, nonce: reply.nonce });
        }
    }

    /// Whether the client keeps up.
    fn look(&mut self) -> Option<End> {
        let waits = self.engine.waits_since().map(|since| since.elapsed()).unwrap_or_default();
        self.lag(waits >= LAGGING_AFTER);
        let text = "no answer for 5 minutes; connect again";
        (waits >= CLOSED_AFTER).then(|| end("lagging", Status::deadline_exceeded(text)))
    }

    fn lag(&mut self, is_lagging: bool) {
        if is_lagging != self.is_lagging {
            self.is_lagging = is_lagging;
            let gauge = &self.session.metrics.discovery_lagging;
            if is_lagging {
                warn!(node = self.session.node, "stock client has not answered for 30 s");
                gauge.inc();
            } else {
                gauge.dec();
            }
        }
    }
}

fn end(reason: &'static str, status: Status) -> End {
    End::ByControl { reason, status }
}
