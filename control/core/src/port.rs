//! What control needs of a store.
//!
//! A store holds the facts, the event log, every intent, one row per snapshot, the ledger, the keys of session ids, and the newest rollout. It is written in one
//! place, batch by batch, each in one transaction; it is loaded once, at the start. Intents are added and never changed or dropped.
//! Never here: how any of it is stored.

use std::collections::BTreeMap;
use std::fmt;
use std::future::Future;
use std::sync::Arc;
use std::time::SystemTime;

use outrigger_model::digest::Digest;
use outrigger_model::name::ReplicaId;
use outrigger_model::resource::{Epoch, Serial};

use crate::event::Event;
use crate::facts::Standing;
use crate::intent::record::IntentRecord;
use crate::keyring::HeldKey;
use crate::revocation::Revoked;
use crate::rollout::course::Rollout;
use crate::snapshot::ledger::{Ledger, LedgerChange, ResourceKey};
use crate::snapshot::scope::ViewKey;

/// Newest events that are kept.
pub const EVENTS_KEPT: u64 = 100_000;
/// Newest snapshot rows that are kept.
pub const SNAPSHOTS_KEPT: u64 = 1_000;

/// Everything a store held when control started.
#[derive(Debug, Clone, PartialEq)]
pub struct Stored {
    /// Made when the store was created.
    pub epoch: Epoch,
    /// The newest serial that was ever committed.
    pub serial: Serial,
    /// Of the intent that the serial was made with; none in a new store.
    pub intent: Option<Digest>,
    /// The newest, which is the one that runs; none in a new store.
    pub intent_record: Option<IntentRecord>,
    /// Of the document of the newest record whose source is the file.
    pub declared: Option<Digest>,
    pub next_event: u64,
    pub standings: Vec<Standing>,
    pub revoked: Vec<Revoked>,
    pub ledger: Ledger,
    /// Keys of session ids, the newest first.
    pub keys: Vec<HeldKey>,
    /// The newest, whether it lasts or has ended.
    pub rollout: Option<Rollout>,
    /// Rows that did not match their own hash. They are set aside and are in none of the fields above.
    pub damaged: Vec<DamagedRow>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DamagedRow {
    pub table: &'static str,
    pub key: String,
    pub why: String,
}

/// One snapshot that was published.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SnapshotRow {
    pub serial: Serial,
    pub epoch: Epoch,
    /// Of the base view.
    pub digest: Digest,
    pub made_at: SystemTime,
    pub reason: String,
}

/// What is sent of one view, for replicas of control that serve from the same store.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct EditionRow {
    /// As it is sent.
    pub manifest: Arc<[u8]>,
    /// As they are sent. Those of the view that are not in it are in the store already.
    pub bodies: BTreeMap<ResourceKey, Arc<[u8]>>,
}

impl fmt::Debug for EditionRow {
    /// Bodies may hold keys.
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "EditionRow({} bodies)", self.bodies.len())
    }
}

/// What one transaction writes.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Batch {
    pub serial: Serial,
    pub intent: Option<Digest>,
    /// Added. A store that has one of these numbers already takes nothing of the batch.
    pub intents: Vec<IntentRecord>,
    /// Written in place of earlier rows of the same replicas.
    pub put: Vec<Standing>,
    pub removed: Vec<ReplicaId>,
    /// Replica rows that are neither in `put` nor in `removed` are deleted. Set when too much had to wait for the store.
    pub is_whole: bool,
    /// Written in place of earlier ones of the same targets.
    pub revoked: Vec<Revoked>,
    /// Revocations from before this moment are deleted, in seconds since 1970.
    pub revoked_before: u64,
    pub events: Vec<Event>,
    pub snapshots: Vec<SnapshotRow>,
    /// In the order in which they happened.
    pub ledger: Vec<LedgerChange>,
    /// Written where replicas of control share the store.
    pub editions: BTreeMap<ViewKey, EditionRow>,
    /// All keys of session ids, in place of those that are there; none where they stay.
    pub keys: Option<Vec<HeldKey>>,
    /// In place of the one that is there.
    pub rollout: Option<Rollout>,
}

impl Batch {
    /// Whether it would write anything but the serial.
    pub fn is_empty(&self) -> bool {
        self.put.is_empty()
            && self.removed.is_empty()
            && self.intent.is_none()
            && self.intents.is_empty()
            && !self.is_whole
            && self.revoked.is_empty()
            && self.revoked_before == 0
            && self.events.is_empty()
            && self.snapshots.is_empty()
            && self.ledger.is_empty()
            && self.editions.is_empty()
            && self.keys.is_none()
            && self.rollout.is_none()
    }
}

/// Where facts outlive the process.
pub trait Store {
    type Error: std::error::Error + Send + Sync + 'static;

    fn load(&self) -> impl Future<Output = Result<Stored, Self::Error>> + Send;

    /// All of the batch or nothing of it.
    fn commit(&self, batch: &Batch) -> impl Future<Output = Result<(), Self::Error>> + Send;

    /// Events with a greater id than `after`, oldest first.
    fn events(&self, after: u64, limit: u32) -> impl Future<Output = Result<Vec<Event>, Self::Error>> + Send;

    /// The id of the newest event; 0 if there is none.
    fn last_event(&self) -> impl Future<Output = Result<u64, Self::Error>> + Send;

    /// Newest first.
    fn snapshots(&self, limit: u32) -> impl Future<Output = Result<Vec<SnapshotRow>, Self::Error>> + Send;

    /// Intents with a smaller number than `before`, newest first.
    fn intents(
        &self,
        before: Option<u64>,
        limit: u32,
    ) -> impl Future<Output = Result<Vec<IntentRecord>, Self::Error>> + Send;

    /// The intent of this number, if there was one.
    fn intent(&self, number: u64) -> impl Future<Output = Result<Option<IntentRecord>, Self::Error>> + Send;
}
