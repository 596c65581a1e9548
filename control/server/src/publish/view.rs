//! One view: what watchers of equal needs are told, and the frames that they share.
//!
//! Invariant: whoever holds a view has an edition of it; the newest one replaces all before it, nothing queues.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use outrigger_control_core::snapshot::build::Built;
use outrigger_control_core::snapshot::ledger;
use outrigger_control_core::snapshot::scope::{Scope, ViewKey};
use tokio::sync::watch;

use crate::publish::cache::FrameCache;
use crate::publish::edition::Edition;
use crate::publish::past::Past;

/// An edition, and the snapshot that it was made from.
#[derive(Debug, Clone)]
pub struct Published {
    pub edition: Arc<Edition>,
    pub built: Arc<Built>,
    /// The number of the intent that it was made with.
    pub intent: u64,
}

#[derive(Debug)]
pub struct View {
    scope: Scope,
    newest: watch::Sender<Published>,
    frames: FrameCache,
    past: Option<Mutex<Past>>,
}

impl View {
    pub fn new(scope: Scope, first: Published) -> Self {
        Self { scope, newest: watch::Sender::new(first), frames: FrameCache::default(), past: None }
    }

    /// The same for readers that go on from a place: it remembers what it publishes, and what the store told of it last.
    pub fn remembering(self, before: Option<&ledger::View>) -> Self {
        let first = Arc::clone(&self.newest.borrow().edition);
        Self { past: Some(Mutex::new(Past::new(first, before))), ..self }
    }

    /// What happened before; none of a view that remembers nothing.
    pub fn past(&self) -> Option<MutexGuard<'_, Past>> {
        // A past that somebody panicked over is still in order: steps are put in whole.
        self.past.as_ref().map(|past| past.lock().unwrap_or_else(PoisonError::into_inner))
    }

    pub fn key(&self) -> &ViewKey {
        self.scope.key()
    }

    pub fn scope(&self) -> &Scope {
        &self.scope
    }

    pub fn frames(&self) -> &FrameCache {
        &self.frames
    }

    pub fn publish(&self, published: Published) {
        // First it is remembered, then shown: what leads to the newest edition is always known.
        if let Some(mut past) = self.past() {
            past.push(Arc::clone(&published.edition));
        }
        self.newest.send_replace(published);
    }

    pub fn newest(&self) -> Published {
        self.newest.borrow().clone()
    }

    /// Wakes whenever there is a newer edition.
    pub fn follow(&self) -> watch::Receiver<Published> {
        self.newest.subscribe()
    }
}
