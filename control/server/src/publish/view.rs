//! One view: what watchers of equal needs are told, and the frames that they share.
//!
//! Invariant: whoever holds a view has an edition of it; the newest one replaces all before it, nothing queues.

use std::sync::Arc;

use outrigger_control_core::snapshot::build::Built;
use outrigger_control_core::snapshot::scope::{Scope, ViewKey};
use tokio::sync::watch;

use crate::publish::cache::FrameCache;
use crate::publish::edition::Edition;

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
}

impl View {
    pub fn new(scope: Scope, first: Published) -> Self {
        Self { scope, newest: watch::Sender::new(first), frames: FrameCache::default() }
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
