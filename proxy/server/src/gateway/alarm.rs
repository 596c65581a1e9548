//! One time limit after the other on one connection, with one timer.
//!
//! In: moments by which something must have happened. Out: a sign when the moment passed.
//! Why not a timer for each: a call sets several limits and nearly none is ever reached. Moving a limit further away, or taking it
//! back, does not touch the runtime's timer; a timer that fires too early looks at the limit and sleeps on.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use tokio::time::Sleep;

/// The time limit of what a connection is waiting for.
#[derive(Debug, Default)]
pub struct Alarm {
    limit: Option<Instant>,
    /// Made when the first limit is waited for, and then kept.
    sleep: Option<Pin<Box<Sleep>>>,
}

impl Alarm {
    /// From now on the limit is `time` away.
    pub fn set(&mut self, time: Duration) {
        // What is beyond the clock's end is no limit.
        self.limit = Instant::now().checked_add(time);
    }

    /// From now on the limit is this moment; none is no limit.
    pub const fn set_at(&mut self, moment: Option<Instant>) {
        self.limit = moment;
    }

    /// Nothing is limited any more.
    pub const fn stop(&mut self) {
        self.limit = None;
    }

    /// Ready once the limit has passed.
    pub fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        self.poll_no_later(cx, None)
    }

    /// Ready once the limit has passed, or `earlier`.
    pub fn poll_no_later(&mut self, cx: &mut Context<'_>, earlier: Option<Instant>) -> Poll<()> {
        let Some(limit) = self.limit.into_iter().chain(earlier).min() else { return Poll::Pending };
        let limit = tokio::time::Instant::from_std(limit);
        let sleep = self.sleep.get_or_insert_with(|| Box::pin(tokio::time::sleep_until(limit)));
        if sleep.deadline() > limit {
            sleep.as_mut().reset(limit);
        }
        while sleep.as_mut().poll(cx).is_ready() {
            if sleep.deadline() >= limit {
                self.limit = self.limit.filter(|own| tokio::time::Instant::from_std(*own) > limit);
                return Poll::Ready(());
            }
            sleep.as_mut().reset(limit);
        }
        Poll::Pending
    }
}

#[cfg(test)]
mod tests;
