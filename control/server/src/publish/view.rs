//! One view: what watchers of equal needs are told, and the frames that they share.
//!
//! Invariant: whoever holds a view has an edition of it; the newest one replaces all before it, nothing queues.

use std::sync::Arc;

use outrigger_control_core::snapshot::build::Built;
use outrigger_control_core::snapshot::scope::ViewKey;
use tokio::sync::watch;

use crate::publish::cache::FrameCache;
use crate::publish::edition::Edition;

/// An edition, and the snapshot that it was made from.
#[derive(Debug, Clone)]
pub struct Published {
    pub edition: Arc<Edition>,
    pub built: Arc<Built>,
}

#[derive(Debug)]
pub struct View {
    key: ViewKey,
    newest: watch::Sender<Published>,
    frames: FrameCache,
}

impl View {
    pub fn new(key: ViewKey, first: Published) -> Self {
        Self { key, newest: watch::Sender::new(first), frames: FrameCache::default() }
    }

    pub fn key(&self) -> &ViewKey {
        &self.key
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
