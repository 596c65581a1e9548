//! Keeps one edition of standard resources for all clients that are told the same, for as long as one of them is there.
//!
//! In: a scope and a dialect. Out: a [`Hall`], which always has an edition.
//! Never here: who the clients are.
//! Invariant: an edition follows each edition of the view that it is made from, and serials only grow.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use outrigger_control_core::snapshot::ledger::{Ledger, LedgerChange};
use outrigger_control_core::snapshot::scope::{Scope, ViewKey};
use outrigger_identity::Material;
use outrigger_model::digest::Digest;
use tokio::sync::watch;
use tokio_util::sync::{CancellationToken, DropGuard};

use crate::lifecycle::Lifecycle;
use crate::publish::publisher::{ViewError, Views};
use crate::publish::view::{Published, View};
use crate::stock::assemble::assemble;
use crate::stock::dialect::Dialect;
use crate::stock::shelf::Edition;
use crate::stock::view::{Trust, translate};
use crate::writer::{Recorded, Writer};

/// How the keys of views begin that stock clients see.
const KEY_START: &str = "stock-";

/// Hands out halls. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Halls(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    views: Views,
    writer: Writer,
    lifecycle: Lifecycle,
    trust: Option<Trust>,
    ledger: Mutex<Ledger>,
    open: Mutex<BTreeMap<ViewKey, Weak<Hall>>>,
}

/// What clients of one scope and one dialect are told.
#[derive(Debug)]
pub struct Hall {
    key: ViewKey,
    newest: watch::Sender<Arc<Edition>>,
    _ends_follower: DropGuard,
}

impl Halls {
    /// `ledger`: what the store remembered, of which those of our own views are left out.
    pub fn new(
        views: &Views,
        writer: &Writer,
        lifecycle: &Lifecycle,
        material: Option<&Material>,
        ledger: &Ledger,
    ) -> Self {
        let mut own = Ledger::default();
        for (key, view) in ledger.views().filter(|(key, _)| key.as_str().starts_with(KEY_START)) {
            own.restore(key.clone(), view.clone());
        }
        Self(Arc::new(Inner {
            views: views.clone(),
            writer: writer.clone(),
            lifecycle: lifecycle.clone(),
            trust: material.map(Trust::of),
            ledger: Mutex::new(own),
            open: Mutex::default(),
        }))
    }

    pub async fn watch(&self, scope: Scope, dialect: &Dialect) -> Result<Arc<Hall>, ViewError> {
        let key = key(scope.key(), dialect);
        if let Some(hall) = lock(&self.0.open).get(&key).and_then(Weak::upgrade) {
            return Ok(hall);
        }
        let view = self.0.views.watch(scope).await?;
        // From here on nothing that is published is missed.
        let mut editions = view.follow();
        let published = editions.borrow_and_update().clone();
        let (edition, change) = self.0.make(&key, dialect, &published, None);
        self.0.record(change).await;
        let stop = CancellationToken::new();
        let hall = Arc::new(Hall {
            key: key.clone(),
            newest: watch::Sender::new(edition),
            _ends_follower: stop.clone().drop_guard(),
        });
        let mut open = lock(&self.0.open);
        if let Some(other) = open.get(&key).and_then(Weak::upgrade) {
            return Ok(other);
        }
        open.retain(|_, hall| hall.strong_count() > 0);
        open.insert(key, Arc::downgrade(&hall));
        drop(open);
        let follower =
            Follower { inner: Arc::clone(&self.0), hall: Arc::downgrade(&hall), dialect: dialect.clone(), _view: view };
        self.0.lifecycle.tasks().spawn(follower.run(editions, stop));
        Ok(hall)
    }
}

impl Hall {
    pub fn key(&self) -> &ViewKey {
        &self.key
    }

    pub fn newest(&self) -> Arc<Edition> {
        Arc::clone(&self.newest.borrow())
    }

    /// Wakes whenever there is a newer edition.
    pub fn follow(&self) -> watch::Receiver<Arc<Edition>> {
        self.newest.subscribe()
    }
}

/// Makes an edition of a hall for each of its view, until the hall is empty.
struct Follower {
    inner: Arc<Inner>,
    hall: Weak<Hall>,
    dialect: Dialect,
    /// Kept for as long as there is a hall of it.
    _view: Arc<View>,
}

impl Follower {
    async fn run(self, mut editions: watch::Receiver<Published>, stop: CancellationToken) {
        let stopping = self.inner.lifecycle.stopping().clone();
        loop {
            tokio::select! {
                () = stop.cancelled() => return,
                () = stopping.cancelled() => return,
                changed = editions.changed() => if changed.is_err() {
                    return;
                },
            }
            let published = editions.borrow_and_update().clone();
            let Some(hall) = self.hall.upgrade() else { return };
            let before = hall.newest();
            let (edition, change) = self.inner.make(&hall.key, &self.dialect, &published, Some(&before));
            if !change.is_empty() {
                hall.newest.send_replace(edition);
                self.inner.record(change).await;
            }
        }
    }
}

impl Inner {
    fn make(
        &self,
        key: &ViewKey,
        dialect: &Dialect,
        published: &Published,
        before: Option<&Arc<Edition>>,
    ) -> (Arc<Edition>, LedgerChange) {
        let drafts = translate(&published.built.snapshot, dialect, self.trust.as_ref());
        let at = (published.edition.epoch, published.edition.serial);
        assemble(key, drafts, before, &mut lock(&self.ledger), at)
    }

    async fn record(&self, change: LedgerChange) {
        if !change.is_empty() {
            // A writer that stopped has stored what it could; nothing is lost but a resend after the next start.
            let _ = self.writer.record(Recorded { snapshot: None, ledger: vec![change], editions: Vec::new() }).await;
        }
    }
}

fn key(scope: &ViewKey, dialect: &Dialect) -> ViewKey {
    let digest = Digest::of_parts([scope.as_str().as_bytes(), dialect.digest().as_bytes().as_slice()]);
    ViewKey::stored(&format!("{KEY_START}{}-{digest}", dialect.as_str()))
}

fn lock<T>(of: &Mutex<T>) -> MutexGuard<'_, T> {
    // What a panicking holder left behind is still a ledger, or a list.
    of.lock().unwrap_or_else(PoisonError::into_inner)
}
