//! How much of its load a pool may get once more.
//!
//! In: calls as they begin, wishes to send one again, `now`. Out: whether that is allowed.
//! Why a share of the load: when all replicas fail, retries that are not bounded by it multiply what already is too much.
//! Rule: the repetitions of the last ten seconds are at most a share of the calls of the last ten seconds; of those of the running second so
//! many are always allowed, because a quiet pool has no load to take a share of.
//! Invariant: counting takes no lock; what calls on many threads count at one time is one number per second.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use outrigger_model::retries::Budget;

/// How far back the load of a pool is looked at, in seconds.
pub const WINDOW_SECONDS: u64 = 10;
/// One more than the window, so that the second that begins does not take the place of one that counts.
const PLACES: usize = 11;

// A second in one number: which one it is, repetitions, calls.
const CALLS_BITS: u32 = 24;
const REPEATED_BITS: u32 = 16;
const CALLS_MAX: u64 = (1 << CALLS_BITS) - 1;
const REPEATED_MAX: u64 = (1 << REPEATED_BITS) - 1;
const SECOND_MAX: u64 = (1 << (64 - CALLS_BITS - REPEATED_BITS)) - 1;

/// The calls and repetitions of one pool.
#[derive(Debug, Default)]
pub struct RetryBudget {
    born: OnceLock<Instant>,
    seconds: [AtomicU64; PLACES],
}

/// What happened in one second.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Second {
    /// Counted from 1, so that a place which was never used is no second.
    number: u64,
    repeated: u64,
    calls: u64,
}

impl RetryBudget {
    /// A call began, which is no repetition.
    pub fn saw_call(&self, now: Instant) {
        self.change(self.number(now), |second| Second { calls: (second.calls + 1).min(CALLS_MAX), ..second });
    }

    /// Whether one call may be sent again now; then it counts.
    pub fn take(&self, budget: Budget, now: Instant) -> bool {
        let number = self.number(now);
        let Seen { calls, repeated, repeated_now } = self.seen(number);
        let share = calls.saturating_mul(budget.percent.into()) / 100;
        let is_allowed =
            (repeated < share || repeated_now < budget.per_second_min.into()) && repeated_now < REPEATED_MAX;
        if is_allowed {
            self.change(number, |second| Second { repeated: second.repeated + 1, ..second });
        }
        is_allowed
    }

    /// How many calls could be sent again at this moment.
    pub fn left(&self, budget: Budget, now: Instant) -> u64 {
        // Who only asks does not set the clock.
        let number = if self.born.get().is_some() { self.number(now) } else { 0 };
        let Seen { calls, repeated, repeated_now } = self.seen(number);
        let share = calls.saturating_mul(budget.percent.into()) / 100;
        share.saturating_sub(repeated).max(u64::from(budget.per_second_min).saturating_sub(repeated_now))
    }

    fn number(&self, now: Instant) -> u64 {
        let born = *self.born.get_or_init(|| now);
        // After half a year it begins anew.
        now.saturating_duration_since(born).as_secs() % SECOND_MAX + 1
    }

    fn place(&self, number: u64) -> Option<&AtomicU64> {
        self.seconds.get(usize::try_from(number % PLACES as u64).unwrap_or_default())
    }

    fn change(&self, number: u64, change: impl Fn(Second) -> Second) {
        let Some(place) = self.place(number) else { return };
        let next = |written| {
            let second = Second::read(written);
            let second = if second.number == number { second } else { Second { number, repeated: 0, calls: 0 } };
            Some(change(second).written())
        };
        // It never says no.
        let _ = place.fetch_update(Ordering::Relaxed, Ordering::Relaxed, next);
    }

    fn seen(&self, number: u64) -> Seen {
        let mut seen = Seen::default();
        for place in &self.seconds {
            let second = Second::read(place.load(Ordering::Relaxed));
            if second.number == 0 || number.saturating_sub(second.number) >= WINDOW_SECONDS || second.number > number {
                continue;
            }
            seen.calls += second.calls;
            seen.repeated += second.repeated;
            if second.number == number {
                seen.repeated_now = second.repeated;
            }
        }
        seen
    }
}

/// The window, added up.
#[derive(Debug, Default)]
struct Seen {
    calls: u64,
    repeated: u64,
    repeated_now: u64,
}

impl Second {
    const fn read(written: u64) -> Self {
        Self {
            number: written >> (CALLS_BITS + REPEATED_BITS),
            repeated: (written >> CALLS_BITS) & REPEATED_MAX,
            calls: written & CALLS_MAX,
        }
    }

    const fn written(self) -> u64 {
        (self.number << (CALLS_BITS + REPEATED_BITS)) | (self.repeated << CALLS_BITS) | self.calls
    }
}

#[cfg(test)]
mod tests;
