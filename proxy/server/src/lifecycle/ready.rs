//! Whether the proxy is ready, and if not, why.
//!
//! In: conditions, each held by the part that knows it. Out: ready or the list of what is missing.
//! Invariant: ready only while every condition is met and stopping has not begun; a dropped condition counts as met no more.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::watch;

/// Shared by its clones.
#[derive(Debug, Clone)]
pub struct Readiness(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    state: Mutex<State>,
    changes: watch::Sender<bool>,
}

#[derive(Debug, Default)]
struct State {
    /// Conditions that are not met, with what they wait for.
    missing: BTreeMap<&'static str, String>,
    /// Facts that a person wants to see beside `ready`, such as that the snapshot is old.
    notes: BTreeMap<&'static str, String>,
    started: bool,
    stopping: bool,
}

/// One thing that must be so before calls are welcome.
#[derive(Debug)]
pub struct Condition {
    name: &'static str,
    readiness: Readiness,
}

/// What a probe is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    pub started: bool,
    pub ready: bool,
    /// `name: what it waits for`, and notes.
    pub details: Vec<String>,
}

impl Default for Readiness {
    fn default() -> Self {
        Self(Arc::new(Inner { state: Mutex::default(), changes: watch::Sender::new(false) }))
    }
}

impl Readiness {
    /// A condition that is not met yet; `waits_for` says what is awaited.
    pub fn condition(&self, name: &'static str, waits_for: &str) -> Condition {
        self.change(|state| state.missing.insert(name, waits_for.to_owned()));
        Condition { name, readiness: self.clone() }
    }

    /// Everything that must run runs; from now on the conditions decide.
    pub fn started(&self) {
        self.change(|state| state.started = true);
    }

    /// The proxy ends: it is never ready again.
    pub fn stopping(&self) {
        self.change(|state| state.stopping = true);
    }

    /// Tells people something beside ready or not; none takes it back.
    pub fn note(&self, name: &'static str, text: Option<String>) {
        self.change(|state| match text {
            Some(text) => drop(state.notes.insert(name, text)),
            None => drop(state.notes.remove(name)),
        });
    }

    pub fn is_ready(&self) -> bool {
        *self.0.changes.borrow()
    }

    /// Waits until the proxy is ready.
    pub async fn until_ready(&self) {
        // The sender lives as long as `self`, so this ends only when ready.
        let _ = self.0.changes.subscribe().wait_for(|ready| *ready).await;
    }

    pub fn report(&self) -> Report {
        let state = self.0.state.lock().unwrap_or_else(PoisonError::into_inner);
        let line = |(name, text): (&&'static str, &String)| format!("{name}: {text}");
        let mut details: Vec<String> = state.missing.iter().map(line).collect();
        details.extend(state.notes.iter().map(line));
        if state.stopping {
            details.push("stopping".to_owned());
        }
        Report { started: state.started, ready: state.is_ready(), details }
    }

    fn change<T>(&self, change: impl FnOnce(&mut State) -> T) {
        let mut state = self.0.state.lock().unwrap_or_else(PoisonError::into_inner);
        change(&mut state);
        // Sent under the lock, so that two changes cannot be told in the wrong order.
        self.0.changes.send_replace(state.is_ready());
    }
}

impl State {
    fn is_ready(&self) -> bool {
        self.started && !self.stopping && self.missing.is_empty()
    }
}

impl Condition {
    pub fn met(&self) {
        self.readiness.change(|state| state.missing.remove(self.name));
    }

    pub fn unmet(&self, waits_for: &str) {
        self.readiness.change(|state| state.missing.insert(self.name, waits_for.to_owned()));
    }
}

impl Drop for Condition {
    fn drop(&mut self) {
        self.unmet("its task ended");
    }
}
