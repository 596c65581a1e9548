//! Publishes every picture to every view that somebody watches.
//!
//! In: pictures of the writer, watchers that ask for a view. Out: editions, and what the store is to remember of them.
//! Never here: who the watchers are.
//! Invariant: one task publishes, so serials of a view only grow; what cannot be built leaves the last good edition
//! where it is.

use std::collections::BTreeMap;
use std::sync::{Arc, Weak};
use std::time::Instant;

use outrigger_control_core::event::EventKind;
use outrigger_control_core::port::SnapshotRow;
use outrigger_control_core::snapshot::build::{BuildError, build};
use outrigger_control_core::snapshot::ledger::{Ledger, LedgerChange, VIEWS_MAX};
use outrigger_control_core::snapshot::scope::{Scope, ViewKey};
use outrigger_model::replica::ReplicaState;
use tokio::sync::{mpsc, oneshot};
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
    base: Arc<View>,
    others: BTreeMap<ViewKey, Other>,
    requests: mpsc::Receiver<Request>,
    /// What could not be built at the last picture, so that the same failure is told once.
    failed: BTreeMap<ViewKey, String>,
}

/// A view that lives as long as somebody watches it.
#[derive(Debug)]
struct Other {
    scope: Scope,
    view: Weak<View>,
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
    let base = Arc::new(View::new(ViewKey::base(), published));
    let (sender, requests) = mpsc::channel(REQUESTS_MAX);
    let views = Views { base: Arc::clone(&base), requests: sender };
    let publisher =
        Publisher { writer, metrics, ledger, base, others: BTreeMap::new(), requests, failed: BTreeMap::new() };
    publisher.count(&picture);
    let row = (!change.is_empty()).then(|| row(&picture, &publisher.base.newest()));
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
        self.others.retain(|_, other| other.view.strong_count() > 0);
        let base = (Scope::base(), Arc::clone(&self.base));
        let others = self.others.values().filter_map(|other| Some((other.scope.clone(), other.view.upgrade()?)));
        let all: Vec<_> = std::iter::once(base).chain(others).collect();
        let mut changes = Vec::new();
        let mut base_row = None;
        for (scope, view) in all {
            let before = view.newest();
            match make(picture, &scope, Some(&before.edition), &mut self.ledger) {
                Ok((published, change)) => {
                    self.failed.remove(view.key());
                    if !change.is_empty() {
                        self.metrics.publish_editions.inc();
                        if *view.key() == ViewKey::base() {
                            base_row = Some(row(picture, &published));
                        }
                        changes.push(change);
                        view.publish(published);
                    } else if before.built.kinds != published.built.kinds {
                        view.publish(published);
                    }
                }
                Err(error) => self.keep(view.key(), &error).await,
            }
        }
        self.count(picture);
        self.metrics.publish_seconds.observe(start.elapsed().as_secs_f64());
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
        if let Some(view) = self.others.get(scope.key()).and_then(|other| other.view.upgrade()) {
            return Ok(view);
        }
        self.others.retain(|_, other| other.view.strong_count() > 0);
        if self.others.len() >= VIEWS_MAX {
            return Err(ViewError::Many);
        }
        let picture = self.writer.picture();
        let (published, change) = make(&picture, &scope, None, &mut self.ledger)?;
        let key = scope.key().clone();
        let view = Arc::new(View::new(key.clone(), published));
        self.others.insert(key, Other { scope, view: Arc::downgrade(&view) });
        self.count(&picture);
        self.record(None, vec![change]).await;
        Ok(view)
    }

    fn all(&self) -> Vec<Arc<View>> {
        let others = self.others.values().filter_map(|other| other.view.upgrade());
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
        ledger.retain(|change| !change.is_empty());
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
    let built = Arc::new(build(&picture.facts, &picture.intent, picture.book.revocations(), scope)?);
    let origin = Origin {
        epoch: picture.epoch,
        serial: picture.serial,
        made_at: picture.made_at,
        reason: picture.reason.clone(),
    };
    let Assembled { edition, change } = assemble(scope.key(), &built.snapshot, before, ledger, &origin);
    Ok((Published { edition, built }, change))
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
