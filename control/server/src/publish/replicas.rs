//! What a publisher keeps where replicas of control share the store: which views others need, what they watch, how to write editions down.
//!
//! In: editions that were made or read. Out: what the store is to hold of them, and what to ask it for.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use outrigger_control_core::port::EditionRow;
use outrigger_control_core::snapshot::build::BuildError;
use outrigger_control_core::snapshot::ledger::{LedgerChange, VIEWS_MAX};
use outrigger_control_core::snapshot::scope::{Audience, Scope, ScopeError, ViewKey};
use outrigger_model::resource::ResourceKind;
use tokio::sync::oneshot;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tracing::{error, warn};

use crate::publish::edition::{Edition, Topic};
use crate::publish::serving;
use crate::publish::view::View;
use crate::store::{Held, PostgresStore, StoreError, Wake, Wakes, Wanted};
use crate::writer::Writer;

/// A third of the time for which the leader remembers what is wanted.
const ASK_EVERY: Duration = Duration::from_secs(20);
/// How long a watcher waits for a view that the leader has yet to make.
pub const VIEW_WITHIN: Duration = Duration::from_secs(5);

/// Why a watcher gets no view.
#[derive(Debug, thiserror::Error)]
pub enum ViewError {
    #[error("control is stopping")]
    Stopping,
    #[error("{VIEWS_MAX} different sets of needs are watched already; let proxies share theirs")]
    Many,
    #[error("the control that leads has not made a view of these needs in time")]
    Late,
    #[error("no snapshot of these needs can be built")]
    Build(#[from] BuildError),
}

#[derive(Debug)]
pub struct Replicas {
    pub store: PostgresStore,
    pub wakes: Wakes,
    /// Whoever waits for a view that the leader has yet to make.
    pub parked: Vec<Parked>,
    /// Views that only other replicas need; the leader keeps them up to date.
    pub lent: Vec<Arc<View>>,
    /// Views whose bodies are all in the store since this replica leads.
    pub written: BTreeSet<ViewKey>,
    pub is_failing: bool,
    asked_at: Option<Instant>,
}

#[derive(Debug)]
pub struct Parked {
    pub scope: Scope,
    pub until: Instant,
    pub answer: oneshot::Sender<Result<Arc<View>, ViewError>>,
}

impl Replicas {
    pub fn new(store: PostgresStore) -> Self {
        let wakes = store.wakes();
        Self {
            store,
            wakes,
            parked: Vec::new(),
            lent: Vec::new(),
            written: BTreeSet::new(),
            is_failing: false,
            asked_at: None,
        }
    }

    /// The base view as the store holds it. None where another look is needed: there is none yet, this control leads by now, or `stop` came.
    pub async fn first(&mut self, writer: &Writer, stop: &CancellationToken) -> Option<Edition> {
        match self.store.served(&[held(&ViewKey::base(), None)]).await {
            Ok(served) => {
                for one in served {
                    match serving::edition(None, one) {
                        Ok(edition) => return Some(edition),
                        Err(bad) => error!(%bad, "the stored snapshot cannot be served"),
                    }
                }
            }
            Err(error) => warn!(%error, "the store cannot be read"),
        }
        let mut reigns = writer.reigns();
        tokio::select! {
            () = stop.cancelled() => {}
            _ = reigns.changed() => {}
            _ = self.wakes.next() => {}
        }
        None
    }

    /// What the store is to hold of an edition that was made here; all of it the first time.
    pub fn row(&mut self, key: &ViewKey, edition: &Edition, change: &LedgerChange) -> Option<(ViewKey, EditionRow)> {
        for gone in &change.dropped {
            self.written.remove(gone);
        }
        let is_first = self.written.insert(key.clone());
        if !is_first && change.is_nothing() {
            return None;
        }
        let manifest = edition.manifest.entries.values().next()?;
        let mut bodies = BTreeMap::new();
        for kind in ResourceKind::ALL {
            for (name, entry) in &edition.shelf(Topic::Resources(kind)).entries {
                let key = (kind, name.clone());
                if is_first || change.changed.contains_key(&key) {
                    bodies.insert(key, Arc::from(&*entry.body));
                }
            }
        }
        Some((key.clone(), EditionRow { manifest: Arc::from(&*manifest.body), bodies }))
    }

    /// Says which views are needed here; at most every twenty seconds, unless one of them is new.
    pub async fn ask(&mut self, scopes: &[Scope], is_new: bool) -> Result<(), StoreError> {
        if scopes.is_empty() || (!is_new && self.asked_at.is_some_and(|at| at.elapsed() < ASK_EVERY)) {
            return Ok(());
        }
        let wanted: Vec<Wanted> = scopes.iter().map(wanted).collect();
        self.store.want(&wanted).await?;
        self.asked_at = Some(Instant::now());
        Ok(())
    }
}

/// What others wrote; never, where this control is alone.
pub async fn wake(replicas: &mut Option<Replicas>) -> Wake {
    match replicas {
        Some(replicas) => replicas.wakes.next().await,
        None => std::future::pending().await,
    }
}

/// What is held of a view.
pub fn held(key: &ViewKey, edition: Option<&Edition>) -> Held {
    let count = |edition: &Edition| {
        let shelves = ResourceKind::ALL.into_iter().map(|kind| edition.shelf(Topic::Resources(kind)));
        shelves.map(|shelf| shelf.entries.len()).sum()
    };
    Held { view: key.clone(), edition: edition.map(|edition| (edition.epoch, edition.serial, count(edition))) }
}

fn wanted(scope: &Scope) -> Wanted {
    Wanted {
        view: scope.key().clone(),
        is_for_proxies: scope.has_keys(),
        namespace: scope.namespace().clone(),
        needs: scope.needs().map(|(alias, requirement)| format!("{alias}={requirement}")).collect(),
    }
}

/// A scope as another replica wrote it; none if it is not what it says.
pub fn scope(wanted: &Wanted) -> Result<Option<Scope>, ScopeError> {
    let audience = if wanted.is_for_proxies { Audience::Proxies } else { Audience::Observers };
    let scope = Scope::parse(&wanted.needs)?.within(wanted.namespace.clone()).of(audience);
    Ok((*scope.key() == wanted.view).then_some(scope))
}
