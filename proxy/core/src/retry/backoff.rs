//! How long a call pauses before it is sent once more.
//!
//! In: the pauses that a route allows, how often the call was repeated, chance. Out: a pause.
//! Why all of it by chance: calls that failed together would otherwise come back together (full jitter).
//! Invariant: no pause is longer than the route allows.

use std::time::Duration;

use outrigger_model::retries::Backoff;

/// The pause before repetition number `repetition`, counted from 1. `chance` is any number, each as likely as the other.
pub fn pause(backoff: Backoff, repetition: u32, chance: u64) -> Duration {
    let doublings = repetition.saturating_sub(1).min(31);
    let most = backoff.first.saturating_mul(1 << doublings).min(backoff.longest);
    let part = most.as_nanos().saturating_mul(u128::from(chance)) / u128::from(u64::MAX);
    Duration::from_nanos(u64::try_from(part).unwrap_or(u64::MAX)).min(most)
}

#[cfg(test)]
mod tests;
