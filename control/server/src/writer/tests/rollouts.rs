//! Candidates that some proxies try while another intent runs.

use std::collections::BTreeSet;

use outrigger_control_core::rollout::course::{NotStarted, NotWidened, Phase};
use outrigger_control_core::rollout::lane::Lane;
use outrigger_control_core::rollout::plan::{Gate, Plan};
use outrigger_control_core::snapshot::scope::Scope;
use outrigger_model::label::Labels;
use sqlx::{ConnectOptions, Connection, Executor};

use super::*;

fn proxies() -> BTreeSet<(NodeId, Labels)> {
    ["p1", "p2", "p3"].map(|name| (NodeId::new(name).unwrap(), Labels::default())).into()
}

fn trying(expected: u64, document: Document) -> Trying {
    let plan = Plan::new(None, Some(vec![10, 100]), Gate::default(), false).unwrap();
    Trying { signature: Signature::new("ada", "faster").unwrap(), expected, document, plan, proxies: proxies() }
}

fn widen() -> Move {
    Move::Widen { by: "ada".to_owned(), control: Tally::default(), proxies: proxies() }
}

fn promote() -> Move {
    Move::Promote { by: "ada".to_owned() }
}

fn abort() -> Move {
    Move::Abort { by: "ada".to_owned(), why: "enough".to_owned() }
}

fn published(expected: u64, document: Document) -> Wanted {
    Wanted { signature: Signature::new("ben", "because").unwrap(), expected, document, back_to: None }
}

/// The routes that either lane goes by.
fn lanes(picture: &Picture) -> (Vec<String>, Vec<String>) {
    let routes = |lane| {
        let intent = &picture.head(&Scope::base().on(lane)).intent;
        intent.routes().map(|route| route.name.to_string()).collect()
    };
    (routes(Lane::Main), routes(Lane::Canary))
}

fn names(all: &[&str]) -> Vec<String> {
    all.iter().map(|name| (*name).to_owned()).collect()
}

async fn newest_event(control: &Control) -> String {
    let event = control.store.events(0, 1_000).await.unwrap().pop().unwrap();
    format!("{}: {}", event.kind, event.detail)
}

#[tokio::test]
async fn a_candidate_is_stored_and_then_shown_beside_what_runs() {
    let control = Control::in_memory().await;
    let writer = control.opened.writer.clone();
    let before = writer.picture();
    let rollout = writer.start_rollout(trying(1, with_route("a"))).await.unwrap();
    assert_eq!(rollout.since.rollout, Serial(before.serial.0 + 1));
    assert_eq!(control.store.load().await.unwrap().rollout.as_ref(), Some(&*rollout));
    let lead = rollout.lead.clone().expect("one of three goes first");
    assert_eq!(newest_event(&control).await, format!("rollout_started: step 1 of 2, 10 % and {lead} by ada: faster"));
    let picture = control.picture(|picture| picture.serial == rollout.since.rollout).await;
    assert_eq!(lanes(&picture), (vec![], names(&["a"])));
    assert_eq!((picture.main.number, picture.membership()), (1, rollout.membership()));
    assert_eq!(picture.floor(), picture.serial, "both lanes have the same number");
    control.stop().await;
}

#[tokio::test]
async fn what_cannot_be_tried_changes_nothing() {
    let control = Control::in_memory().await;
    let writer = control.opened.writer.clone();
    let same = writer.start_rollout(trying(1, Document::default())).await;
    assert_eq!(same, Err(NotMoved::Unchanged(1)));
    let moved = writer.start_rollout(trying(7, with_route("a"))).await;
    assert_eq!(moved, Err(NotPublished::Moved { current: 1, expected: 7 }.into()));
    let nobody = Trying { proxies: BTreeSet::new(), ..trying(1, with_route("a")) };
    assert_eq!(writer.start_rollout(nobody).await, Err(NotStarted::Nobody.into()));
    assert_eq!(writer.move_rollout(None, abort()).await, Err(NotMoved::None));
    writer.start_rollout(trying(1, with_route("a"))).await.unwrap();
    assert_eq!(writer.start_rollout(trying(1, with_route("b"))).await, Err(NotMoved::UnderWay));
    control.stop().await;
}

#[tokio::test]
async fn a_rollout_is_widened_step_by_step_and_its_promotion_is_a_record_of_its_own() {
    let control = Control::in_memory().await;
    let writer = control.opened.writer.clone();
    let first = writer.start_rollout(trying(1, with_route("a"))).await.unwrap();
    control.picture(|picture| picture.serial == first.since.rollout).await;
    let wide = writer.move_rollout(Some(first.since), widen()).await.unwrap();
    assert_eq!((wide.step, wide.since.rollout, wide.membership().share), (1, first.since.rollout, 100));
    assert!(wide.since.step > first.since.step);
    let stale = writer.move_rollout(Some(first.since), abort()).await;
    assert_eq!(stale, Err(NotMoved::Stale), "what was decided about another step");
    assert_eq!(writer.move_rollout(None, widen()).await, Err(NotWidened::Last.into()));
    control.picture(|picture| picture.serial == wide.since.step).await;

    let done = writer.move_rollout(Some(wide.since), promote()).await.unwrap();
    assert_eq!(done.phase, Phase::Promoted);
    let picture = control.picture(|picture| picture.main.number == 2).await;
    assert_eq!((lanes(&picture), picture.trial.is_none()), ((names(&["a"]), names(&["a"])), true));
    assert_eq!((Some(picture.serial), picture.lanes_since), (done.ended, picture.serial));
    let record = control.store.intent(2).await.unwrap().unwrap();
    assert_eq!((record.author.as_str(), record.reason.as_str()), ("ada", "promoted: faster"));
    assert_eq!(newest_event(&control).await, "rollout_promoted: by ada: faster");
    assert_eq!(writer.move_rollout(None, abort()).await, Err(NotMoved::None), "it has ended");
    control.stop().await;
}

#[tokio::test]
async fn after_an_abort_both_lanes_go_by_what_runs() {
    let control = Control::in_memory().await;
    let writer = control.opened.writer.clone();
    let rollout = writer.start_rollout(trying(1, with_route("a"))).await.unwrap();
    control.picture(|picture| picture.serial == rollout.since.rollout).await;
    let aborted = writer.move_rollout(None, abort()).await.unwrap();
    assert_eq!(newest_event(&control).await, "rollout_aborted: enough (by ada)");
    let picture = control.picture(|picture| Some(picture.serial) == aborted.ended).await;
    assert_eq!((lanes(&picture), picture.main.number), ((vec![], vec![]), 1));
    assert!(picture.floor() > rollout.since.rollout, "everybody gets a newer number");
    assert_eq!(control.store.load().await.unwrap().rollout.as_ref(), Some(&*aborted));
    control.stop().await;
}

#[tokio::test]
async fn another_intent_that_comes_into_force_ends_a_rollout() {
    let control = Control::in_memory().await;
    let writer = control.opened.writer.clone();
    let phase = || writer.rollouts().borrow().as_ref().unwrap().phase.clone();
    writer.start_rollout(trying(1, with_route("a"))).await.unwrap();
    writer.publish(published(1, with_route("b"))).await.unwrap();
    assert_eq!(phase(), Phase::Aborted("intent 2 came into force meanwhile".to_owned()));
    let picture = control.picture(|picture| picture.main.number == 2).await;
    assert_eq!(lanes(&picture), (names(&["b"]), names(&["b"])));
    writer.start_rollout(trying(2, with_route("a"))).await.unwrap();
    writer.declare(declared(with_route("c"))).await.unwrap();
    assert_eq!(phase(), Phase::Aborted("intent 3 came into force meanwhile".to_owned()));
    control.stop().await;
}

#[tokio::test]
async fn a_restart_begins_the_step_anew_and_promotes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("control.db");
    let control = Control::at(&path, Document::default()).await;
    let writer = control.opened.writer.clone();
    writer.start_rollout(trying(1, with_route("a"))).await.unwrap();
    let wide = writer.move_rollout(None, widen()).await.unwrap();
    control.picture(|picture| picture.serial == wide.since.step).await;
    control.stop().await;

    let control = Control::at(&path, Document::default()).await;
    let again = control.opened.writer.rollouts().borrow().clone().unwrap();
    assert_eq!((again.step, again.since, &again.phase), (wide.step, wide.since, &Phase::Running));
    assert!(again.step_at >= wide.step_at);
    let picture = control.opened.writer.picture();
    assert_eq!((lanes(&picture), picture.main.number), ((vec![], names(&["a"])), 1));
    control.stop().await;

    let control = Control::at(&path, with_route("b")).await;
    let ended = control.opened.writer.rollouts().borrow().clone().unwrap();
    assert_eq!(ended.phase, Phase::Aborted("intent 2 came into force meanwhile".to_owned()), "the file changed");
    let picture = control.opened.writer.picture();
    assert_eq!(lanes(&picture), (names(&["b"]), names(&["b"])));
    assert_eq!((picture.serial > wide.since.step, Some(picture.lanes_since)), (true, ended.ended));
    assert!(control.kinds().await.contains(&EventKind::RolloutAborted));
    control.stop().await;
}

#[tokio::test]
async fn a_rollout_whose_row_is_damaged_ends_and_everybody_gets_a_newer_number() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("control.db");
    let control = Control::at(&path, Document::default()).await;
    let rollout = control.opened.writer.start_rollout(trying(1, with_route("a"))).await.unwrap();
    control.picture(|picture| picture.serial == rollout.since.rollout).await;
    control.stop().await;
    let mut connection = sqlx::sqlite::SqliteConnectOptions::new().filename(&path).connect().await.unwrap();
    connection.execute("UPDATE rollout SET body = '{}'").await.unwrap();
    connection.close().await.unwrap();

    let control = Control::at(&path, Document::default()).await;
    assert_eq!(*control.opened.writer.rollouts().borrow(), None);
    let picture = control.opened.writer.picture();
    assert_eq!(lanes(&picture), (vec![], vec![]));
    assert!(picture.floor() > rollout.since.rollout);
    control.stop().await;
}

#[tokio::test]
async fn nothing_is_tried_or_widened_that_is_not_stored_and_an_abort_waits_for_nobody() {
    let folder = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(&folder.path().join("control.db")).await.unwrap();
    let control = Control::start(AnyStore::Sqlite(store.clone()), Document::default()).await;
    let writer = control.opened.writer.clone();
    let rollout = writer.start_rollout(trying(1, with_route("a"))).await.unwrap();
    control.picture(|picture| picture.serial == rollout.since.rollout).await;
    store.limit_pages(1).await;
    let many: Vec<String> = (0..200).map(|number| format!("weather-{number}")).collect();
    for name in &many {
        control.report(name, &[name]).await;
    }
    let mut storing = writer.storing();
    timeout(PATIENCE, storing.wait_for(|storing| *storing != Storing::Fine)).await.unwrap().unwrap();
    assert_eq!(writer.move_rollout(None, widen()).await, Err(NotPublished::Storing.into()));
    assert_eq!(writer.move_rollout(None, promote()).await, Err(NotPublished::Storing.into()));
    let aborted = writer.move_rollout(None, abort()).await.unwrap();
    let picture = control.picture(|picture| picture.trial.is_none()).await;
    assert_eq!((lanes(&picture), Some(picture.lanes_since)), ((vec![], vec![]), aborted.ended));
    assert_eq!(writer.start_rollout(trying(1, with_route("a"))).await, Err(NotPublished::Storing.into()));

    store.limit_pages(1_000_000).await;
    timeout(PATIENCE, storing.wait_for(|storing| *storing == Storing::Fine)).await.unwrap().unwrap();
    let stored = store.load().await.unwrap().rollout.unwrap();
    assert_eq!((&stored.phase, stored.ended), (&aborted.phase, aborted.ended));
    control.stop().await;
}
