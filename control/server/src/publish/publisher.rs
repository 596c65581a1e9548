//! Publishes every picture to every view that somebody watches.
//!
//! In: pictures of the writer, watchers that ask for a view. Out: editions, what the store is to remember of them, and who is in which lane,
//! which is told once the views of the lanes have it. Where this replica of control follows another, editions are those that the store holds,
//! all of the main lane.
//! Never here: who the watchers are.
//! Invariant: one task publishes, so serials of a view only grow; what cannot be built leaves the last good edition
//! where it is.

mod follow;

use std::collections::BTreeMap;
use std::sync::{Arc, Weak};
use std::time::Instant;

use outrigger_control_core::event::EventKind;
use outrigger_control_core::port::SnapshotRow;
use outrigger_control_core::rollout::lane::{Lane, Membership};
use outrigger_control_core::snapshot::build::{BuildError, Built, Shared, build};
use outrigger_control_core::snapshot::ledger::{Ledger, LedgerChange, VIEWS_MAX};
use outrigger_control_core::snapshot::scope::{Scope, ViewKey};
use outrigger_model::replica::ReplicaState;
use tokio::sync::{mpsc, oneshot, watch};
use tokio_util::sync::CancellationToken;
use tracing::{error, info};

use crate::causes::chain;
use crate::publish::assemble::{Assembled, Origin, assemble};
use crate::publish::edition::Edition;
use crate::publish::replicas::{self, Replicas};
use crate::publish::view::{Published, View};
use crate::store::PostgresStore;
use crate::telemetry::metrics::{Metrics, StateLabel};
use crate::writer::{Picture, Recorded, Reign, Writer};

pub use crate::publish::replicas::ViewError;

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
    /// The one that this control leads in; none while it follows.
    term: Option<u64>,
    /// Where replicas share the store.
    replicas: Option<Replicas>,
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

/// Publishes the first snapshot; afterwards watchers can be served. None: `stop` came before there was one.
pub async fn open(
    writer: Writer,
    store: Option<PostgresStore>,
    metrics: Metrics,
    stop: &CancellationToken,
) -> Result<Option<(Views, Publisher)>, BuildError> {
    let mut replicas = store.map(Replicas::new);
    let (term, ledger, published, change) = loop {
        if stop.is_cancelled() {
            return Ok(None);
        }
        match (writer.reign(), &mut replicas) {
            (Reign::Own { term, ledger }, _) => {
                let mut ledger = Ledger::clone(&ledger);
                let (published, change) = make(&writer.picture(), &Scope::base(), None, &mut ledger)?;
                break (Some(term), ledger, published, change);
            }
            (Reign::Other(_), Some(replicas)) => {
                if let Some(edition) = replicas.first(&writer, stop).await {
                    let picture = writer.picture();
                    let built = Arc::new(built(&picture, &Scope::base()).unwrap_or_default());
                    let published = Published { edition: Arc::new(edition), built, intent: picture.main.number };
                    break (None, Ledger::default(), published, LedgerChange::default());
                }
            }
            // Only who shares a store follows.
            (Reign::Other(_), None) => return Ok(None),
        }
    };
    let picture = writer.picture();
    let base = Arc::new(View::new(Scope::base(), published));
    let (sender, requests) = mpsc::channel(REQUESTS_MAX);
    let (lanes, told) = watch::channel(picture.membership());
    let views = Views { base: Arc::clone(&base), lanes: told, requests: sender };
    let (others, failed) = (BTreeMap::new(), BTreeMap::new());
    let tried = Ledger::default();
    let mut publisher =
        Publisher { writer, metrics, ledger, tried, lanes, base, others, requests, failed, term, replicas };
    publisher.count(&picture);
    if term.is_some() {
        let row = (!change.is_nothing()).then(|| row(&picture, &publisher.base.newest()));
        let base = Arc::clone(&publisher.base);
        publisher.record(row, vec![(base, change)]).await;
    }
    Ok(Some((views, publisher)))
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
                    self.go_by(&picture).await;
                }
                wake = replicas::wake(&mut self.replicas) => self.wake(wake).await,
                request = self.requests.recv() => match request {
                    // Whoever asked may have gone.
                    Some(Request::View { scope, answer }) => self.find(scope, answer).await,
                    Some(Request::All { answer }) => drop(answer.send(self.all())),
                    None => return,
                },
            }
            let serial = self.base.newest().edition.serial;
            if serial != told {
                told = serial;
                info!(%serial, reason = self.writer.picture().reason, "snapshot published");
            }
        }
    }

    /// Publishes a picture where this control leads; else only shows it to operators.
    async fn go_by(&mut self, picture: &Picture) {
        match self.writer.reign() {
            Reign::Own { term, ledger } => {
                if self.term != Some(term) {
                    self.begin(term, &ledger).await;
                }
                self.publish(picture).await;
            }
            Reign::Other(_) => {
                if self.term.take().is_some() {
                    self.leave_lanes();
                }
                self.show(picture);
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
                        view.publish(published);
                    } else {
                        // Equal to the one before, or the first that this control made of a view that another did.
                        let is_other = !Arc::ptr_eq(&before.edition, &published.edition);
                        let is_told = before.built.kinds != published.built.kinds || before.intent != published.intent;
                        if is_other || is_told {
                            view.publish(published);
                        }
                    }
                    if view.scope().lane() == Lane::Main {
                        changes.push((view, change));
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

    /// Answers at once where this control leads; else as soon as the leader has made the view.
    async fn find(&mut self, scope: Scope, answer: oneshot::Sender<Result<Arc<View>, ViewError>>) {
        if self.term.is_some() {
            // Whoever asked may have gone.
            drop(answer.send(self.view(scope).await));
        } else {
            self.park(scope, answer).await;
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
        let view = View::new(scope, published);
        let view = Arc::new(if remembers { view.remembering(before.as_ref()) } else { view });
        self.others.insert(key, Arc::downgrade(&view));
        self.count(&picture);
        let changes = if is_main { vec![(Arc::clone(&view), change)] } else { Vec::new() };
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

    async fn record(&mut self, snapshot: Option<SnapshotRow>, changes: Vec<(Arc<View>, LedgerChange)>) {
        let mut editions = Vec::new();
        if let Some(replicas) = &mut self.replicas {
            for (view, change) in &changes {
                editions.extend(replicas.row(view.key(), &view.newest().edition, change));
            }
        }
        let ledger: Vec<_> =
            changes.into_iter().map(|(_, change)| change).filter(|change| !change.is_nothing()).collect();
        if snapshot.is_some() || !ledger.is_empty() || !editions.is_empty() {
            // A writer that stopped has stored what it could; nothing is lost but a resend after the next start.
            let _ = self.writer.record(Recorded { snapshot, ledger, editions }).await;
        }
    }
}

fn make(
    picture: &Picture,
    scope: &Scope,
    before: Option<&Arc<Edition>>,
    ledger: &mut Ledger,
) -> Result<(Published, LedgerChange), BuildError> {
    let built = Arc::new(built(picture, scope)?);
    let head = picture.head(scope);
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

fn built(picture: &Picture, scope: &Scope) -> Result<Built, BuildError> {
    let shared = Shared { revocations: picture.book.revocations(), keyring: &picture.keyring };
    build(&picture.mesh, &picture.head(scope).intent, &shared, scope)
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
