//! The agents that registered themselves, and what each was told last.
//!
//! In: an [`Entry`] after each full heartbeat; what the newest sheet says of it. Out: the signal that a light one is answered with.
//! Never here: leases, which the registry holds.
//! Invariant: a body that is found here was read, judged and taken, and is the newest of its agent.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU8, AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

use bytes::Bytes;
use outrigger_model::digest::Digest;
use outrigger_model::name::{NodeId, ReplicaId};
use outrigger_model::registration::Registration;
use outrigger_model::requirement::Dependency;

use crate::upstream::resolved::Resolved;

/// What a light heartbeat is answered with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Signal {
    /// What it was told still holds.
    Same,
    /// It would be told something else now.
    Changed,
    /// It has to register.
    Gone,
}

/// One agent.
#[derive(Debug)]
pub struct Entry {
    pub id: ReplicaId,
    pub agent: String,
    pub node: NodeId,
    pub body: Digest,
    pub registration: Arc<Registration>,
    pub needs: Vec<Dependency>,
    /// One per need.
    pub told: Vec<Arc<Resolved>>,
    pub answer: Bytes,
    signal: AtomicU8,
    /// In milliseconds since control started.
    renewed: AtomicU64,
}

#[derive(Debug, Default)]
pub struct Directory {
    index: RwLock<Index>,
}

#[derive(Debug, Default)]
struct Index {
    entries: HashMap<ReplicaId, Arc<Entry>>,
    bodies: HashMap<Digest, ReplicaId>,
}

/// The parts of an entry that are read from a heartbeat.
#[derive(Debug, Clone)]
pub struct Registered {
    pub id: ReplicaId,
    pub agent: String,
    pub node: NodeId,
    pub body: Digest,
    pub registration: Arc<Registration>,
    pub needs: Vec<Dependency>,
}

impl Entry {
    pub fn new(registered: Registered, told: Vec<Arc<Resolved>>, answer: Bytes, now_ms: u64) -> Self {
        let Registered { id, agent, node, body, registration, needs } = registered;
        let (signal, renewed) = (AtomicU8::new(0), AtomicU64::new(now_ms));
        Self { id, agent, node, body, registration, needs, told, answer, signal, renewed }
    }

    pub fn registered(&self) -> Registered {
        let Self { id, agent, node, body, registration, needs, .. } = self;
        Registered {
            id: id.clone(),
            agent: agent.clone(),
            node: node.clone(),
            body: *body,
            registration: Arc::clone(registration),
            needs: needs.clone(),
        }
    }

    pub fn signal(&self) -> Signal {
        match self.signal.load(Ordering::Relaxed) {
            0 => Signal::Same,
            1 => Signal::Changed,
            _ => Signal::Gone,
        }
    }

    pub fn set(&self, signal: Signal) {
        let number = match signal {
            Signal::Same => 0,
            Signal::Changed => 1,
            Signal::Gone => 2,
        };
        self.signal.store(number, Ordering::Relaxed);
    }

    /// Whether its lease should be renewed now; of those who ask at once one is told so.
    pub fn is_due(&self, now_ms: u64, every_ms: u64) -> bool {
        let last = self.renewed.load(Ordering::Relaxed);
        now_ms.saturating_sub(last) >= every_ms
            && self.renewed.compare_exchange(last, now_ms, Ordering::Relaxed, Ordering::Relaxed).is_ok()
    }

    /// The renewal could not be sent: the next signal tries again.
    pub fn not_renewed(&self) {
        self.renewed.store(0, Ordering::Relaxed);
    }
}

impl Directory {
    pub fn find(&self, id: &str) -> Option<Arc<Entry>> {
        self.index.read().unwrap_or_else(PoisonError::into_inner).entries.get(id).cloned()
    }

    /// Who sent this body last.
    pub fn of_body(&self, body: &Digest) -> Option<Arc<Entry>> {
        let index = self.index.read().unwrap_or_else(PoisonError::into_inner);
        index.bodies.get(body).and_then(|id| index.entries.get(id)).cloned()
    }

    pub fn all(&self) -> Vec<Arc<Entry>> {
        self.index.read().unwrap_or_else(PoisonError::into_inner).entries.values().cloned().collect()
    }

    pub fn put(&self, entry: Arc<Entry>) {
        let mut index = self.index.write().unwrap_or_else(PoisonError::into_inner);
        let (id, body) = (entry.id.clone(), entry.body);
        if let Some(old) = index.entries.insert(id.clone(), entry)
            && old.body != body
        {
            index.bodies.remove(&old.body);
        }
        index.bodies.insert(body, id);
    }

    /// Drops this very entry, if it is still the one of its agent.
    pub fn remove(&self, entry: &Arc<Entry>) {
        let mut index = self.index.write().unwrap_or_else(PoisonError::into_inner);
        if index.entries.get(&entry.id).is_some_and(|held| Arc::ptr_eq(held, entry)) {
            index.entries.remove(&entry.id);
            index.bodies.remove(&entry.body);
        }
    }
}
