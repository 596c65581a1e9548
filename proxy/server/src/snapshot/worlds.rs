//! The one cell that holds the world in use.
//!
//! In: whole worlds, one after the other. Out: the current one, and a sign when it changes.
//! Invariant: one writer; a reader takes no lock and keeps what it took.

use std::sync::Arc;

use arc_swap::ArcSwap;
use outrigger_proxy_core::world::table::World;
use tokio::sync::watch;

/// The world in use.
pub struct Worlds {
    current: ArcSwap<World>,
    changes: watch::Sender<u64>,
    revocations: watch::Sender<u64>,
}

impl Worlds {
    pub fn new(first: World) -> Self {
        Self {
            current: ArcSwap::from_pointee(first),
            changes: watch::Sender::new(0),
            revocations: watch::Sender::new(0),
        }
    }

    /// The world to use for one call, from its beginning to its end.
    pub fn current(&self) -> Arc<World> {
        self.current.load_full()
    }

    /// Puts the next world in place and tells who waits.
    pub fn replace(&self, next: World) {
        let revokes = next.revocations() != self.current.load().revocations();
        self.current.store(Arc::new(next));
        self.changes.send_modify(|count| *count = count.wrapping_add(1));
        if revokes {
            self.revocations.send_modify(|count| *count = count.wrapping_add(1));
        }
    }

    /// Changes when a world was put in place; take it before looking at the current one.
    pub fn changes(&self) -> watch::Receiver<u64> {
        self.changes.subscribe()
    }

    /// The same for a world in which something else is revoked; streams that wait for long watch no others.
    pub fn revocations(&self) -> watch::Receiver<u64> {
        self.revocations.subscribe()
    }
}
