//! How fast the body of a request has to come.
//!
//! In: when it was waited for and how much came. Out: the moment from which its caller is too slow.
//! Why: a body that is dripped holds a connection, a call and an agent for as long as its sender likes.
//! Invariant: only waiting for the caller counts. While the agent takes nothing, nobody asks the caller for more.

use std::time::{Duration, Instant};

/// What a body may take: a time for free, and more with every byte that came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pace {
    pub grace: Duration,
    /// At least 1.
    pub bytes_per_second_min: u32,
}

/// One body against its pace.
#[derive(Debug)]
pub struct Pacer {
    pace: Pace,
    waited: Duration,
    waiting_since: Option<Instant>,
    bytes: u64,
}

impl Default for Pace {
    fn default() -> Self {
        Self { grace: Duration::from_secs(5), bytes_per_second_min: 256 }
    }
}

impl Pacer {
    pub const fn new(pace: Pace) -> Self {
        Self { pace, waited: Duration::ZERO, waiting_since: None, bytes: 0 }
    }

    /// Nothing is here; the caller is waited for.
    pub fn wait(&mut self, now: Instant) {
        self.waiting_since.get_or_insert(now);
    }

    /// Something came.
    pub fn came(&mut self, bytes: usize, now: Instant) {
        self.bytes = self.bytes.saturating_add(bytes as u64);
        if let Some(since) = self.waiting_since.take() {
            self.waited += now.saturating_duration_since(since);
        }
    }

    /// When the caller will have been too slow, if nothing comes; none while it is not waited for.
    pub fn due(&self) -> Option<Instant> {
        let earned =
            Duration::from_millis(self.bytes.saturating_mul(1_000) / u64::from(self.pace.bytes_per_second_min).max(1));
        let left = self.pace.grace.saturating_add(earned).saturating_sub(self.waited);
        self.waiting_since?.checked_add(left)
    }

    pub fn is_overdue(&self, now: Instant) -> bool {
        self.due().is_some_and(|due| due <= now)
    }

    /// Whether the caller is waited for.
    pub const fn is_waiting(&self) -> bool {
        self.waiting_since.is_some()
    }
}

#[cfg(test)]
mod tests;
