//! Decides whether a new stream is taken now, and when one that is not should come again.
//!
//! In: a rate, `now`. Out: yes, or after how long.
//! Never here: who asks; what one node or one identity may hold is in `watchers`.
//! Invariant: in any second about the rate is taken, after a rest up to twice as many; those that are refused together are told
//! different times, so that they do not come again together.

use std::time::{Duration, Instant};

/// Nobody is sent away for longer; a client that lost control waits no longer by itself either.
const AFTER_MAX: Duration = Duration::from_secs(15);

/// When the next stream may come.
#[derive(Debug)]
pub struct Admission {
    every: Duration,
    /// What may come at once after a rest, as time.
    burst: Duration,
    /// Up to here the streams that were taken use up the rate.
    taken: Option<Instant>,
    /// Up to here those that were refused do, if each comes when it was told to.
    told: Option<Instant>,
}

impl Admission {
    pub fn new(per_second: u32) -> Self {
        let burst = Duration::from_secs(1);
        Self { every: burst / per_second.max(1), burst, taken: None, told: None }
    }

    /// Takes a stream, or says after how long it should come again.
    pub fn ask(&mut self, now: Instant) -> Result<(), Duration> {
        let taken = self.taken.map_or(now, |taken| taken.max(now)) + self.every;
        if taken <= now + self.burst {
            self.taken = Some(taken);
            return Ok(());
        }
        // Whoever was told before comes first.
        let free = taken.checked_sub(self.burst).map_or(now, |free| free.max(now));
        let told = self.told.map_or(free, |told| told.max(free)) + self.every;
        let after = told.saturating_duration_since(now);
        if after <= AFTER_MAX {
            self.told = Some(told);
        }
        Err(after.min(AFTER_MAX))
    }
}

#[cfg(test)]
mod tests;
