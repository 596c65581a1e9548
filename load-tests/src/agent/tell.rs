//! What streams are told, and when.
//!
//! In: the writing end of a stream. Out: events, until all were told or the reader is gone.
//! Invariant: a stream without a reader's end is ended after [`STREAM_MAX`], so that a bench that was killed leaves nothing.

use std::time::Duration;

use bytes::Bytes;
use tokio::sync::{mpsc, watch};
use tokio::time::{Interval, interval, sleep, timeout};

use super::reply::Telling;
use crate::echo::Era;
use crate::echo::event::{closed, progress, told};

const STREAM_MAX: Duration = Duration::from_secs(300);

/// The progress of one call, then its answer.
pub async fn tell_answer(events: mpsc::Sender<Bytes>, number: u64, count: u32, every_ms: u32, last: String) {
    let mut ticks = beat(every_ms).await;
    for step in 1..=count {
        ticks.tick().await;
        if events.send(event(&progress(number, step, count))).await.is_err() {
            return;
        }
    }
    // A reader that went away does not want the answer either.
    let _ = events.send(event(&last)).await;
}

/// Who holds a stream open.
#[derive(Debug)]
pub struct Listener {
    pub era: Era,
    pub number: u64,
    pub replica: String,
    pub telling: watch::Receiver<Telling>,
}

/// Waits until the generator says what to tell, tells it, and ends the stream.
pub async fn tell(events: mpsc::Sender<Bytes>, mut listener: Listener) {
    let begun = tokio::select! {
        begun = timeout(STREAM_MAX, listener.telling.changed()) => begun.is_ok_and(|changed| changed.is_ok()),
        () = events.closed() => false,
    };
    if !begun {
        return;
    }
    let telling = *listener.telling.borrow();
    let mut ticks = beat(telling.every_ms).await;
    for step in 0..telling.events {
        ticks.tick().await;
        let message = told(listener.era, listener.number, step, &listener.replica);
        if events.send(event(&message)).await.is_err() {
            return;
        }
    }
    if listener.era == Era::Modern {
        // Nor does it want the end.
        let _ = events.send(event(&closed(listener.number, &listener.replica, telling.events))).await;
    }
}

pub async fn keep_quiet(events: mpsc::Sender<Bytes>) {
    // Says that the stream is open; some proxies release the head with the first byte of the body.
    if events.send(Bytes::from_static(b": open\n\n")).await.is_ok() {
        let _ = timeout(STREAM_MAX, events.closed()).await;
    }
}

/// Ticks from a random moment on: streams that begin together must not beat together.
async fn beat(every_ms: u32) -> Interval {
    sleep(Duration::from_millis(fastrand::u64(0..=u64::from(every_ms)))).await;
    interval(Duration::from_millis(u64::from(every_ms.max(1))))
}

pub fn event(message: &str) -> Bytes {
    Bytes::from(format!("event: message\ndata: {message}\n\n"))
}
