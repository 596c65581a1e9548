use std::task::Poll;

use futures_util::poll;

use super::*;

#[test]
fn a_stream_that_comes_too_fast_is_told_when_to_come_again() {
    let protection = Protection::new(StreamLimits { new_per_core: 1, ..StreamLimits::default() });
    let now = Instant::now();
    let refused = (0..10_000).find_map(|_| protection.admit(now).err()).unwrap();
    assert_eq!(refused.code(), Code::Unavailable);
    let hint: u64 = refused.metadata().get(PUSHBACK).unwrap().to_str().unwrap().parse().unwrap();
    assert!((1..=1_000).contains(&hint), "{hint}");
}

#[test]
fn streams_that_opened_together_do_not_end_together() {
    let protection = Protection::new(StreamLimits::default());
    let minutes: Vec<f64> = (0..1_000).map(|_| protection.age().as_secs_f64() / 60.0).collect();
    assert!(minutes.iter().all(|age| (24.0..=36.0).contains(age)));
    assert!(minutes.iter().any(|age| *age < 26.0) && minutes.iter().any(|age| *age > 34.0));
}

#[tokio::test]
async fn large_answers_wait_until_those_before_them_are_acknowledged() {
    let limits = StreamLimits { large_bytes: 100 << 10, ..StreamLimits::default() };
    let protection = Protection::new(limits);
    assert!(protection.room(1_000).await.is_none(), "small ones need no room");
    let first = protection.room(80 << 10).await;
    let second = protection.room(80 << 10);
    tokio::pin!(second);
    assert!(matches!(poll!(&mut second), Poll::Pending));
    drop(first);
    assert!(second.await.is_some());
    assert!(protection.room(1 << 30).await.is_some(), "one that is larger than all room travels alone");
}
