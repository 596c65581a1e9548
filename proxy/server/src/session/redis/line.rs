//! The connection to Redis while there is one, and the breaker that takes it away.
//!
//! In: how requests went. Out: a [`Wire`] for the next one, or none at once.
//! Never here: dialling.
//! Invariant: whoever finds no connection waits for nothing; after a few failures in a row nobody finds one until Redis has
//! answered a PING again.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, OnceLock};

use arc_swap::ArcSwapOption;
use tokio::sync::Notify;

use super::dial::Wire;
use crate::telemetry::StoreFault;

const FAILURES_MAX: u32 = 3;

#[derive(Default)]
pub(super) struct Line {
    open: ArcSwapOption<Open>,
}

/// One connection, from its first PING until it is taken away.
pub(super) struct Open {
    wire: Wire,
    failures: AtomicU32,
    ended_by: OnceLock<StoreFault>,
    ended: Notify,
}

impl Line {
    pub fn current(&self) -> Option<Arc<Open>> {
        self.open.load_full()
    }

    pub fn open(&self, wire: Wire) -> Arc<Open> {
        let ended = Notify::new();
        let open = Arc::new(Open { wire, failures: AtomicU32::new(0), ended_by: OnceLock::new(), ended });
        self.open.store(Some(Arc::clone(&open)));
        open
    }

    pub fn close(&self) {
        self.open.store(None);
    }
}

impl Open {
    pub fn wire(&self) -> Wire {
        self.wire.clone()
    }

    /// Ends when requests fail in a way that takes this connection away.
    pub async fn ended(&self) -> StoreFault {
        self.ended.notified().await;
        self.ended_by.get().copied().unwrap_or(StoreFault::Connection)
    }

    pub fn answered(&self) {
        self.failures.store(0, Ordering::Relaxed);
    }

    /// Whether that was one too many.
    pub fn failed(&self, fault: StoreFault) -> bool {
        let is_over = match fault {
            // The node is gone, is no node of ours any more, or says nothing that can be understood.
            StoreFault::Connection | StoreFault::Garbage | StoreFault::ReadOnly | StoreFault::Loading => true,
            StoreFault::Timeout => self.failures.fetch_add(1, Ordering::Relaxed) + 1 >= FAILURES_MAX,
            // It answers at once, and the next request may fare better.
            StoreFault::Full | StoreFault::Denied | StoreFault::Unreadable | StoreFault::Error => false,
            // It was not asked.
            StoreFault::Away | StoreFault::TooLarge | StoreFault::Dropped => false,
        };
        if is_over {
            let _ = self.ended_by.set(fault);
            self.ended.notify_one();
        }
        is_over
    }
}
