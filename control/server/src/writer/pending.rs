//! What the store does not hold yet.
//!
//! In: what each command changed, what was published. Out: a batch with all of it.
//! Invariant: bounded, however long the store fails: of replicas only the ids wait, and past a limit everything is
//! written anew; of events and snapshot rows the newest wait; changes of one view become one, so they are never more than
//! the view itself.

mod merged;

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use outrigger_control_core::event::Event;
use outrigger_control_core::keyring::HeldKey;
use outrigger_control_core::port::{Batch, EditionRow, SnapshotRow};
use outrigger_control_core::registry::{Applied, Registry};
use outrigger_control_core::revocation::Target;
use outrigger_control_core::rollout::course::Rollout;
use outrigger_control_core::snapshot::scope::ViewKey;
use outrigger_model::digest::Digest;
use outrigger_model::name::ReplicaId;
use outrigger_model::resource::Serial;

use super::message::Recorded;
use merged::Merged;

const REPLICAS_WAITING_MAX: usize = 50_000;
const EVENTS_WAITING_MAX: usize = 10_000;
const RECORDS_WAITING_MAX: usize = 1_000;

#[derive(Debug, Default)]
pub struct Pending {
    touched: BTreeSet<ReplicaId>,
    is_whole: bool,
    intent: Option<Digest>,
    /// All of them are in the book, which is bounded.
    revoked: BTreeSet<Target>,
    revoked_before: u64,
    events: VecDeque<Event>,
    snapshots: VecDeque<SnapshotRow>,
    ledger: Merged,
    /// The newest of each view.
    editions: BTreeMap<ViewKey, EditionRow>,
    keys: Option<Vec<HeldKey>>,
    rollout: Option<Rollout>,
}

impl Pending {
    pub fn add(&mut self, applied: Applied) {
        self.touched.extend(applied.touched);
        if self.touched.len() > REPLICAS_WAITING_MAX {
            self.touched.clear();
            self.is_whole = true;
        }
        self.revoked.extend(applied.revoked);
        for target in &applied.released {
            self.revoked.remove(target);
        }
        self.revoked_before = self.revoked_before.max(applied.released_before);
        self.events.extend(applied.events);
        cut(&mut self.events, EVENTS_WAITING_MAX);
    }

    pub fn record(&mut self, recorded: Recorded) {
        self.snapshots.extend(recorded.snapshot);
        cut(&mut self.snapshots, RECORDS_WAITING_MAX);
        for change in recorded.ledger {
            for view in &change.dropped {
                self.editions.remove(view);
            }
            self.ledger.add(change);
        }
        for (view, edition) in recorded.editions {
            let waiting = self.editions.entry(view.clone()).or_default();
            waiting.manifest = edition.manifest;
            waiting.bodies.extend(edition.bodies);
            // What the view has no more needs no body.
            for gone in self.ledger.removed(&view) {
                waiting.bodies.remove(gone);
            }
        }
    }

    pub fn set_intent(&mut self, intent: Option<Digest>) {
        self.intent = intent;
    }

    pub fn set_keys(&mut self, keys: Vec<HeldKey>) {
        self.keys = Some(keys);
    }

    pub fn set_rollout(&mut self, rollout: Rollout) {
        self.rollout = Some(rollout);
    }

    pub fn is_empty(&self) -> bool {
        self.touched.is_empty()
            && !self.is_whole
            && self.intent.is_none()
            && self.revoked.is_empty()
            && self.revoked_before == 0
            && self.events.is_empty()
            && self.snapshots.is_empty()
            && self.ledger.is_empty()
            && self.editions.is_empty()
            && self.keys.is_none()
            && self.rollout.is_none()
    }

    /// All of it, with the replicas and revocations as they are in `registry` now.
    pub fn batch(&self, registry: &Registry, serial: Serial) -> Batch {
        let (facts, book) = (registry.facts(), registry.book());
        let (put, removed) = if self.is_whole {
            (facts.standings().cloned().collect(), Vec::new())
        } else {
            let put = self.touched.iter().filter_map(|id| facts.get(id).cloned()).collect();
            (put, self.touched.iter().filter(|id| facts.get(id).is_none()).cloned().collect())
        };
        Batch {
            serial,
            intent: self.intent,
            intents: Vec::new(),
            put,
            removed,
            is_whole: self.is_whole,
            revoked: self.revoked.iter().filter_map(|target| book.get(target)).collect(),
            revoked_before: self.revoked_before,
            events: self.events.iter().cloned().collect(),
            snapshots: self.snapshots.iter().cloned().collect(),
            ledger: self.ledger.changes(),
            editions: self.editions.clone(),
            keys: self.keys.clone(),
            rollout: self.rollout.clone(),
        }
    }

    /// The store holds it now.
    pub fn clear(&mut self) {
        *self = Self::default();
    }
}

/// Drops the oldest beyond a limit.
fn cut<T>(queue: &mut VecDeque<T>, len_max: usize) {
    let too_many = queue.len().saturating_sub(len_max);
    queue.drain(..too_many);
}
