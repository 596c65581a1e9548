//! What is known of one endpoint from the calls that went to it; it outlives worlds.
//!
//! In: calls that begin and end, outcomes. Out: calls in flight, ejection, the state of its circuit, how long its answers take.
//! Shared by every world that has the same endpoint; dropped with the last of them.
//! Invariant: reading it takes no lock; a lock is taken only when an endpoint starts or stops to fail.

use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::{Duration, Instant};

use outrigger_model::pool::policy::{Breaker, Outlier};

use crate::health::circuit::{Circuit, State};
use crate::health::endpoint::Health;
use crate::health::latency::Latency;
use crate::health::tools::Tools;
use crate::outcome::{NotReached, Outcome};
use crate::retry::budget::RetryBudget;
use crate::room::Room;

/// The live state of one endpoint.
#[derive(Debug)]
pub struct Live {
    born: Instant,
    in_flight: AtomicUsize,
    streams: AtomicUsize,
    /// Milliseconds after `born`, rounded up; zero while nothing failed since the last success.
    ejected_until: AtomicU64,
    health: Mutex<Health>,
    circuit: Circuit,
    latency: Latency,
    pub tools: Tools,
    /// For calls that are under way there, where their number is limited.
    pub room: Arc<Room>,
}

/// The live state of one pool.
#[derive(Debug)]
pub struct PoolLive {
    turn: AtomicU64,
    mints_sessions: AtomicBool,
    retries: RetryBudget,
    /// Some tool failed at some endpoint, once.
    tools_failed: AtomicBool,
    /// Those that were ejected last; some of them may not be any more.
    ejected: Mutex<Vec<Weak<Live>>>,
    /// For calls of the whole pool, where their number is limited.
    pub room: Arc<Room>,
    /// Calls that wait for room, there or at an endpoint.
    pub crowd: Arc<AtomicUsize>,
}

/// One call in flight; counted until it is dropped.
#[derive(Debug)]
pub struct InFlight {
    live: Arc<Live>,
    is_stream: bool,
}

impl Live {
    pub fn new(now: Instant) -> Self {
        Self {
            born: now,
            in_flight: AtomicUsize::new(0),
            streams: AtomicUsize::new(0),
            ejected_until: AtomicU64::new(0),
            health: Mutex::default(),
            circuit: Circuit::default(),
            latency: Latency::default(),
            tools: Tools::default(),
            room: Arc::default(),
        }
    }

    /// Counts a call from now until the guard is dropped.
    pub fn enter(self: &Arc<Self>) -> InFlight {
        self.in_flight.fetch_add(1, Ordering::Relaxed);
        InFlight { live: Arc::clone(self), is_stream: false }
    }

    /// The same for a stream on which the agent may say something some day.
    pub fn enter_stream(self: &Arc<Self>) -> InFlight {
        self.streams.fetch_add(1, Ordering::Relaxed);
        InFlight { live: Arc::clone(self), is_stream: true }
    }

    /// Calls that are under way; streams that only listen are not.
    pub fn in_flight(&self) -> usize {
        self.in_flight.load(Ordering::Relaxed)
    }

    /// Streams that only listen.
    pub fn streams(&self) -> usize {
        self.streams.load(Ordering::Relaxed)
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

    pub const fn circuit(&self) -> &Circuit {
        &self.circuit
    }

    pub fn circuit_state(&self, now: Instant) -> State {
        if self.circuit.is_closed() { State::Closed } else { self.circuit.state(self.micros(now)) }
    }

    /// Whether a call may be sent there; of those that find the circuit half-open, one.
    pub fn passes_circuit(&self, breaker: &Breaker, now: Instant) -> bool {
        self.circuit.is_closed() || self.circuit.enter(breaker, self.micros(now))
    }

    /// An answer to what was sent at `began` has begun.
    pub fn answered_in_time(&self, began: Instant, now: Instant) {
        let took = u64::try_from(now.saturating_duration_since(began).as_micros()).unwrap_or(u64::MAX);
        self.latency.saw(took, self.micros(now));
    }

    /// How long answers take to begin, in microseconds; zero if that is not known.
    pub fn latency(&self, now: Instant) -> f64 {
        self.latency.estimate(self.micros(now))
    }

    /// How long it has been known.
    pub fn age(&self, now: Instant) -> Duration {
        now.saturating_duration_since(self.born)
    }

    /// Learns from one attempt, by the rules that suit most and for itself alone.
    pub fn record(&self, outcome: Outcome, now: Instant) {
        match outcome {
            Outcome::ConnectFailed | Outcome::NotReached(NotReached::AgentUnreachable | NotReached::UnknownReplica) => {
                self.unreachable(&Outlier::default(), true, now);
            }
            Outcome::Answered(_) => self.reached(),
            // A lost connection, a slow answer or a full proxy says little about whether the next connection works.
            Outcome::NotReached(_)
            | Outcome::Lost
            | Outcome::TimedOut
            | Outcome::TookTooLong
            | Outcome::CutOff(_)
            | Outcome::BrokeOff
            | Outcome::CallerLeft => {}
        }
    }

    /// Connecting to it is vain. It is left alone for a while if it `may` be.
    pub fn unreachable(&self, pauses: &Outlier, may: bool, now: Instant) {
        let mut health = self.health();
        if may {
            health.failed(pauses, now);
        } else {
            health.failed_and_stays(now);
        }
        let until = health.ejected_until(now).map_or(1, |until| self.age_ms(until).max(1));
        self.ejected_until.store(until, Ordering::Relaxed);
    }

    /// It answered something.
    pub fn reached(&self) {
        if self.ejected_until.load(Ordering::Relaxed) != 0 {
            let mut health = self.health();
            health.succeeded();
            self.ejected_until.store(0, Ordering::Relaxed);
        }
    }

    /// In microseconds of its own clock.
    pub fn micros(&self, moment: Instant) -> u64 {
        u64::try_from(moment.saturating_duration_since(self.born).as_micros()).unwrap_or(u64::MAX)
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
        Self {
            turn: AtomicU64::new(turn),
            mints_sessions: AtomicBool::new(false),
            retries: RetryBudget::default(),
            tools_failed: AtomicBool::new(false),
            ejected: Mutex::default(),
            room: Arc::default(),
            crowd: Arc::default(),
        }
    }

    pub fn next_turn(&self) -> u64 {
        self.turn.fetch_add(1, Ordering::Relaxed)
    }

    /// The one that comes next; it is not taken by this.
    pub fn turn(&self) -> u64 {
        self.turn.load(Ordering::Relaxed)
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

    /// Whether any tool ever failed here; if not, nobody has to know which one is called.
    pub fn saw_tools_fail(&self) -> bool {
        self.tools_failed.load(Ordering::Relaxed)
    }

    pub fn saw_tool_fail(&self) {
        if !self.saw_tools_fail() {
            self.tools_failed.store(true, Ordering::Relaxed);
        }
    }

    /// Lets `live` be ejected if fewer than `most` others are.
    pub fn unreachable(&self, live: &Arc<Live>, pauses: &Outlier, most: usize, now: Instant) {
        let mut ejected = self.ejected.lock().unwrap_or_else(PoisonError::into_inner);
        ejected
            .retain(|other| other.upgrade().is_some_and(|other| !Arc::ptr_eq(&other, live) && other.is_ejected(now)));
        let may = ejected.len() < most;
        live.unreachable(pauses, may, now);
        if may {
            ejected.push(Arc::downgrade(live));
        }
    }
}

impl Drop for InFlight {
    fn drop(&mut self) {
        let count = if self.is_stream { &self.live.streams } else { &self.live.in_flight };
        count.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests;
