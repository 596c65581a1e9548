use std::future::pending;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use tokio::time::timeout;

use super::{Readiness, Tasks};

const SOON: Duration = Duration::from_secs(10);

#[test]
fn a_proxy_is_ready_when_it_started_and_every_condition_is_met() {
    let readiness = Readiness::default();
    let snapshot = readiness.condition("snapshot", "the first one");
    readiness.started();
    assert!(!readiness.is_ready());
    assert_eq!(readiness.report().details, ["snapshot: the first one"]);
    snapshot.met();
    assert!(readiness.is_ready());
    snapshot.unmet("another one");
    assert!(!readiness.is_ready());
    snapshot.met();
    readiness.stopping();
    assert!(!readiness.is_ready());
    assert_eq!(readiness.report().details, ["stopping"]);
}

#[test]
fn a_condition_whose_owner_is_gone_is_not_met() {
    let readiness = Readiness::default();
    readiness.started();
    let condition = readiness.condition("snapshot", "the first one");
    condition.met();
    drop(condition);
    assert!(!readiness.is_ready());
}

#[test]
fn a_note_is_told_and_changes_nothing() {
    let readiness = Readiness::default();
    readiness.started();
    readiness.note("stale", Some("12 s".to_owned()));
    assert!(readiness.is_ready());
    assert_eq!(readiness.report().details, ["stale: 12 s"]);
    readiness.note("stale", None);
    assert!(readiness.report().details.is_empty());
}

#[tokio::test]
async fn who_waits_for_readiness_is_told() {
    let readiness = Readiness::default();
    let waiting = tokio::spawn({
        let readiness = readiness.clone();
        async move { readiness.until_ready().await }
    });
    readiness.started();
    timeout(SOON, waiting).await.expect("in time").expect("no panic");
}

#[tokio::test]
async fn tasks_are_asked_to_end_and_joined() {
    let mut tasks = Tasks::default();
    let ended = Arc::new(AtomicBool::new(false));
    let (stop, told) = (tasks.token(), Arc::clone(&ended));
    tasks.spawn("polite", async move {
        stop.cancelled().await;
        told.store(true, Ordering::SeqCst);
    });
    tasks.stop(SOON).await;
    assert!(ended.load(Ordering::SeqCst));
}

#[tokio::test]
async fn a_task_that_does_not_end_is_ended() {
    let mut tasks = Tasks::default();
    tasks.spawn("stubborn", pending());
    let began = Instant::now();
    timeout(SOON, tasks.stop(Duration::from_millis(20))).await.expect("in time");
    assert!(began.elapsed() >= Duration::from_millis(20));
}

#[tokio::test]
async fn a_task_that_ends_by_itself_is_named() {
    let mut tasks = Tasks::default();
    tasks.spawn("stubborn", pending());
    tasks.spawn("short", async {});
    assert_eq!(timeout(SOON, tasks.first_end()).await, Ok(Some("short")));
    tasks.stop(Duration::ZERO).await;
}
