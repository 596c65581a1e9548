//! The two time limits that pingora has no place for.
//!
//! [`HeadClock`]: one request head arrives within a limit, however slowly a peer drips it. pingora limits each read, so a head
//! dripped one byte at a time would live for ever.
//! [`ProgressClock`]: a call makes progress within a limit. pingora has one read timeout for the first byte of an answer and for
//! silence within it, and an event stream may be silent for ever. While a call waits for its answer, pingora polls the caller's
//! connection; this clock makes that poll fail when the answer is late.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use tokio::time::Sleep;

// States of the head clock that are no moment; a moment is at least `MOMENT_MIN`.
const NO_HEAD: u64 = 0;
const HEAD_EXPECTED: u64 = 1;
const MOMENT_MIN: u64 = 2;

/// Limits the time in which one request head arrives.
#[derive(Debug)]
pub(super) struct HeadClock {
    born: Instant,
    limit: Duration,
    /// `NO_HEAD`, `HEAD_EXPECTED`, or the millisecond of life (plus `MOMENT_MIN`) in which the head's first byte came.
    state: AtomicU64,
}

impl HeadClock {
    pub(super) fn new(limit: Duration) -> Self {
        Self { born: Instant::now(), limit, state: AtomicU64::new(NO_HEAD) }
    }

    /// From now on the next byte begins a request head.
    pub(super) fn expect(&self) {
        self.state.store(HEAD_EXPECTED, Ordering::Relaxed);
    }

    pub(super) fn stop(&self) {
        self.state.store(NO_HEAD, Ordering::Relaxed);
    }

    /// Called when bytes arrived; an error once the head they belong to is late.
    pub(super) fn bytes_came(&self) -> io::Result<()> {
        let state = self.state.load(Ordering::Relaxed);
        if state == NO_HEAD {
            return Ok(());
        }
        let age = u64::try_from(self.born.elapsed().as_millis()).unwrap_or(u64::MAX);
        let now = age.saturating_add(MOMENT_MIN);
        if state == HEAD_EXPECTED {
            self.state.store(now, Ordering::Relaxed);
            return Ok(());
        }
        if u128::from(now.saturating_sub(state)) > self.limit.as_millis() {
            return Err(io::Error::new(io::ErrorKind::TimedOut, "the request head took too long"));
        }
        Ok(())
    }
}

/// Limits the time without progress of the call on a connection.
#[derive(Debug, Default)]
pub(super) struct ProgressClock(Mutex<Progress>);

#[derive(Debug, Default)]
struct Progress {
    /// Kept between calls, so that a connection allocates one at most.
    sleep: Option<Pin<Box<Sleep>>>,
    running: bool,
    late: bool,
}

impl ProgressClock {
    /// The next progress must come within `limit`.
    pub(super) fn expect_within(&self, limit: Duration) {
        let deadline = tokio::time::Instant::now() + limit;
        let mut progress = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match &mut progress.sleep {
            Some(sleep) => sleep.as_mut().reset(deadline),
            empty => *empty = Some(Box::pin(tokio::time::sleep_until(deadline))),
        }
        (progress.running, progress.late) = (true, false);
    }

    pub(super) fn stop(&self) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).running = false;
    }

    /// Whether the last expectation was not met.
    pub(super) fn is_late(&self) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).late
    }

    /// Ready with an error when progress is overdue.
    pub(super) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let progress = self.0.get_mut().unwrap_or_else(PoisonError::into_inner);
        let Some(sleep) = progress.sleep.as_mut().filter(|_| progress.running) else { return Poll::Pending };
        if sleep.as_mut().poll(cx).is_pending() {
            return Poll::Pending;
        }
        (progress.running, progress.late) = (false, true);
        Poll::Ready(Err(io::Error::new(io::ErrorKind::TimedOut, "the answer took too long")))
    }
}
