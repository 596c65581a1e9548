//! Passive ejection: an endpoint that refuses connections is left alone for a while.
//!
//! In: failures and successes with their time. Out: whether new calls should avoid the endpoint, and since when it fails.
//! Rule: the first failure ejects for a moment (1 s), each further one for twice as long, up to a limit (30 s); a success forgets all of it.
//! Invariant: failures during an ejection do not lengthen it; many calls that fail at once are one event.

use std::time::{Duration, Instant};

use outrigger_model::pool::policy::Outlier;

/// The state of one endpoint.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Health {
    failing: Option<Failing>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Failing {
    since: Instant,
    ejected_for: Duration,
    until: Instant,
}

impl Health {
    /// A connection failed, or the peer's proxy could not reach its agent.
    pub fn failed(&mut self, pauses: &Outlier, now: Instant) {
        let (since, ejected_for) = match self.failing {
            None => (now, pauses.first),
            Some(failing) if now < failing.until => return,
            Some(failing) => {
                (failing.since, failing.ejected_for.saturating_mul(2).max(pauses.first).min(pauses.longest))
            }
        };
        self.failing = Some(Failing { since, ejected_for, until: now + ejected_for });
    }

    /// A connection failed, and too many others are ejected for this one to be.
    pub fn failed_and_stays(&mut self, now: Instant) {
        let since = self.failing.map_or(now, |failing| failing.since);
        let ejected_for = self.failing.map_or(Duration::ZERO, |failing| failing.ejected_for);
        self.failing = Some(Failing { since, ejected_for, until: now });
    }

    /// An answer came.
    pub fn succeeded(&mut self) {
        self.failing = None;
    }

    /// Until when new calls avoid it, if they do at `now`.
    pub fn ejected_until(&self, now: Instant) -> Option<Instant> {
        self.failing.map(|failing| failing.until).filter(|until| now < *until)
    }

    /// Since when nothing but failures was seen.
    pub fn failing_since(&self) -> Option<Instant> {
        self.failing.map(|failing| failing.since)
    }
}

#[cfg(test)]
mod tests;
