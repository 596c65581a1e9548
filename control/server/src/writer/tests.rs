use std::path::Path;

use outrigger_control_core::agent::{Claim, Sender};
use outrigger_control_core::event::Event;
use outrigger_control_core::intent::history::Signature;
use outrigger_control_core::intent::record::{IntentRecord, IntentSource};
use outrigger_control_core::port::{Batch, Store};
use outrigger_control_core::registry::{Answer, Registry, Rules, StreamId};
use outrigger_control_core::revocation::Book;
use outrigger_control_core::snapshot::ledger::Ledger;
use outrigger_model::digest::Digest;
use outrigger_model::name::ReplicaId;
use outrigger_model::resource::Serial;
use tokio::time::timeout;

use super::pending::Pending;
use super::*;
use crate::config::document::Document;
use crate::store::{SqliteStore, StorePlace};

mod intents;
mod rollouts;

const PATIENCE: Duration = Duration::from_secs(20);

struct Control {
    store: AnyStore,
    opened: Opened,
    stop: CancellationToken,
}

impl Control {
    async fn start(store: AnyStore, document: Document) -> Self {
        let stop = CancellationToken::new();
        let opened = open(store.clone(), declared(document), stop.clone()).await.unwrap();
        Self { store, opened, stop }
    }

    async fn in_memory() -> Self {
        Self::start(AnyStore::open(&StorePlace::Memory).await.unwrap(), Document::default()).await
    }

    async fn at(path: &Path, document: Document) -> Self {
        Self::start(AnyStore::open(&StorePlace::Sqlite(path.to_owned())).await.unwrap(), document).await
    }

    async fn stop(self) {
        self.stop.cancel();
        timeout(PATIENCE, self.opened.task).await.unwrap().unwrap();
    }

    async fn report(&self, node: &str, ids: &[&str]) -> Answered {
        self.opened.writer.apply(report(node, ids)).await.unwrap()
    }

    /// The first picture that has what is asked for.
    async fn picture(&self, has: impl FnMut(&Arc<Picture>) -> bool) -> Arc<Picture> {
        let mut pictures = self.opened.writer.pictures();
        timeout(PATIENCE, pictures.wait_for(has)).await.unwrap().unwrap().clone()
    }

    async fn kinds(&self) -> Vec<EventKind> {
        let events: Vec<Event> = self.store.events(0, 1_000).await.unwrap();
        events.iter().map(|event| event.kind).collect()
    }
}

fn declared(document: Document) -> Declared {
    Declared { document, rules: Rules::default() }
}

fn report(node: &str, ids: &[&str]) -> Command {
    let claim = |id: &&str| Claim {
        id: (*id).to_owned(),
        agent: "weather".to_owned(),
        semver: "1.0.0".to_owned(),
        address: "127.0.0.1:17006".to_owned(),
        serving: true,
        ..Claim::default()
    };
    let sender = Sender { node: NodeId::new(node).unwrap(), identity: None, from: "127.0.0.1".parse().unwrap() };
    Command::Report { stream: StreamId(1), sender, claims: ids.iter().map(claim).collect(), tally: None }
}

fn light(node: &str) -> Command {
    Command::Light { stream: StreamId(1), node: NodeId::new(node).unwrap(), tally: None }
}

fn with_route(name: &str) -> Document {
    Document::read(&format!("routes: [{{name: {name}, capability: weather}}]")).unwrap()
}

fn has(picture: &Picture, id: &str) -> bool {
    picture.facts.get(&ReplicaId::new(id).unwrap()).is_some()
}

#[tokio::test]
async fn the_first_picture_is_there_at_once_and_has_a_number() {
    let control = Control::in_memory().await;
    let picture = control.opened.writer.picture();
    assert_eq!((picture.serial, picture.facts.len()), (Serial(1), 0));
    assert_eq!(control.kinds().await, [EventKind::ControlStarted, EventKind::SessionKeyTurned]);
    control.stop().await;
}

#[tokio::test]
async fn a_report_is_answered_with_the_serial_of_the_first_picture_that_has_it() {
    let control = Control::in_memory().await;
    let answered = control.report("n", &["weather-1"]).await;
    assert_eq!(answered, Answered { answer: Answer::Taken { refused: vec![] }, serial: Serial(2) });
    let picture = control.picture(|picture| has(picture, "weather-1")).await;
    assert_eq!((picture.serial, picture.reason.as_str()), (Serial(2), "weather-1: replica_registered"));
    assert_eq!(control.store.load().await.unwrap().serial, Serial(2));
    control.stop().await;
}

#[tokio::test]
async fn changes_that_come_together_are_shown_together() {
    let control = Control::in_memory().await;
    let names: Vec<String> = (0..100).map(|number| format!("weather-{number}")).collect();
    for name in &names {
        control.report(name, &[name]).await;
    }
    let picture = control.picture(|picture| picture.facts.len() == 100).await;
    assert!(picture.serial.0 < 50, "{} pictures of 100 changes", picture.serial.0);
    control.stop().await;
}

#[tokio::test]
async fn signals_that_change_nothing_are_neither_shown_nor_stored() {
    let control = Control::in_memory().await;
    let serial = control.report("n", &["weather-1"]).await.serial;
    control.picture(|picture| picture.serial == serial).await;
    let told = control.kinds().await.len();
    for _ in 0..100 {
        let answered = control.opened.writer.apply(light("n")).await.unwrap();
        assert_eq!(answered, Answered { answer: Answer::Noted, serial });
    }
    assert_eq!(control.report("n", &["weather-1"]).await.serial, serial);
    assert_eq!(control.kinds().await.len(), told);
    assert!(control.opened.writer.last_heard().await.unwrap().contains_key("n"));
    control.stop().await;
}

#[tokio::test]
async fn a_restart_changes_neither_epoch_nor_serial_unless_intent_differs() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("control.db");
    let control = Control::at(&path, Document::default()).await;
    control.report("n", &["weather-1"]).await;
    let before = control.picture(|picture| has(picture, "weather-1")).await;
    control.stop().await;

    let control = Control::at(&path, Document::default()).await;
    let after = control.opened.writer.picture();
    assert_eq!((after.epoch, after.serial, &after.facts), (before.epoch, before.serial, &before.facts));
    control.stop().await;

    let control = Control::at(&path, with_route("forecast")).await;
    assert_eq!(control.opened.writer.picture().serial, Serial(before.serial.0 + 1));
    assert_eq!(control.kinds().await.last(), Some(&EventKind::IntentChanged));
    control.stop().await;
}

#[tokio::test]
async fn what_was_published_is_remembered() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("control.db");
    let control = Control::at(&path, Document::default()).await;
    let mut ledger = Ledger::default();
    let row = (outrigger_model::resource::ResourceKind::Route, "weather", Digest::of(b"x"));
    let change = ledger.advance(&Default::default(), [row], Serial(1));
    let snapshot = outrigger_control_core::port::SnapshotRow {
        serial: Serial(1),
        epoch: control.opened.writer.picture().epoch,
        digest: Digest::of(b"x"),
        made_at: SystemTime::UNIX_EPOCH,
        reason: "control started".to_owned(),
    };
    let recorded = Recorded { snapshot: Some(snapshot.clone()), ledger: vec![change], editions: vec![] };
    control.opened.writer.record(recorded).await.unwrap();
    control.stop().await;

    let control = Control::at(&path, Document::default()).await;
    let Reign::Own { ledger: found, .. } = control.opened.writer.reign() else { panic!("it is alone") };
    assert_eq!(*found, ledger);
    assert_eq!(control.store.snapshots(10).await.unwrap(), [snapshot]);
    control.stop().await;
}

#[tokio::test]
async fn a_store_that_fails_stops_nobody_and_gets_everything_later() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("control.db");
    let store = SqliteStore::open(&path).await.unwrap();
    let control = Control::start(AnyStore::Sqlite(store.clone()), Document::default()).await;
    store.limit_pages(1).await;
    let names: Vec<String> = (0..200).map(|number| format!("weather-{number}")).collect();
    for name in &names {
        let answered = control.report(name, &[name]).await;
        assert_eq!(answered.answer, Answer::Taken { refused: vec![] });
    }
    control.picture(|picture| picture.facts.len() == 200).await;
    let mut storing = control.opened.writer.storing();
    let failing =
        timeout(PATIENCE, storing.wait_for(|storing| *storing != Storing::Fine)).await.unwrap().unwrap().clone();
    let Storing::Failing { error, .. } = failing else { panic!("{failing:?}") };
    assert!(error.contains("committing failed") && error.contains("full"), "{error}");
    assert!(store.load().await.unwrap().standings.len() < 200);

    store.limit_pages(1_000_000).await;
    timeout(PATIENCE, storing.wait_for(|storing| *storing == Storing::Fine)).await.unwrap().unwrap();
    assert_eq!(store.load().await.unwrap().standings.len(), 200);
    control.stop().await;
    drop(store);

    let control = Control::at(&path, Document::default()).await;
    let kinds = control.kinds().await;
    assert!(kinds.contains(&EventKind::StoreFailed) && kinds.contains(&EventKind::StoreRecovered), "{kinds:?}");
    control.stop().await;
}

#[tokio::test]
async fn what_waits_when_control_stops_is_stored() {
    let control = Control::in_memory().await;
    let (store, writer) = (control.store.clone(), control.opened.writer.clone());
    control.report("n", &["weather-1"]).await;
    control.stop().await;
    assert_eq!(store.load().await.unwrap().standings.len(), 1);
    assert_eq!(writer.apply(Command::Sweep).await, Err(NotApplied::Stopped(Stopped)));
}

#[test]
fn what_waits_for_a_store_is_bounded() {
    let mut pending = Pending::default();
    let mut registry = Registry::restore(
        Rules { replicas_max: 100_000, ..Rules::default() },
        vec![],
        Book::default(),
        1,
        Now { moment: Moment::START, time: SystemTime::UNIX_EPOCH },
    );
    let now = Now { moment: Moment::START, time: SystemTime::UNIX_EPOCH };
    for node in 0..60 {
        let ids: Vec<String> = (0..1_000).map(|number| format!("weather-{node}-{number}")).collect();
        let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
        pending.add(registry.apply(report(&format!("n{node}"), &ids), now));
    }
    let Batch { is_whole, put, events, .. } = pending.batch(&registry, Serial(1));
    assert!(is_whole);
    assert_eq!((put.len(), events.len()), (60_000, 10_000));
}

#[tokio::test]
async fn a_key_that_was_rotated_is_shown_stored_and_does_not_seal_yet() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("control.db");
    let control = Control::at(&path, Document::default()).await;
    let first = control.opened.writer.picture();
    let ids = |picture: &Picture| picture.keyring.keys.iter().map(|key| key.id).collect::<Vec<_>>();
    assert_eq!(ids(&first), [1]);
    assert_eq!(control.opened.writer.rotate_key().await, Ok(2));
    let shown = control.picture(|picture| picture.keyring.keys.len() == 2).await;
    assert_eq!(ids(&shown), [1, 2], "the first still seals");
    assert!(shown.serial > first.serial);
    assert!(matches!(control.opened.writer.rotate_key().await, Err(NotRotated::Keys(_))), "one at a time");
    assert!(control.kinds().await.ends_with(&[EventKind::SessionKeyTurned]));
    control.stop().await;

    let control = Control::at(&path, Document::default()).await;
    let again = control.opened.writer.picture();
    assert_eq!(again.keyring, shown.keyring, "the same keys after a restart");
    assert_eq!(again.serial, shown.serial, "and nothing to publish");
    control.stop().await;
}

#[tokio::test]
async fn what_is_declared_anew_is_in_the_store_and_in_the_next_picture() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("control.db");
    let control = Control::at(&path, Document::default()).await;
    let first = control.opened.writer.picture().serial;
    let declaration = control.opened.writer.declare(declared(with_route("forecast"))).await.unwrap();
    assert_eq!(declaration, Declaration { number: 2, serial: Serial(first.0 + 1), is_intent_new: true });
    let shown = control.picture(|picture| picture.serial == declaration.serial).await;
    assert_eq!(
        (&*shown.main.intent, shown.reason.as_str()),
        (&with_route("forecast").intent, "intent 2: intent_changed")
    );
    let again = control.opened.writer.declare(declared(with_route("forecast"))).await.unwrap();
    assert_eq!(again, Declaration { is_intent_new: false, ..declaration }, "the same changes nothing");
    assert!(control.kinds().await.ends_with(&[EventKind::IntentChanged]));
    control.stop().await;

    let control = Control::at(&path, with_route("forecast")).await;
    assert_eq!(control.opened.writer.picture().serial, declaration.serial, "and nothing to publish after a restart");
    control.stop().await;
}
