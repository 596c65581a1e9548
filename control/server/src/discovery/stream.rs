//! One discovery stream: reads requests, writes what the engine says, and ends it if its client does not keep up. A stream whose proxy changes
//! lanes goes on with the other view.
//!
//! In: requests, editions of the stream's view, time. Out: frames to one client.
//! Invariant: requests are read before anything is written, and while a write waits; what waits to be written is bounded,
//! because at most one answer per topic is unanswered.

use std::collections::{BTreeMap, VecDeque};
use std::error::Error as _;
use std::sync::Arc;
use std::time::{Duration, Instant};

use outrigger_control_core::event::EventKind;
use outrigger_control_core::rollout::lane::Membership;
use outrigger_control_core::snapshot::scope::Scope;
use outrigger_model::digest::Digest;
use outrigger_model::label::Labels;
use outrigger_model::name::NodeId;
use outrigger_model::resource::Serial;
use outrigger_wire::proto::discovery::DeltaDiscoveryRequest;
use tokio::sync::{OwnedSemaphorePermit, mpsc, watch};
use tokio::time::{MissedTickBehavior, interval, sleep};
use tokio_util::sync::CancellationToken;
use tonic::{Status, Streaming};
use tracing::{debug, info, warn};

use crate::discovery::codec::Message;
use crate::discovery::engine::{Engine, Heard, Say, What};
use crate::discovery::protection::Protection;
use crate::discovery::read::ask;
use crate::discovery::subscription::Changes;
use crate::discovery::watchers::{Place, Watching};
use crate::publish::edition::Topic;
use crate::publish::frame::{Frame, frames, still_true};
use crate::publish::publisher::{ViewError, Views};
use crate::publish::view::{Published, View};
use crate::telemetry::metrics::{Metrics, ReasonLabel, TopicLabel};
use crate::writer::Writer;

/// How often a Manifest that still stands is told again; a third of its time to live.
const REFRESH_EVERY: Duration = Duration::from_secs(10);
/// A client that has not answered for this long counts as lagging.
const LAGGING_AFTER: Duration = Duration::from_secs(30);
/// A client that has not answered for this long is let go.
const CLOSED_AFTER: Duration = Duration::from_secs(300);
/// The same for one that takes up room which others wait for.
const CLOSED_WITH_ROOM_AFTER: Duration = Duration::from_secs(60);
/// A stream that is old ends at a moment in which nothing is under way, but no later than this.
const OLD_FOR_MAX: Duration = Duration::from_secs(60);
/// How often the two above are looked at.
const LOOK_EVERY: Duration = Duration::from_secs(5);

/// Everything one stream needs.
#[derive(Debug)]
pub struct Session {
    pub node: NodeId,
    pub labels: Labels,
    pub scope: Scope,
    pub view: Arc<View>,
    pub views: Views,
    pub lanes: watch::Receiver<Membership>,
    pub watching: Watching,
    pub writer: Writer,
    pub metrics: Metrics,
    pub protection: Protection,
    pub stopping: CancellationToken,
}

/// Why a stream ended.
enum End {
    Client,
    /// It is old enough: its client comes again and goes on where it is.
    Age,
    Control {
        reason: &'static str,
        status: Status,
    },
}

struct Stream {
    session: Session,
    engine: Engine,
    editions: watch::Receiver<Published>,
    out: mpsc::Sender<Result<Message, Status>>,
    /// Written as soon as the client takes more.
    waiting: VecDeque<Message>,
    /// What large answers take up until they are answered, by nonce.
    rooms: BTreeMap<String, OwnedSemaphorePermit>,
    /// The snapshot whose Manifest was sent last.
    sent: Option<(Serial, Digest)>,
    is_lagging: bool,
    old_since: Option<Instant>,
}

/// Serves one stream until it ends. `first` was read already: it said who this is.
pub async fn serve(
    session: Session,
    first: DeltaDiscoveryRequest,
    mut requests: Streaming<DeltaDiscoveryRequest>,
    out: mpsc::Sender<Result<Message, Status>>,
) {
    session.metrics.discovery_streams.inc();
    info!(node = %session.node, view = %session.view.key(), "watcher connected");
    let mut stream = Stream::new(session, out);
    let end = match stream.hear(first).await {
        Ok(()) => stream.run(&mut requests).await,
        Err(end) => end,
    };
    stream.lag(false);
    let metrics = &stream.session.metrics;
    metrics.discovery_streams.dec();
    let node = &stream.session.node;
    match end {
        End::Client => info!(%node, "watcher disconnected"),
        End::Age => {
            metrics.discovery_ended.get_or_create(&ReasonLabel { reason: "age" }).inc();
            info!(%node, "watcher asked to come again");
        }
        End::Control { reason, status } => {
            metrics.discovery_ended.get_or_create(&ReasonLabel { reason }).inc();
            info!(%node, reason, detail = status.message(), "watcher let go");
            // If the client takes nothing, it will see the end of the stream instead.
            let _ = stream.out.try_send(Err(status));
        }
    }
}

impl Stream {
    fn new(session: Session, out: mpsc::Sender<Result<Message, Status>>) -> Self {
        Self {
            editions: session.view.follow(),
            session,
            engine: Engine::default(),
            out,
            waiting: VecDeque::new(),
            rooms: BTreeMap::new(),
            sent: None,
            is_lagging: false,
            old_since: None,
        }
    }

    async fn run(&mut self, requests: &mut Streaming<DeltaDiscoveryRequest>) -> End {
        let mut refresh = interval(REFRESH_EVERY);
        refresh.set_missed_tick_behavior(MissedTickBehavior::Delay);
        refresh.reset();
        let mut look = interval(LOOK_EVERY);
        let stopping = self.session.stopping.clone();
        let old = sleep(self.session.protection.age());
        tokio::pin!(old);
        self.say();
        loop {
            if self.old_since.is_some() && self.is_quiet() {
                return End::Age;
            }
            let next = self.waiting.front().map(|message| message.frame.0.len());
            tokio::select! {
                biased;
                () = stopping.cancelled() => return end("stopping", Status::unavailable("control is stopping")),
                request = requests.message() => match request {
                    Ok(Some(request)) => {
                        if let Err(end) = self.hear(request).await {
                            return end;
                        }
                        self.change_lanes().await;
                        self.say();
                    }
                    Ok(None) => return End::Client,
                    Err(status) => {
                        debug!(node = %self.session.node, %status, "watcher broke off");
                        return End::Client;
                    }
                },
                place = place(&self.session.protection, &self.out, next.unwrap_or_default()), if next.is_some() => {
                    let Some((room, permit)) = place else { return End::Client };
                    if let Some(message) = self.waiting.pop_front() {
                        self.rooms.extend(room.map(|room| (message.nonce.clone(), room)));
                        drop(permit.send(Ok(message)));
                    }
                }
                Ok(()) = self.session.lanes.changed() => {
                    self.change_lanes().await;
                    self.say();
                }
                changed = self.editions.changed() => {
                    if changed.is_err() {
                        return end("stopping", Status::unavailable("control is stopping"));
                    }
                    self.say();
                }
                () = &mut old, if self.old_since.is_none() => self.old_since = Some(Instant::now()),
                _ = refresh.tick() => self.refresh(),
                _ = look.tick() => if let Some(end) = self.look() {
                    return end;
                },
            }
        }
    }

    async fn hear(&mut self, request: DeltaDiscoveryRequest) -> Result<(), End> {
        self.rooms.remove(&request.response_nonce);
        let refused = |status: Status| Err(End::Control { reason: "request", status });
        let asked = match ask(request) {
            Ok(Some(asked)) => asked,
            Ok(None) => return Ok(()),
            Err(status) => return refused(status),
        };
        let is_first_manifest = !self.engine.wants_manifest();
        let heard = match self.engine.hear(asked) {
            Ok(heard) => heard,
            Err(many) => return refused(Status::resource_exhausted(many.to_string())),
        };
        if is_first_manifest && self.engine.wants_manifest() {
            self.session.watching.applies_whole();
        }
        match heard {
            Heard::Nothing => {}
            Heard::Runs(token) if token.epoch == self.session.view.newest().edition.epoch => {
                let newest = self.session.view.newest().edition;
                let digest = (newest.serial == token.serial).then_some(newest.digest);
                self.session.watching.applied(token.serial, digest, Instant::now());
                // It learns at once that it is current, rather than with the next refresh.
                self.say();
                self.refresh();
            }
            Heard::Runs(_) => {}
            Heard::Applied(serial) => {
                let digest = self.sent.filter(|(sent, _)| *sent == serial).map(|(_, digest)| digest);
                self.session.watching.applied(serial, digest, Instant::now());
            }
            Heard::Refused(refusal) => self.tell_refusal(refusal).await,
        }
        Ok(())
    }

    async fn tell_refusal(&self, refusal: crate::discovery::engine::Refusal) {
        let Session { node, metrics, writer, watching, .. } = &self.session;
        let topic = refusal.topic.as_str();
        warn!(%node, topic, serial = %refusal.serial, detail = refusal.detail, "watcher refused a snapshot");
        metrics.discovery_refusals.get_or_create(&TopicLabel { topic }).inc();
        watching.refused(refusal.serial, refusal.detail.clone());
        let detail = format!("{topic} of {}: {}", refusal.serial, refusal.detail);
        // A writer that stopped needs no more events.
        let _ = writer.note(EventKind::SnapshotRefused, node.as_str(), &detail).await;
    }

    /// Goes on with the view of the lane that the proxy is in, once nothing of the other waits for its answer: each answer asks again.
    async fn change_lanes(&mut self) {
        let Session { node, labels, scope, .. } = &self.session;
        let lane = self.session.lanes.borrow().lane(node, labels);
        let wanted = scope.clone().on(lane);
        if wanted.key() == scope.key() || !self.engine.is_quiet() {
            return;
        }
        match self.session.views.watch(wanted.clone()).await {
            Ok(view) => {
                info!(node = %self.session.node, view = %view.key(), "watcher changes lanes");
                self.session.watching.moved(Place::from(&wanted));
                self.editions = view.follow();
                (self.session.view, self.session.scope) = (view, wanted);
                self.engine.moved();
            }
            // It keeps what it has.
            Err(ViewError::Stopping) => {}
            Err(error) => self.cannot_move(&error).await,
        }
    }

    /// Nothing can be built of the candidate for this proxy, which speaks against it as a refusal does.
    async fn cannot_move(&self, error: &ViewError) {
        let Session { node, writer, watching, views, .. } = &self.session;
        let detail = match error.source() {
            Some(cause) => format!("{error}: {cause}"),
            None => error.to_string(),
        };
        if watching.refused_candidate(views.base().newest().edition.serial, &detail) {
            warn!(%node, detail, "watcher cannot change lanes");
            // A writer that stopped needs no more events.
            let _ = writer.note(EventKind::SnapshotFailed, node.as_str(), &detail).await;
        }
    }

    /// Queues what the engine has to say.
    fn say(&mut self) {
        let newest = self.session.view.newest().edition;
        let view = Arc::clone(&self.session.view);
        let mut encoded = Vec::new();
        let said = self.engine.say(&newest, Instant::now(), |say| {
            let frames = shared_frames(&view, say);
            let count = frames.len();
            encoded.push(frames);
            count
        });
        for (say, frames) in said.into_iter().zip(encoded) {
            if say.topic == Topic::Manifest {
                self.sent = Some((say.edition.serial, say.edition.digest));
            }
            let topic = say.topic.as_str();
            self.session.metrics.discovery_answers.get_or_create(&TopicLabel { topic }).inc();
            let is_split = frames.len() > 1;
            for (at, frame) in frames.iter().enumerate() {
                let nonce = if is_split { format!("{}/{at}", say.nonce) } else { say.nonce.clone() };
                self.queue(Message { frame: frame.clone(), nonce });
            }
        }
    }

    fn refresh(&mut self) {
        let newest = self.session.view.newest().edition;
        if let Some(say) = self.engine.refresh(&newest) {
            self.queue(Message { frame: still_true(&say.edition, say.topic), nonce: say.nonce });
        }
    }

    fn queue(&mut self, message: Message) {
        self.session.metrics.discovery_bytes.inc_by(message.frame.0.len() as u64);
        self.waiting.push_back(message);
    }

    /// Whether the client keeps up.
    fn look(&mut self) -> Option<End> {
        let waits = self.engine.waits_since().map(|since| since.elapsed()).unwrap_or_default();
        self.lag(waits >= LAGGING_AFTER);
        let text = "no answer to a snapshot for 5 minutes, or for one to a large one; connect again";
        let patience = if self.rooms.is_empty() { CLOSED_AFTER } else { CLOSED_WITH_ROOM_AFTER };
        if waits >= patience {
            return Some(end("lagging", Status::deadline_exceeded(text)));
        }
        self.old_since.is_some_and(|since| since.elapsed() >= OLD_FOR_MAX).then_some(End::Age)
    }

    /// Whether nothing is under way.
    fn is_quiet(&self) -> bool {
        self.waiting.is_empty() && self.engine.waits_since().is_none()
    }

    fn lag(&mut self, is_lagging: bool) {
        if is_lagging != self.is_lagging {
            self.is_lagging = is_lagging;
            let gauge = &self.session.metrics.discovery_lagging;
            if is_lagging {
                warn!(node = %self.session.node, "watcher has not answered for 30 s");
                gauge.inc();
            } else {
                gauge.dec();
            }
        }
    }
}

/// A place in the connection's queue, and the room that a large message takes. None: the client went.
async fn place(
    protection: &Protection,
    out: &mpsc::Sender<Result<Message, Status>>,
    bytes: usize,
) -> Option<(Option<OwnedSemaphorePermit>, mpsc::OwnedPermit<Result<Message, Status>>)> {
    let room = tokio::select! {
        room = protection.room(bytes) => room,
        () = out.closed() => return None,
    };
    Some((room, out.clone().reserve_owned().await.ok()?))
}

fn end(reason: &'static str, status: Status) -> End {
    End::Control { reason, status }
}

/// The frames of an answer; those that other streams need too are encoded once.
fn shared_frames(view: &View, say: &Say) -> Arc<[Frame]> {
    let shelf = say.edition.shelf(say.topic);
    match &say.what {
        What::Since(from) => {
            let from = from.as_deref();
            view.frames().step(say.topic, from, &say.edition, || {
                let Changes { changed, removed } = Changes::between(from, shelf);
                frames(&say.edition, say.topic, &changed, &removed)
            })
        }
        What::Own(Changes { changed, removed }) => frames(&say.edition, say.topic, changed, removed).into(),
        What::StillTrue => Arc::from([still_true(&say.edition, say.topic)]),
    }
}
