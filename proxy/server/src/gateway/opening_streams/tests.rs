use std::future::poll_fn;
use std::pin::pin;
use std::task::Poll;
use std::time::Duration;

use outrigger_model::name::AgentName;
use outrigger_proxy_core::session::key::SessionKey;
use tokio::time::Instant;

use super::{OpeningStreams, WAIT_MAX};

fn key(id: &[u8]) -> SessionKey {
    SessionKey::of(&AgentName::new("weather").unwrap(), id)
}

/// How many streams are being opened.
fn count(streams: &OpeningStreams) -> usize {
    streams.0.iter().map(|shard| shard.streams().len()).sum()
}

#[tokio::test(start_paused = true)]
async fn a_request_waits_for_the_stream_of_its_session_and_for_no_other() {
    let streams = OpeningStreams::default();
    let opening = streams.open(key(b"a"), Instant::now());
    let began = Instant::now();
    streams.wait(key(b"b")).await;
    assert_eq!(began.elapsed(), Duration::ZERO);

    let mut waiting = pin!(streams.wait(key(b"a")));
    let first = poll_fn(|cx| Poll::Ready(waiting.as_mut().poll(cx))).await;
    assert!(first.is_pending());
    drop(opening);
    waiting.await;
    assert_eq!(began.elapsed(), Duration::ZERO, "the wait ends with the stream, not with its time");
    streams.wait(key(b"a")).await;
    assert_eq!((began.elapsed(), count(&streams)), (Duration::ZERO, 0));
}

#[tokio::test(start_paused = true)]
async fn a_stream_that_does_not_open_delays_only_what_comes_right_behind_it() {
    let streams = OpeningStreams::default();
    let began = Instant::now();
    let opening = streams.open(key(b"a"), Instant::now());
    tokio::join!(streams.wait(key(b"a")), streams.wait(key(b"a")));
    assert!((WAIT_MAX..WAIT_MAX * 2).contains(&began.elapsed()), "{:?}", began.elapsed());
    let later = Instant::now();
    streams.wait(key(b"a")).await;
    assert_eq!((later.elapsed(), count(&streams)), (Duration::ZERO, 0), "it is forgotten while it is still asked for");
    drop(opening);
    assert_eq!(count(&streams), 0);
}

#[tokio::test(start_paused = true)]
async fn the_newest_stream_of_a_session_counts() {
    let streams = OpeningStreams::default();
    let older = streams.open(key(b"a"), Instant::now());
    let newer = streams.open(key(b"a"), Instant::now());
    drop(older);
    assert_eq!(count(&streams), 1);
    drop(newer);
    assert_eq!(count(&streams), 0);
}
