//! How long to wait before the next try: from a first step, doubling to a longest one, with full jitter.
//!
//! Full jitter (anything from nothing to the step) spreads a fleet that lost control in one moment.

use std::time::Duration;

/// The waits of one watcher.
#[derive(Debug)]
pub struct Backoff {
    first: Duration,
    longest: Duration,
    failures: u32,
    chance: fastrand::Rng,
}

impl Backoff {
    pub fn new(first: Duration, longest: Duration, chance: fastrand::Rng) -> Self {
        Self { first, longest, failures: 0, chance }
    }

    /// The next wait.
    pub fn next_wait(&mut self) -> Duration {
        let step = self.first.saturating_mul(2u32.saturating_pow(self.failures)).min(self.longest);
        self.failures = self.failures.saturating_add(1);
        step.mul_f64(self.chance.f64())
    }

    /// Control answered: the next failure starts from the first step again.
    pub fn reset(&mut self) {
        self.failures = 0;
    }
}

#[cfg(test)]
mod tests;
