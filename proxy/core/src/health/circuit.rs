//! The circuit of one endpoint: closed while it answers, open after too many bad answers in a row, half-open when that was a while ago.
//!
//! In: how calls that were sent there ended, in microseconds of a clock of its owner. Out: whether a call may go there, and what changed.
//! Rule: a failure counts only if its call began after the last one that counted. Many calls that break at once are one failure, and
//! calls that fail one after the other are as many as they are. A timeout says enough by itself and always counts.
//! Invariant: while it is half-open exactly one call goes there in each `recovery`; nothing here takes a lock.

use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::time::Duration;

use outrigger_model::pool::policy::Breaker;

/// The circuit of one endpoint.
#[derive(Debug, Default)]
pub struct Circuit {
    failures: AtomicU32,
    /// When the last failure that counted came.
    failed_at: AtomicU64,
    /// Since when it is not closed, and until when it is open; zero is closed.
    opened_at: AtomicU64,
    open_until: AtomicU64,
}

/// Whether calls may go there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    Closed,
    /// For this much longer.
    Open(Duration),
    /// One call may try.
    HalfOpen,
}

/// What an answer changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Turn {
    Opened,
    Closed,
}

impl Circuit {
    pub fn is_closed(&self) -> bool {
        self.open_until.load(Ordering::Relaxed) == 0
    }

    pub fn state(&self, now: u64) -> State {
        match self.open_until.load(Ordering::Relaxed) {
            0 => State::Closed,
            until if now < until => State::Open(Duration::from_micros(until - now)),
            _ => State::HalfOpen,
        }
    }

    /// Whether a call that is about to be sent may be. One that finds it half-open is the trial, and closes the door behind itself.
    pub fn enter(&self, breaker: &Breaker, now: u64) -> bool {
        let until = self.open_until.load(Ordering::Relaxed);
        if until == 0 {
            return true;
        }
        if now < until {
            return false;
        }
        let next = now.saturating_add(micros(breaker.recovery)).max(1);
        let is_first = self.open_until.compare_exchange(until, next, Ordering::Relaxed, Ordering::Relaxed).is_ok();
        if is_first {
            self.opened_at.store(now, Ordering::Relaxed);
        }
        is_first
    }

    /// A call that began at `began` was answered well.
    pub fn succeeded(&self, began: u64) -> Option<Turn> {
        if self.failures.load(Ordering::Relaxed) != 0 {
            self.failures.store(0, Ordering::Relaxed);
        }
        // One that was sent before it opened says nothing about now.
        if self.open_until.load(Ordering::Relaxed) == 0 || began < self.opened_at.load(Ordering::Relaxed) {
            return None;
        }
        (self.open_until.swap(0, Ordering::Relaxed) != 0).then_some(Turn::Closed)
    }

    /// A call that began at `began` was not. `always`: it counts whatever else failed meanwhile.
    pub fn failed(&self, breaker: &Breaker, began: u64, always: bool, now: u64) -> Option<Turn> {
        if breaker.failure_threshold == 0 {
            return None;
        }
        let until = self.open_until.load(Ordering::Relaxed);
        if until != 0 {
            let is_trial = began >= self.opened_at.load(Ordering::Relaxed);
            return (is_trial && self.open(until, breaker, now)).then_some(Turn::Opened);
        }
        let last = self.failed_at.load(Ordering::Relaxed);
        let counts = always || self.failures.load(Ordering::Relaxed) == 0 || began >= last;
        if !counts || self.failed_at.compare_exchange(last, now, Ordering::Relaxed, Ordering::Relaxed).is_err() {
            return None;
        }
        let failures = self.failures.fetch_add(1, Ordering::Relaxed).saturating_add(1);
        (failures >= breaker.failure_threshold && self.open(0, breaker, now)).then_some(Turn::Opened)
    }

    fn open(&self, until: u64, breaker: &Breaker, now: u64) -> bool {
        let next = now.saturating_add(micros(breaker.recovery)).max(1);
        let is_first = self.open_until.compare_exchange(until, next, Ordering::Relaxed, Ordering::Relaxed).is_ok();
        if is_first {
            self.opened_at.store(now, Ordering::Relaxed);
            self.failures.store(0, Ordering::Relaxed);
        }
        is_first
    }
}

fn micros(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests;
