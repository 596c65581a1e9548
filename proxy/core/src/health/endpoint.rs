//! Passive ejection: an endpoint that refuses connections is left alone for a while.
//!
//! In: failures and successes with their time. Out: whether new calls should avoid the endpoint, and since when it fails.
//! Rule: the first failure ejects for 1 s, each further one for twice as long, up to 30 s; a success forgets all of it.
//! Invariant: failures during an ejection do not lengthen it; many calls that fail at once are one event.

use std::time::{Duration, Instant};

pub const EJECTION_FIRST: Duration = Duration::from_secs(1);
pub const EJECTION_MAX: Duration = Duration::from_secs(30);

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
    pub fn failed(&mut self, now: Instant) {
        let (since, ejected_for) = match self.failing {
            None => (now, EJECTION_FIRST),
            Some(failing) if now < failing.until => return,
            Some(failing) => (failing.since, (failing.ejected_for * 2).min(EJECTION_MAX)),
        };
        self.failing = Some(Failing { since, ejected_for, until: now + ejected_for });
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
