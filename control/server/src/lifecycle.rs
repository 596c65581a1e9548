//! Which parts of control are up, and how all of them are told to stop.
//!
//! In: parts that say when they are up. Out: the answers of the health endpoints; a token that ends everything.
//! Invariant: control is ready only while every part that was announced is up and nobody asked it to stop.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};

use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// Shared by every part of control.
#[derive(Debug, Clone, Default)]
pub struct Lifecycle {
    waiting: Arc<Mutex<BTreeSet<&'static str>>>,
    stopping: CancellationToken,
    tasks: TaskTracker,
}

/// Held by a part that is not up yet.
#[derive(Debug)]
pub struct StartGuard {
    part: &'static str,
    waiting: Arc<Mutex<BTreeSet<&'static str>>>,
}

impl Lifecycle {
    /// Announces a part: control is not ready before [`StartGuard::up`].
    pub fn announce(&self, part: &'static str) -> StartGuard {
        lock(&self.waiting).insert(part);
        StartGuard { part, waiting: Arc::clone(&self.waiting) }
    }

    /// The parts that are not up yet, for people.
    pub fn waits_for(&self) -> Vec<&'static str> {
        lock(&self.waiting).iter().copied().collect()
    }

    pub fn has_started(&self) -> bool {
        lock(&self.waiting).is_empty()
    }

    pub fn is_ready(&self) -> bool {
        self.has_started() && !self.stopping.is_cancelled()
    }

    pub fn stop(&self) {
        self.stopping.cancel();
    }

    /// Cancelled when control is to stop.
    pub fn stopping(&self) -> &CancellationToken {
        &self.stopping
    }

    /// Owns every task of control, and waits for them at the end.
    pub fn tasks(&self) -> &TaskTracker {
        &self.tasks
    }
}

impl StartGuard {
    pub fn up(self) {
        lock(&self.waiting).remove(self.part);
    }
}

fn lock<'a>(waiting: &'a Mutex<BTreeSet<&'static str>>) -> std::sync::MutexGuard<'a, BTreeSet<&'static str>> {
    waiting.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests;
