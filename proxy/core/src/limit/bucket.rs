//! A token bucket, kept as the one moment at which it is full again (GCRA).
//!
//! In: a [`Pace`], `now` in nanoseconds of any clock that only goes forward. Out: taken, or how long until there is a token.
//! Invariant: in any stretch of time `t` no more than `burst + t / step` calls are let through.

use std::time::Duration;

/// How fast tokens come back, and how many are saved.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pace {
    /// Nanoseconds between two tokens.
    step: u64,
    /// How far the bucket may be from full and still give one.
    slack: u64,
}

/// A new one is full.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Bucket {
    full_at: u64,
}

impl Pace {
    /// `calls` come back in each `every`. Rounded so that it is never faster than written.
    pub fn new(calls: u32, every: Duration, burst: u32) -> Self {
        let step = every.as_nanos().div_ceil(u128::from(calls.max(1)));
        let step = u64::try_from(step).unwrap_or(u64::MAX).max(1);
        Self { step, slack: step.saturating_mul(u64::from(burst.max(1)) - 1) }
    }
}

impl Bucket {
    pub fn take(&mut self, pace: Pace, now: u64) -> Result<(), Duration> {
        let full_at = self.full_at.max(now);
        let missing = full_at - now;
        if missing > pace.slack {
            return Err(Duration::from_nanos(missing - pace.slack));
        }
        self.full_at = full_at.saturating_add(pace.step);
        Ok(())
    }

    /// The call that took a token is not made after all.
    pub fn put_back(&mut self, pace: Pace) {
        self.full_at = self.full_at.saturating_sub(pace.step);
    }

    /// Whether it is as good as a new one.
    pub const fn is_full(&self, now: u64) -> bool {
        self.full_at <= now
    }
}

#[cfg(test)]
mod tests;
