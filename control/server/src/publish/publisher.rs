//! Publishes every picture to every view that somebody watches.
//!
//! In: pictures of the writer, watchers that ask for a view. Out: editions, what the store is to remember of them, and who is in which lane,
//! which is told once the views of the lanes have it.
//! Never here: who the watchers are.
//! Invariant: one task publishes, so serials of a view only grow; what cannot be built leaves the last good edition
//! where it is.

use std::collections::BTreeMap;
use std::sync::{Arc, Weak};
use std::time::Instant;

use outrigger_control_core::event::EventKind;
use outrigger_control_core::port::SnapshotRow;
use outrigger_control_core::rollout::lane::{Lane, Membership};
use outrigger_control_core::snapshot::build::{BuildError, Shared, build};
use outrigger_control_core::snapshot::ledger::{Ledger, LedgerChange, VIEWS_MAX};
use outrigger_control_core::snapshot::scope::{Scope, ViewKey};
use outrigger_model::replica::ReplicaState;
use tokio::sync::{mpsc, oneshot, watch};
use tokio_util::sync::CancellationToken;
use tracing::{error, info};

use crate::publish::assemble::{Assembled, Origin, assemble};
use crate::publish::edition::Edition;
use crate::publish::view::{Published, View};
use crate::telemetry::metrics::{Metrics, StateLabel};
use crate::writer::{Picture, Recorded, Writer};

/// Watchers that wait for a view; beyond, they wait to ask.
const REQUESTS_MAX: usize = 256;

/// Hands out views. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Views {
    base: Arc<View>,
    lanes: watch::Receiver<Membership>,
    requests: mpsc::Sender<Request>,
}

#[derive(Debug)]
enum Request {
    View { scope: Scope, answer: oneshot::Sender<Result<Arc<View>, ViewError>> },
    All { answer: oneshot::Sender<Vec<Arc<View>>> },
}

#[derive(Debug, thiserror::Error)]
pub enum ViewError {
    #[error("control is stopping")]
    Stopping,
    #[error("{VIEWS_MAX} different sets of needs are watched already; let proxies share theirs")]
    Many,
    #[error("no snapshot of these needs can be built")]
    Build(#[from] BuildError),
}

/// The task behind [`Views`].
#[derive(Debug)]
pub struct Publisher {
    writer: Writer,
    metrics: Metrics,
    ledger: Ledger,
    /// Of the views of a candidate. They begin as the main ones and end with it, so no store remembers them.
    tried: Ledger,
    lanes: watch::Sender<Membership>,
    base: Arc<View>,
    /// Each lives as long as somebody watches it.
    others: BTreeMap<ViewKey, Weak<View>>,
    requests: mpsc::Receiver<Request>,
    /// What could not be built at the last picture, so that the same failure is told once.
    failed: BTreeMap<ViewKey, String>,
}

impl Views {
    /// What a watcher without needs is told.
    pub fn base(&self) -> &Arc<View> {
        &self.base
    }

    /// The view of these needs, with an edition in it.
    pub async fn watch(&self, scope: Scope) -> Result<Arc<View>, ViewError> {
        if scope.key() == self.base.key() {
            return Ok(Arc::clone(&self.base));
        }
        let (answer, answered) = oneshot::channel();
        self.requests.send(Request::View { scope, answer }).await.map_err(|_| ViewError::Stopping)?;
        answered.await.map_err(|_| ViewError::Stopping)?
    }

    /// Who is in the lane of a candidate.
    pub fn lanes(&self) -> watch::Receiver<Membership> {
        self.lanes.clone()
    }

    /// All views that somebody watches; the base view first.
    pub async fn all(&self) -> Vec<Arc<View>> {
        let (answer, answered) = oneshot::channel();
        if self.requests.send(Request::All { answer }).await.is_err() {
            return vec![Arc::clone(&self.base)];
        }
        answered.await.unwrap_or_else(|_| vec![Arc::clone(&self.base)])
    }
}

/// Publishes the first snapshot; afterwards watchers can be served.
pub async fn open(writer: Writer, mut ledger: Ledger, metrics: Metrics) -> Result<(Views, Publisher), BuildError> {
    let picture = writer.picture();
    let (published, change) = make(&picture, &Scope::base(), None, &mut ledger)?;
    let base = Arc::new(View::new(Scope::base(), published));
    let (sender, requests) = mpsc::channel(REQUESTS_MAX);
    let (lanes, told) = watch::channel(picture.membership());
    let views = Views { base: Arc::clone(&base), lanes: told, requests: sender };
    let publisher = Publisher {
        writer,
        metrics,
        ledger,
        tried: Ledger::default(),
        lanes,
        base,
        others: BTreeMap::new(),
        requests,
        failed: BTreeMap::new(),
    };
    publisher.count(&picture);
    let row = (!change.is_nothing()).then(|| row(&picture, &publisher.base.newest()));
    publisher.record(row, vec![change]).await;
    Ok((views, publisher))
}

impl Publisher {
    pub async fn run(mut self, stop: CancellationToken) {
        let mut pictures = self.writer.pictures();
        let mut told = self.base.newest().edition.serial;
        loop {
            tokio::select! {
                () = stop.cancelled() => return,
                changed = pictures.changed() => {
                    if changed.is_err() {
                        return;
                    }
                    let picture = pictures.borrow_and_update().clone();
                    self.publish(&picture).await;
                    let serial = self.base.newest().edition.serial;
                    if serial != told {
                        told = serial;
                        info!(%serial, reason = picture.reason, "snapshot published");
                    }
                }
                request = self.requests.recv() => match request {
                    // Whoever asked may have gone.
                    Some(Request::View { scope, answer }) => drop(answer.send(self.view(scope).await)),
                    Some(Request::All { answer }) => drop(answer.send(self.all())),
                    None => return,
                },
            }
        }
    }

    async fn publish(&mut self, picture: &Picture) {
        let start = Instant::now();
        if picture.trial.is_none() {
            self.tried = Ledger::default();
        }
        // Streams that still hold a view of a lane that ended are about to leave it.
        let is_open = |view: &Arc<View>| view.scope().lane() == Lane::Main || picture.trial.is_some();
        self.others.retain(|_, view| view.upgrade().is_some_and(|view| is_open(&view)));
        let all = self.all();
        let mut changes = Vec::new();
        let mut base_row = None;
        for view in all {
            let before = view.newest();
            let ledger = match view.scope().lane() {
                Lane::Main => &mut self.ledger,
                Lane::Canary => &mut self.tried,
            };
            match make(picture, view.scope(), Some(&before.edition), ledger) {
                Ok((published, change)) => {
                    self.failed.remove(view.key());
                    if !change.is_nothing() {
                        self.metrics.publish_editions.inc();
                        if *view.key() == ViewKey::base() {
                            base_row = Some(row(picture, &published));
                        }
                        if view.scope().lane() == Lane::Main {
                            changes.push(change);
                        }
                        view.publish(published);
                    } else if before.built.kinds != published.built.kinds || before.intent != published.intent {
                        view.publish(published);
                    }
                }
                Err(error) => self.keep(view.key(), &error).await,
            }
        }
        self.count(picture);
        self.metrics.publish_seconds.observe(start.elapsed().as_secs_f64());
        self.lanes.send_if_modified(|told| {
            let membership = picture.membership();
            let is_new = *told != membership;
            *told = membership;
            is_new
        });
        self.record(base_row, changes).await;
    }

    /// The last good edition stays.
    async fn keep(&mut self, key: &ViewKey, cause: &BuildError) {
        self.metrics.publish_failures.inc();
        let text = chain(cause);
        if self.failed.get(key) != Some(&text) {
            error!(view = %key, error = text, "snapshot could not be built; the last good one stays");
            let told = self.writer.note(EventKind::SnapshotFailed, key.as_str(), &text).await;
            if told.is_ok() {
                self.failed.insert(key.clone(), text);
            }
        }
    }

    async fn view(&mut self, scope: Scope) -> Result<Arc<View>, ViewError> {
        if let Some(view) = self.others.get(scope.key()).and_then(Weak::upgrade) {
            return Ok(view);
        }
        self.others.retain(|_, view| view.strong_count() > 0);
        if self.others.len() >= VIEWS_MAX {
            return Err(ViewError::Many);
        }
        let picture = self.writer.picture();
        let is_main = scope.lane() == Lane::Main;
        // Proxies say by themselves what they hold.
        let before = self.ledger.view(scope.key()).filter(|_| !scope.has_keys()).cloned();
        let (published, change) = match is_main {
            true => make(&picture, &scope, None, &mut self.ledger)?,
            false => self.make_tried(&picture, &scope)?,
        };
        let (key, remembers) = (scope.key().clone(), !scope.has_keys());
        let changes = if is_main { vec![change] } else { Vec::new() };
        let view = View::new(scope, published);
        let view = Arc::new(if remembers { view.remembering(before.as_ref()) } else { view });
        self.others.insert(key, Arc::downgrade(&view));
        self.count(&picture);
        self.record(None, changes).await;
        Ok(view)
    }

    /// A view of the candidate begins with the tokens of the main one, so that only what differs is sent to whoever moves.
    fn make_tried(&mut self, picture: &Picture, scope: &Scope) -> Result<(Published, LedgerChange), BuildError> {
        if let Some(main) = self.ledger.view(scope.clone().on(Lane::Main).key()) {
            self.tried.restore(scope.key().clone(), main.clone());
        }
        make(picture, scope, None, &mut self.tried)
    }

    fn all(&self) -> Vec<Arc<View>> {
        let others = self.others.values().filter_map(Weak::upgrade);
        std::iter::once(Arc::clone(&self.base)).chain(others).collect()
    }

    fn count(&self, picture: &Picture) {
        let serial = self.base.newest().edition.serial;
        self.metrics.publish_serial.set(i64::try_from(serial.0).unwrap_or(i64::MAX));
        self.metrics.publish_views.set(i64::try_from(self.others.len() + 1).unwrap_or(i64::MAX));
        for state in ReplicaState::ALL {
            let count = picture.facts.standings().filter(|standing| standing.state == state).count();
            let gauge = self.metrics.replicas.get_or_create(&StateLabel { state: state.as_str() });
            gauge.set(i64::try_from(count).unwrap_or(i64::MAX));
        }
    }

    async fn record(&self, snapshot: Option<SnapshotRow>, mut ledger: Vec<LedgerChange>) {
        ledger.retain(|change| !change.is_nothing());
        if snapshot.is_some() || !ledger.is_empty() {
            // A writer that stopped has stored what it could; nothing is lost but a resend after the next start.
            let _ = self.writer.record(Recorded { snapshot, ledger }).await;
        }
    }
}

fn make(
    picture: &Picture,
    scope: &Scope,
    before: Option<&Arc<Edition>>,
    ledger: &mut Ledger,
) -> Result<(Published, LedgerChange), BuildError> {
    let shared = Shared { revocations: picture.book.revocations(), keyring: &picture.keyring };
    let head = picture.head(scope);
    let built = Arc::new(build(&picture.mesh, &head.intent, &shared, scope)?);
    let origin = Origin {
        epoch: picture.epoch,
        serial: picture.serial,
        made_at: picture.made_at,
        reason: picture.reason.clone(),
        lane: scope.lane(),
        floor: picture.floor(),
    };
    let Assembled { edition, change } = assemble(scope.key(), &built.snapshot, before, ledger, &origin);
    Ok((Published { edition, built, intent: head.number }, change))
}

fn row(picture: &Picture, published: &Published) -> SnapshotRow {
    SnapshotRow {
        serial: published.edition.serial,
        epoch: picture.epoch,
        digest: published.edition.digest,
        made_at: picture.made_at,
        reason: picture.reason.clone(),
    }
}

/// An error and its causes, on one line.
fn chain(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(Some(error), |error| error.source());
    causes.map(ToString::to_string).collect::<Vec<_>>().join(": ")
}
