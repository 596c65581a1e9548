use std::future::poll_fn;
use std::time::Duration;

use tokio::time::{Instant, timeout};

use super::Alarm;

const SECOND: Duration = Duration::from_secs(1);

async fn rings_after(alarm: &mut Alarm) -> Duration {
    let began = Instant::now();
    timeout(100 * SECOND, poll_fn(|cx| alarm.poll(cx))).await.map_or(Duration::MAX, |()| began.elapsed())
}

/// Real time, because the alarm reads the real clock.
#[tokio::test]
async fn a_limit_that_was_moved_away_is_kept_and_one_that_was_moved_near_too() {
    let near = Duration::from_millis(20);
    let mut alarm = Alarm::default();
    alarm.set(near);
    assert!(timeout(Duration::from_millis(1), poll_fn(|cx| alarm.poll(cx))).await.is_err());
    alarm.set(3 * near);
    let rung = rings_after(&mut alarm).await;
    assert!(rung >= 2 * near && rung < SECOND, "{rung:?}");
    alarm.set(100 * SECOND);
    assert!(timeout(Duration::from_millis(1), poll_fn(|cx| alarm.poll(cx))).await.is_err());
    alarm.set(near);
    assert!(rings_after(&mut alarm).await < SECOND);
}

#[tokio::test]
async fn an_alarm_that_was_stopped_or_rang_is_silent() {
    let mut alarm = Alarm::default();
    alarm.set(Duration::from_millis(1));
    assert!(rings_after(&mut alarm).await < SECOND);
    let silent = Duration::from_millis(30);
    assert!(timeout(silent, poll_fn(|cx| alarm.poll(cx))).await.is_err(), "it rings once");
    alarm.set(Duration::from_millis(1));
    alarm.stop();
    assert!(timeout(silent, poll_fn(|cx| alarm.poll(cx))).await.is_err());
}
