//! A store that forgets when the process ends.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use outrigger_control_core::event::Event;
use outrigger_control_core::facts::Standing;
use outrigger_control_core::intent::record::{IntentRecord, IntentSource};
use outrigger_control_core::keyring::HeldKey;
use outrigger_control_core::port::{Batch, EVENTS_KEPT, SNAPSHOTS_KEPT, SnapshotRow, Store, Stored};
use outrigger_control_core::revocation::{Revoked, Target};
use outrigger_control_core::rollout::course::Rollout;
use outrigger_control_core::snapshot::ledger::Ledger;
use outrigger_model::digest::Digest;
use outrigger_model::name::ReplicaId;
use outrigger_model::resource::{Epoch, Serial};

use super::error::StoreError;

#[derive(Debug, Clone)]
pub struct MemoryStore {
    epoch: Epoch,
    kept: Arc<Mutex<Kept>>,
}

#[derive(Debug, Default)]
struct Kept {
    serial: Serial,
    intent: Option<Digest>,
    intents: BTreeMap<u64, IntentRecord>,
    next_event: u64,
    standings: BTreeMap<ReplicaId, Standing>,
    events: VecDeque<Event>,
    snapshots: BTreeMap<Serial, SnapshotRow>,
    revoked: BTreeMap<Target, Revoked>,
    ledger: Ledger,
    keys: Vec<HeldKey>,
    rollout: Option<Rollout>,
}

impl MemoryStore {
    pub fn new() -> Self {
        Self { epoch: Epoch(fastrand::u32(1..)), kept: Arc::default() }
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        // Nothing below can panic half-way through a batch.
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Default for MemoryStore {
    fn default() -> Self {
        Self::new()
    }
}

impl Store for MemoryStore {
    type Error = StoreError;

    async fn load(&self) -> Result<Stored, StoreError> {
        let kept = self.kept();
        Ok(Stored {
            epoch: self.epoch,
            serial: kept.serial,
            intent: kept.intent,
            intent_record: kept.intents.values().next_back().cloned(),
            declared: declared(&kept.intents),
            next_event: kept.next_event.max(1),
            standings: kept.standings.values().cloned().collect(),
            revoked: kept.revoked.values().cloned().collect(),
            ledger: kept.ledger.clone(),
            keys: kept.keys.clone(),
            rollout: kept.rollout.clone(),
            damaged: Vec::new(),
        })
    }

    async fn commit(&self, batch: &Batch) -> Result<(), StoreError> {
        let mut kept = self.kept();
        if let Some(known) = batch.intents.iter().find(|record| kept.intents.contains_key(&record.number)) {
            return Err(StoreError::IntentTwice { number: known.number });
        }
        kept.intents.extend(batch.intents.iter().map(|record| (record.number, record.clone())));
        kept.serial = batch.serial;
        kept.intent = batch.intent.or(kept.intent);
        if batch.is_whole {
            kept.standings.clear();
        }
        for standing in &batch.put {
            kept.standings.insert(standing.replica.id.clone(), standing.clone());
        }
        for id in &batch.removed {
            kept.standings.remove(id);
        }
        kept.revoked.extend(batch.revoked.iter().map(|revoked| (revoked.target.clone(), revoked.clone())));
        kept.revoked.retain(|_, revoked| revoked.at >= batch.revoked_before);
        for event in &batch.events {
            kept.next_event = kept.next_event.max(event.id + 1);
            kept.events.push_back(event.clone());
        }
        let newest = kept.next_event.saturating_sub(1);
        while kept.events.front().is_some_and(|event| event.id + EVENTS_KEPT <= newest) {
            kept.events.pop_front();
        }
        for row in &batch.snapshots {
            kept.snapshots.insert(row.serial, row.clone());
        }
        while kept.snapshots.len() as u64 > SNAPSHOTS_KEPT {
            kept.snapshots.pop_first();
        }
        for change in &batch.ledger {
            kept.ledger.repeat(change);
        }
        if let Some(keys) = &batch.keys {
            kept.keys.clone_from(keys);
        }
        if let Some(rollout) = &batch.rollout {
            kept.rollout = Some(rollout.clone());
        }
        Ok(())
    }

    async fn events(&self, after: u64, limit: u32) -> Result<Vec<Event>, StoreError> {
        let kept = self.kept();
        let newer = kept.events.iter().skip_while(|event| event.id <= after);
        Ok(newer.take(limit as usize).cloned().collect())
    }

    async fn last_event(&self) -> Result<u64, StoreError> {
        Ok(self.kept().events.back().map_or(0, |event| event.id))
    }

    async fn snapshots(&self, limit: u32) -> Result<Vec<SnapshotRow>, StoreError> {
        Ok(self.kept().snapshots.values().rev().take(limit as usize).cloned().collect())
    }

    async fn intents(&self, before: Option<u64>, limit: u32) -> Result<Vec<IntentRecord>, StoreError> {
        let kept = self.kept();
        let older = kept.intents.range(..before.unwrap_or(u64::MAX));
        Ok(older.rev().take(limit as usize).map(|(_, record)| record.clone()).collect())
    }

    async fn intent(&self, number: u64) -> Result<Option<IntentRecord>, StoreError> {
        Ok(self.kept().intents.get(&number).cloned())
    }
}

fn declared(intents: &BTreeMap<u64, IntentRecord>) -> Option<Digest> {
    let newest = intents.values().rev().find(|record| record.source == IntentSource::File);
    newest.map(|record| record.digest)
}
