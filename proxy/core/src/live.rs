//! What is known of one endpoint from the calls that went to it; it outlives worlds.
//!
//! In: calls that begin and end, outcomes. Out: calls in flight, ejection.
//! Shared by every world that has the same endpoint; dropped with the last of them.
//! Invariant: reading it takes no lock; a lock is taken only when an endpoint starts or stops to fail.

use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::health::endpoint::Health;
use crate::outcome::{NotReached, Outcome};
use crate::retry::budget::RetryBudget;

/// The live state of one endpoint.
#[derive(Debug)]
pub struct Live {
    born: Instant,
    in_flight: AtomicUsize,
    /// Milliseconds after `born`, rounded up; zero while nothing failed since the last success.
    ejected_until: AtomicU64,
    health: Mutex<Health>,
}

/// The live state of one pool.
#[derive(Debug)]
pub struct PoolLive {
    turn: AtomicU64,
    mints_sessions: AtomicBool,
    retries: RetryBudget,
}

/// One call in flight; counted until it is dropped.
#[derive(Debug)]
pub struct InFlight(Arc<Live>);

impl Live {
    pub fn new(now: Instant) -> Self {
        Self { born: now, in_flight: AtomicUsize::new(0), ejected_until: AtomicU64::new(0), health: Mutex::default() }
    }

    /// Counts a call from now until the guard is dropped.
    pub fn enter(self: &Arc<Self>) -> InFlight {
        self.in_flight.fetch_add(1, Ordering::Relaxed);
        InFlight(Arc::clone(self))
    }

    pub fn in_flight(&self) -> usize {
        self.in_flight.load(Ordering::Relaxed)
    }

    pub fn is_ejected(&self, now: Instant) -> bool {
        let until = self.ejected_until.load(Ordering::Relaxed);
        until != 0 && self.age_ms(now) < until
    }

    /// For how much longer it is ejected.
    pub fn ejected_for(&self, now: Instant) -> Option<Duration> {
        let left = self.ejected_until.load(Ordering::Relaxed).checked_sub(self.age_ms(now))?;
        (left > 0).then(|| Duration::from_millis(left))
    }

    /// Since when every attempt failed.
    pub fn failing_since(&self) -> Option<Instant> {
        if self.ejected_until.load(Ordering::Relaxed) == 0 {
            return None;
        }
        self.health().failing_since()
    }

    /// Learns from one attempt.
    pub fn record(&self, outcome: Outcome, now: Instant) {
        match outcome {
            Outcome::ConnectFailed | Outcome::NotReached(NotReached::AgentUnreachable | NotReached::UnknownReplica) => {
                let mut health = self.health();
                health.failed(now);
                let until = health.ejected_until(now).map_or(1, |until| self.age_ms(until).max(1));
                self.ejected_until.store(until, Ordering::Relaxed);
            }
            Outcome::Answered(_) if self.ejected_until.load(Ordering::Relaxed) != 0 => {
                let mut health = self.health();
                health.succeeded();
                self.ejected_until.store(0, Ordering::Relaxed);
            }
            // A lost connection, a slow answer or a full proxy says little about whether the next connection works.
            Outcome::Answered(_)
            | Outcome::NotReached(_)
            | Outcome::Lost
            | Outcome::TimedOut
            | Outcome::TookTooLong
            | Outcome::CutOff(_)
            | Outcome::BrokeOff
            | Outcome::CallerLeft => {}
        }
    }

    fn age_ms(&self, now: Instant) -> u64 {
        u64::try_from(now.saturating_duration_since(self.born).as_millis()).unwrap_or(u64::MAX)
    }

    fn health(&self) -> std::sync::MutexGuard<'_, Health> {
        self.health.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl PoolLive {
    /// `turn` is where rotation starts; chance should choose it, or all proxies begin with the same endpoint.
    pub fn new(turn: u64) -> Self {
        Self { turn: AtomicU64::new(turn), mints_sessions: AtomicBool::new(false), retries: RetryBudget::default() }
    }

    pub fn next_turn(&self) -> u64 {
        self.turn.fetch_add(1, Ordering::Relaxed)
    }

    /// How many of its calls may be sent again.
    pub const fn retries(&self) -> &RetryBudget {
        &self.retries
    }

    /// Whether an answer to `initialize` of this pool ever carried a session id.
    pub fn mints_sessions(&self) -> bool {
        self.mints_sessions.load(Ordering::Relaxed)
    }

    pub fn saw_session_minted(&self) {
        if !self.mints_sessions() {
            self.mints_sessions.store(true, Ordering::Relaxed);
        }
    }
}

impl Drop for InFlight {
    fn drop(&mut self) {
        self.0.in_flight.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests;
