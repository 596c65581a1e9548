//! What every store does. Each sentence is checked for SQLite, for memory, and for a real PostgreSQL.

use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use outrigger_control_core::event::{Event, EventKind};
use outrigger_control_core::facts::Standing;
use outrigger_control_core::intent::record::{IntentRecord, IntentSource};
use outrigger_control_core::keyring::HeldKey;
use outrigger_control_core::port::{Batch, EVENTS_KEPT, SNAPSHOTS_KEPT, SnapshotRow, Store};
use outrigger_control_core::revocation::{Revoked, Target};
use outrigger_control_core::rollout::course::{Candidate, Rollout};
use outrigger_control_core::rollout::plan::{Gate, Plan};
use outrigger_control_core::snapshot::ledger::{Entry, Ledger, LedgerChange};
use outrigger_control_core::snapshot::scope::ViewKey;
use outrigger_model::capability::{Capability, Tool, ToolHints};
use outrigger_model::digest::Digest;
use outrigger_model::label::Labels;
use outrigger_model::name::{AgentName, CapabilityName, NodeId, ReplicaId};
use outrigger_model::replica::{Generation, Replica, ReplicaState};
use outrigger_model::resource::{Epoch, ResourceKind, Serial};
use outrigger_model::secret::{SealKey, Secret};
use outrigger_model::tag::TagSet;
use outrigger_model::tally::Tally;
use semver::Version;

use super::cluster;
use crate::store::{AnyStore, Seat, StorePlace};

/// A store that can be opened again.
struct Place {
    store: AnyStore,
    place: StorePlace,
    seat: Option<Seat>,
    _folder: tempfile::TempDir,
}

impl Place {
    async fn of(kind: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let place = match kind {
            "sqlite" => StorePlace::Sqlite(folder.path().join("control.db")),
            "postgres" => StorePlace::Postgres(cluster::database()),
            _ => StorePlace::Memory,
        };
        let (store, seat) = open(&place).await;
        Self { store, place, seat, _folder: folder }
    }

    /// What the next control would find.
    async fn reopen(self) -> Self {
        if self.place == StorePlace::Memory {
            return self;
        }
        let Self { store, place, seat, _folder } = self;
        store.close().await;
        drop(store);
        if let Some(mut seat) = seat {
            seat.leave().await;
        }
        let (store, seat) = open(&place).await;
        Self { store, place, seat, _folder }
    }
}

async fn open(place: &StorePlace) -> (AnyStore, Option<Seat>) {
    match place {
        StorePlace::Postgres(database) => {
            let (store, seat) = cluster::leading(database).await;
            (AnyStore::Postgres(store), Some(seat))
        }
        other => (AnyStore::open(other).await.unwrap(), None),
    }
}

const KINDS: [&str; 3] = ["sqlite", "memory", "postgres"];

fn time(seconds: u64) -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(seconds)
}

pub fn standing(id: &str, state: ReplicaState) -> Standing {
    let tool = Tool {
        name: "get_forecast".into(),
        schema: Digest::of(b"schema"),
        hints: ToolHints { read_only: true, idempotent: true, destructive: false },
    };
    let capability = Capability {
        name: CapabilityName::new("weather").unwrap(),
        version: Version::new(1, 2, 3),
        tags: TagSet::parse(["eu", "gpu=a100"]).unwrap(),
        tools: vec![tool],
        session_required: false,
        calls: Default::default(),
    };
    let replica = Replica {
        id: ReplicaId::new(id).unwrap(),
        agent: AgentName::new("weather").unwrap(),
        node: NodeId::new("laptop").unwrap(),
        version: Version::parse("1.2.3-rc.1+build.5").unwrap(),
        tags: TagSet::parse(["eu"]).unwrap(),
        address: "[fd00::7]:17006".parse().unwrap(),
        identity: Some("spiffe://mesh.local/agent/weather".parse().unwrap()),
        generation: Generation(u64::MAX),
        revisions: vec!["2025-06-18".parse().unwrap(), "2026-07-28".parse().unwrap()],
        weight: 7,
        zone: "eu-1".into(),
        namespace: Default::default(),
        registration: None,
        capabilities: vec![capability],
    };
    Standing { replica: Arc::new(replica), state, trouble: "it's \"down\"; DROP TABLE replica".into() }
}

fn event(id: u64) -> Event {
    Event { id, at: time(id), kind: EventKind::ReplicaLost, subject: "weather-1".into(), detail: "x".into() }
}

fn snapshot(serial: u64) -> SnapshotRow {
    SnapshotRow {
        serial: Serial(serial),
        epoch: Epoch(7),
        digest: Digest::of(&serial.to_be_bytes()),
        made_at: time(serial),
        reason: "weather-1: replica_lost".into(),
    }
}

#[tokio::test]
async fn a_new_store_is_empty_and_has_an_epoch_that_stays() {
    for kind in KINDS {
        let place = Place::of(kind).await;
        let first = place.store.load().await.unwrap();
        assert_eq!((first.serial, first.next_event, first.standings.len()), (Serial(0), 1, 0), "{kind}");
        assert_ne!(first.epoch, Epoch(0));
        let again = place.reopen().await.store.load().await.unwrap();
        assert_eq!(again, first, "{kind}");
        let other = Place::of(kind).await.store.load().await.unwrap();
        assert_ne!(other.epoch, first.epoch, "{kind}: another store is another epoch");
    }
}

#[tokio::test]
async fn what_was_committed_is_there_after_a_restart_as_it_was() {
    for kind in KINDS {
        let place = Place::of(kind).await;
        place.store.load().await.unwrap();
        let (a, b) = (standing("weather-1", ReplicaState::Draining), standing("weather-2", ReplicaState::Healthy));
        let intent = Some(Digest::of(b"intent"));
        let batch = Batch { serial: Serial(3), intent, put: vec![a.clone(), b.clone()], ..Batch::default() };
        place.store.commit(&batch).await.unwrap();
        let place = place.reopen().await;
        let stored = place.store.load().await.unwrap();
        assert_eq!((stored.serial, stored.intent, stored.standings), (Serial(3), intent, vec![a.clone(), b]), "{kind}");

        let gone = Batch { serial: Serial(4), removed: vec![b_id()], ..Batch::default() };
        place.store.commit(&gone).await.unwrap();
        let stored = place.reopen().await.store.load().await.unwrap();
        assert_eq!((stored.serial, stored.intent, stored.standings), (Serial(4), intent, vec![a]), "{kind}");
    }
}

fn b_id() -> ReplicaId {
    ReplicaId::new("weather-2").unwrap()
}

#[tokio::test]
async fn revocations_are_kept_until_they_are_too_old() {
    let revoked = |kind: &str, name: &str, at| Revoked {
        target: Target::parse(kind, name).unwrap(),
        at,
        reason: "it's \"stolen\"".to_owned(),
    };
    for kind in KINDS {
        let place = Place::of(kind).await;
        place.store.load().await.unwrap();
        let all = vec![
            revoked("agent", "weather", 7),
            revoked("caller", "spiffe://mesh.local/agent/planner", 9),
            revoked("session", "0123456789abcdef", 8),
        ];
        place.store.commit(&Batch { revoked: all.clone(), ..Batch::default() }).await.unwrap();
        let place = place.reopen().await;
        let mut stored = place.store.load().await.unwrap().revoked;
        stored.sort_by_key(|revoked| revoked.target.kind());
        assert_eq!(stored, all, "{kind}");

        let later = vec![revoked("agent", "weather", 10)];
        place.store.commit(&Batch { revoked: later.clone(), revoked_before: 10, ..Batch::default() }).await.unwrap();
        assert_eq!(place.reopen().await.store.load().await.unwrap().revoked, later, "{kind}");
    }
}

#[tokio::test]
async fn a_whole_batch_replaces_all_replicas() {
    for kind in KINDS {
        let place = Place::of(kind).await;
        place.store.load().await.unwrap();
        let (a, b) = (standing("weather-1", ReplicaState::Healthy), standing("weather-2", ReplicaState::Healthy));
        place.store.commit(&Batch { put: vec![a], ..Batch::default() }).await.unwrap();
        place.store.commit(&Batch { put: vec![b.clone()], is_whole: true, ..Batch::default() }).await.unwrap();
        assert_eq!(place.reopen().await.store.load().await.unwrap().standings, [b], "{kind}");
    }
}

#[tokio::test]
async fn events_are_read_onwards_from_the_last_one_seen() {
    for kind in KINDS {
        let place = Place::of(kind).await;
        place.store.load().await.unwrap();
        place.store.commit(&Batch { events: (1..=5).map(event).collect(), ..Batch::default() }).await.unwrap();
        let place = place.reopen().await;
        assert_eq!(place.store.load().await.unwrap().next_event, 6, "{kind}");
        assert_eq!(place.store.events(0, 100).await.unwrap(), (1..=5).map(event).collect::<Vec<_>>(), "{kind}");
        assert_eq!(place.store.events(2, 2).await.unwrap(), [event(3), event(4)], "{kind}");
        assert!(place.store.events(5, 10).await.unwrap().is_empty(), "{kind}");
        assert!(place.store.events(u64::MAX, 10).await.unwrap().is_empty(), "{kind}");
    }
}

#[tokio::test]
async fn the_oldest_events_and_snapshots_make_room() {
    for kind in KINDS {
        let place = Place::of(kind).await;
        place.store.load().await.unwrap();
        let snapshots = (1..=SNAPSHOTS_KEPT + 2).map(snapshot).collect();
        place.store.commit(&Batch { events: vec![event(1), event(2)], snapshots, ..Batch::default() }).await.unwrap();
        place.store.commit(&Batch { events: vec![event(EVENTS_KEPT + 1)], ..Batch::default() }).await.unwrap();
        let events = place.store.events(0, 10).await.unwrap();
        let ids: Vec<u64> = events.iter().map(|event| event.id).collect();
        assert_eq!(ids, [2, EVENTS_KEPT + 1], "{kind}");
        let snapshots = place.store.snapshots(u32::MAX).await.unwrap();
        assert_eq!(snapshots.len() as u64, SNAPSHOTS_KEPT, "{kind}");
        assert_eq!(snapshots[0], snapshot(SNAPSHOTS_KEPT + 2), "{kind}: newest first");
        assert_eq!(snapshots.last().unwrap().serial, Serial(3), "{kind}");
        assert_eq!(place.store.snapshots(1).await.unwrap().len(), 1, "{kind}");
    }
}

#[tokio::test]
async fn a_ledger_comes_back_as_it_was() {
    for kind in KINDS {
        let place = Place::of(kind).await;
        place.store.load().await.unwrap();
        let mut ledger = Ledger::default();
        let key = |name: &str| (ResourceKind::Route, name.to_owned());
        let row = |name: &'static str, body: &str| (ResourceKind::Route, name, Digest::of(body.as_bytes()));
        let other = ViewKey::stored("needs-1");
        let changes = vec![
            ledger.advance(&ViewKey::base(), [row("a", "1"), row("b", "1")], Serial(1)),
            ledger.advance(&other, [row("a", "1")], Serial(1)),
            ledger.advance(&ViewKey::base(), [row("a", "2")], Serial(2)),
        ];
        let batch = Batch { serial: Serial(2), ledger: changes, ..Batch::default() };
        place.store.commit(&batch).await.unwrap();
        let place = place.reopen().await;
        assert_eq!(place.store.load().await.unwrap().ledger, ledger, "{kind}");

        let dropped = LedgerChange { dropped: vec![other.clone()], serial: Serial(2), ..LedgerChange::default() };
        let batch = Batch { serial: Serial(2), ledger: vec![dropped], ..Batch::default() };
        place.store.commit(&batch).await.unwrap();
        let stored = place.reopen().await.store.load().await.unwrap();
        assert!(stored.ledger.view(&other).is_none(), "{kind}");
        let entry: Option<&Entry> = stored.ledger.view(&ViewKey::base()).unwrap().entries.get(&key("a"));
        assert_eq!(entry.unwrap().serial, Serial(2), "{kind}");
    }
}

#[tokio::test]
async fn keys_of_session_ids_come_back_as_they_were_and_replace_those_before() {
    for kind in KINDS {
        let place = Place::of(kind).await;
        assert!(place.store.load().await.unwrap().keys.is_empty());
        let key = |id, seals_since| {
            let secret = Secret::new([u8::try_from(id).unwrap(); 32]);
            HeldKey { key: SealKey { id, secret, made: 1_700_000_000 }, seals_since }
        };
        for keys in [vec![key(2, None), key(1, Some(1_700_000_000))], vec![key(3, Some(1_700_000_010)), key(2, None)]] {
            place.store.commit(&Batch { keys: Some(keys.clone()), ..Batch::default() }).await.unwrap();
            place.store.commit(&Batch::default()).await.unwrap();
            assert_eq!(place.store.load().await.unwrap().keys, keys, "{kind}");
        }
        let before = place.store.load().await.unwrap().keys;
        assert_eq!(place.reopen().await.store.load().await.unwrap().keys, before, "{kind}");
    }
}

pub fn intent(number: u64, source: IntentSource) -> IntentRecord {
    let document = format!("{{\"routes\": [\"it's number {number}\"]}}");
    IntentRecord {
        number,
        at: time(number) + Duration::from_millis(7),
        author: "ada \"the\" first".into(),
        reason: "it's time; DROP TABLE intent".into(),
        parent: number.checked_sub(1).filter(|parent| *parent > 0),
        undoes: (source == IntentSource::Rollback).then(|| number - 1),
        source,
        digest: Digest::of(document.as_bytes()),
        document,
    }
}

#[tokio::test]
async fn every_intent_is_kept_and_the_newest_is_the_one_that_runs() {
    use IntentSource::{File, Published, Rollback};
    for kind in KINDS {
        let place = Place::of(kind).await;
        let stored = place.store.load().await.unwrap();
        assert_eq!((stored.intent_record, stored.declared), (None, None), "{kind}");
        let sources = [File, Published, File, Published, Rollback];
        let records: Vec<IntentRecord> = (1..).zip(sources).map(|(number, source)| intent(number, source)).collect();
        for record in &records {
            let batch = Batch { intents: vec![record.clone()], serial: Serial(record.number), ..Batch::default() };
            place.store.commit(&batch).await.unwrap();
        }
        place.store.commit(&Batch { serial: Serial(6), ..Batch::default() }).await.unwrap();
        let place = place.reopen().await;
        let stored = place.store.load().await.unwrap();
        assert_eq!(stored.intent_record.as_ref(), records.last(), "{kind}");
        assert_eq!(stored.declared, Some(records[2].digest), "{kind}: of the newest that a file declared");
        assert_eq!(place.store.intent(2).await.unwrap().as_ref(), records.get(1), "{kind}");
        assert_eq!(place.store.intent(6).await.unwrap(), None, "{kind}");
        assert_eq!(place.store.intent(u64::MAX).await.unwrap(), None, "{kind}");
        let numbers = async |before, limit| {
            let page = place.store.intents(before, limit).await.unwrap();
            page.iter().map(|record| record.number).collect::<Vec<_>>()
        };
        assert_eq!(numbers(None, 10).await, [5, 4, 3, 2, 1], "{kind}: newest first");
        assert_eq!(numbers(None, 2).await, [5, 4], "{kind}");
        assert_eq!(numbers(Some(4), 2).await, [3, 2], "{kind}");
        assert_eq!(numbers(Some(1), 2).await, [0; 0], "{kind}");
        assert_eq!(numbers(Some(u64::MAX), 1).await, [5], "{kind}");
        assert_eq!(place.store.intents(None, 10).await.unwrap().last(), records.first(), "{kind}");
    }
}

#[tokio::test]
async fn an_intent_is_never_written_over_and_nothing_else_of_such_a_batch_is_written() {
    for kind in KINDS {
        let place = Place::of(kind).await;
        place.store.load().await.unwrap();
        let first = intent(1, IntentSource::File);
        let batch = Batch { intents: vec![first.clone()], serial: Serial(1), ..Batch::default() };
        place.store.commit(&batch).await.unwrap();
        let other = IntentRecord { author: "mallory".into(), ..first.clone() };
        let batch = Batch { intents: vec![other], serial: Serial(2), events: vec![event(1)], ..Batch::default() };
        place.store.commit(&batch).await.unwrap_err();
        let stored = place.store.load().await.unwrap();
        assert_eq!((stored.serial, stored.intent_record), (Serial(1), Some(first)), "{kind}");
        assert_eq!(place.store.last_event().await.unwrap(), 0, "{kind}");
    }
}

pub fn rollout() -> Rollout {
    let candidate = Candidate {
        document: "routes: [{name: forecast, capability: weather}]".into(),
        author: "ann".into(),
        reason: "it's \"better\"".into(),
        base: 3,
    };
    let gate = Gate { slow_factor_max: Some(150), ..Gate::default() };
    let plan = Plan::new(Some("track=canary".parse().unwrap()), Some(vec![1, 100]), gate, true).unwrap();
    let labels = Labels::parse([("track", "canary")]).unwrap();
    let proxies = [(NodeId::new("n").unwrap(), labels)].into();
    Rollout::start(candidate, plan, &proxies, Serial(7), time(1_000)).unwrap()
}

#[tokio::test]
async fn the_newest_rollout_comes_back_wherever_it_stands() {
    for kind in KINDS {
        let place = Place::of(kind).await;
        assert_eq!(place.store.load().await.unwrap().rollout, None, "{kind}");
        let mut rollout = rollout();
        let commit = |rollout: &Rollout| Batch { rollout: Some(rollout.clone()), ..Batch::default() };
        place.store.commit(&commit(&rollout)).await.unwrap();
        let place = place.reopen().await;
        assert_eq!(place.store.load().await.unwrap().rollout, Some(rollout.clone()), "{kind}");
        let control = Tally { calls: 9, failed: 1, ..Tally::default() };
        rollout.lead = Some(NodeId::new("n").unwrap());
        rollout.widen(&control, &Default::default(), Serial(8), time(2_000)).unwrap();
        rollout.hold("too few calls".into());
        place.store.commit(&commit(&rollout)).await.unwrap();
        place.store.commit(&Batch { events: vec![event(1)], ..Batch::default() }).await.unwrap();
        assert_eq!(place.store.load().await.unwrap().rollout, Some(rollout.clone()), "{kind}");
        rollout.abort("enough".into(), Serial(9));
        place.store.commit(&commit(&rollout)).await.unwrap();
        assert_eq!(place.reopen().await.store.load().await.unwrap().rollout, Some(rollout), "{kind}");
    }
}
