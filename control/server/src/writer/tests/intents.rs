//! Intents that are published while control runs.

use super::*;

fn wanted(expected: u64, document: Document) -> Wanted {
    Wanted { signature: Signature::new("ada", "because").unwrap(), expected, document, back_to: None }
}

async fn back_to(control: &Control, expected: u64, number: u64) -> Wanted {
    let record = control.store.intent(number).await.unwrap().unwrap();
    let document = Document::literal(&record.document).unwrap();
    Wanted { back_to: Some(record), ..wanted(expected, document) }
}

async fn sources(control: &Control) -> Vec<(u64, IntentSource)> {
    let records = control.store.intents(None, 100).await.unwrap();
    records.iter().rev().map(|record| (record.number, record.source)).collect()
}

fn runs(picture: &Picture) -> (u64, Vec<&str>) {
    (picture.main.number, picture.main.intent.routes().map(|route| route.name.as_str()).collect())
}

#[tokio::test]
async fn what_is_published_is_stored_with_its_event_and_serial_before_it_is_shown() {
    let control = Control::in_memory().await;
    let first = control.opened.writer.picture();
    assert_eq!(runs(&first), (1, vec![]));
    let mut pictures = control.opened.writer.pictures();
    let declaration = control.opened.writer.publish(wanted(1, with_route("a"))).await.unwrap();
    assert_eq!(declaration, Declaration { number: 2, serial: Serial(first.serial.0 + 1), is_intent_new: true });
    assert!(!pictures.has_changed().unwrap() || pictures.borrow_and_update().serial == declaration.serial);
    let stored = control.store.load().await.unwrap();
    let record = stored.intent_record.unwrap();
    assert_eq!((stored.serial, record.number, record.parent), (declaration.serial, 2, Some(1)));
    assert_eq!(
        (record.author.as_str(), record.reason.as_str(), record.source),
        ("ada", "because", IntentSource::Published)
    );
    let event = control.store.events(0, 100).await.unwrap().pop().unwrap();
    assert_eq!((event.kind, event.subject.as_str()), (EventKind::IntentChanged, "intent 2"));
    assert_eq!(event.detail, "published by ada: because");
    let shown = control.picture(|picture| picture.serial == declaration.serial).await;
    assert_eq!(runs(&shown), (2, vec!["a"]));
    control.stop().await;
}

#[tokio::test]
async fn of_two_who_saw_the_same_intent_run_one_publishes() {
    let control = Control::in_memory().await;
    let writer = &control.opened.writer;
    let (one, other) =
        tokio::join!(writer.publish(wanted(1, with_route("a"))), writer.publish(wanted(1, with_route("b"))));
    assert_eq!(one.unwrap().number, 2);
    assert_eq!(other, Err(NotPublished::Moved { current: 2, expected: 1 }));
    let same = writer.publish(wanted(2, with_route("a"))).await.unwrap();
    assert_eq!((same.number, same.is_intent_new), (2, false), "the same again is no record");
    control.stop().await;
}

#[tokio::test]
async fn a_rollback_runs_the_old_document_under_a_new_number_and_serial() {
    let control = Control::in_memory().await;
    let writer = control.opened.writer.clone();
    writer.publish(wanted(1, with_route("a"))).await.unwrap();
    let bad = writer.publish(wanted(2, with_route("b"))).await.unwrap();
    control.picture(|picture| picture.serial == bad.serial).await;
    let back = writer.publish(back_to(&control, 3, 2).await).await.unwrap();
    assert_eq!((back.number, back.is_intent_new), (4, true));
    assert!(back.serial > bad.serial);
    assert_eq!(runs(&*control.picture(|picture| picture.serial == back.serial).await), (4, vec!["a"]));
    let record = control.store.intent(4).await.unwrap().unwrap();
    assert_eq!((record.undoes, record.parent, record.source), (Some(3), Some(3), IntentSource::Rollback));
    let event = control.store.events(0, 100).await.unwrap().pop().unwrap();
    assert_eq!(event.detail, "rolled back, undoing 3, by ada: because");
    control.stop().await;
}

#[tokio::test]
async fn a_restart_keeps_what_was_published_until_the_file_says_something_else() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("control.db");
    let control = Control::at(&path, Document::default()).await;
    let published = control.opened.writer.publish(wanted(1, with_route("a"))).await.unwrap();
    control.stop().await;

    let control = Control::at(&path, Document::default()).await;
    let picture = control.opened.writer.picture();
    assert_eq!((runs(&picture), picture.serial), ((2, vec!["a"]), published.serial), "and nothing to publish");
    let again = control.opened.writer.declare(declared(Document::default())).await.unwrap();
    assert_eq!((again.number, again.is_intent_new), (2, false), "the file is what it was");
    control.stop().await;

    let control = Control::at(&path, with_route("b")).await;
    let picture = control.opened.writer.picture();
    assert_eq!(runs(&picture), (3, vec!["b"]));
    assert!(picture.serial > published.serial);
    use IntentSource::{File, Published};
    assert_eq!(sources(&control).await, [(1, File), (2, Published), (3, File)]);
    assert_eq!(control.kinds().await.last(), Some(&EventKind::IntentChanged));
    control.stop().await;
}

/// A store of a build that kept no history.
#[tokio::test]
async fn a_store_without_a_history_gets_its_first_record_and_nothing_is_published() {
    let store = AnyStore::open(&StorePlace::Memory).await.unwrap();
    store.load().await.unwrap();
    let digest = declare::content_digest(&with_route("a").intent);
    let other = Control::in_memory().await;
    let keys = Some(other.store.load().await.unwrap().keys);
    other.stop().await;
    let before = Batch { serial: Serial(7), intent: Some(digest), keys, ..Batch::default() };
    store.commit(&before).await.unwrap();
    let control = Control::start(store, with_route("a")).await;
    let picture = control.opened.writer.picture();
    assert_eq!((runs(&picture), picture.serial), ((1, vec!["a"]), Serial(7)));
    assert_eq!(sources(&control).await, [(1, IntentSource::File)]);
    assert_eq!(control.kinds().await, [EventKind::ControlStarted]);
    control.stop().await;
}

#[tokio::test]
async fn settings_that_are_published_reach_the_keys_and_outlive_a_file_that_did_not_change() {
    let control = Control::in_memory().await;
    let document = Document::read("settings: {session_lifetime_seconds: 7200, session_idle_seconds: 60}").unwrap();
    control.opened.writer.publish(wanted(1, document.clone())).await.unwrap();
    control.opened.writer.declare(declared(Document::default())).await.unwrap();
    let picture = control.picture(|picture| picture.main.number == 2).await;
    assert_eq!(picture.main.intent, document.intent.into());
    control.stop().await;
}

#[tokio::test]
async fn what_the_store_does_not_take_never_runs() {
    let folder = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(&folder.path().join("control.db")).await.unwrap();
    let control = Control::start(AnyStore::Sqlite(store.clone()), Document::default()).await;
    let writer = control.opened.writer.clone();
    let before = writer.picture();
    store.limit_pages(1).await;
    let large = format!(
        "routes: [{}]",
        (0..400).map(|at| format!("{{name: r{at}, capability: weather}},")).collect::<String>()
    );
    let large = Document::read(&large).unwrap();
    assert_eq!(writer.publish(wanted(1, large.clone())).await, Err(NotPublished::Storing));
    assert_eq!(writer.declare(declared(with_route("a"))).await, Err(NotPublished::Storing), "nor what the file says");
    control.report("n", &["weather-1"]).await;
    let shown = control.picture(|picture| has(picture, "weather-1")).await;
    assert_eq!(shown.main, before.main, "facts go on, the intent stays");

    store.limit_pages(1_000_000).await;
    let mut storing = writer.storing();
    timeout(PATIENCE, storing.wait_for(|storing| *storing == Storing::Fine)).await.unwrap().unwrap();
    let published = writer.publish(wanted(1, large)).await.unwrap();
    assert_eq!((published.number, published.is_intent_new), (2, true));
    assert!(!control.kinds().await[..3].contains(&EventKind::IntentChanged), "what failed left no event");
    control.stop().await;
}

/// A transaction may be written and its acknowledgement lost.
#[tokio::test]
async fn a_record_that_the_store_took_without_saying_so_runs_once_the_store_answers() {
    let folder = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(&folder.path().join("control.db")).await.unwrap();
    let control = Control::start(AnyStore::Sqlite(store.clone()), Document::default()).await;
    let writer = control.opened.writer.clone();
    store.limit_pages(1).await;
    let large = format!(
        "routes: [{}]",
        (0..400).map(|at| format!("{{name: r{at}, capability: weather}},")).collect::<String>()
    );
    let refused = writer.publish(wanted(1, Document::read(&large).unwrap())).await;
    assert_eq!(refused, Err(NotPublished::Storing));
    store.limit_pages(1_000_000).await;
    let document = with_route("a").text;
    let record = IntentRecord {
        number: 2,
        at: SystemTime::UNIX_EPOCH,
        author: "ada".into(),
        reason: "because".into(),
        parent: Some(1),
        undoes: None,
        source: IntentSource::Published,
        digest: Digest::of(document.as_bytes()),
        document,
    };
    let serial = Serial(writer.picture().serial.0 + 1);
    store.commit(&Batch { serial, intents: vec![record], ..Batch::default() }).await.unwrap();
    let picture = control.picture(|picture| picture.main.number == 2).await;
    assert_eq!(runs(&picture), (2, vec!["a"]));
    assert_eq!(writer.publish(wanted(2, with_route("b"))).await.unwrap().number, 3);
    control.stop().await;
}
