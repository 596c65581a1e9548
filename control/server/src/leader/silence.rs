//! Tells a leader that hangs from one that works, by its beat alone.
//!
//! In: term and beat as they were read, and when. Out: whether it stood still for too long.
//! Invariant: what could not be read proves nothing; after it the count begins anew.

use std::time::Duration;

use tokio::time::Instant;

/// Three beats and the delay of a loaded database; with a look and a take-over it stays below five seconds.
const SILENCE_MAX: Duration = Duration::from_millis(3_500);
/// Fewer looks than this are no proof, however far apart.
const LOOKS_MIN: u32 = 4;

#[derive(Debug, Default)]
pub struct Silence {
    last: Option<(u64, u64)>,
    since: Option<Instant>,
    looks: u32,
}

impl Silence {
    /// One look; true if the leader has been silent for too long.
    pub fn hear(&mut self, heard: Option<(u64, u64)>, now: Instant) -> bool {
        if self.since.is_none() || self.last != heard {
            *self = Self { last: heard, since: Some(now), looks: 0 };
            return false;
        }
        self.looks += 1;
        let since = self.since.unwrap_or(now);
        self.looks >= LOOKS_MIN && now.saturating_duration_since(since) >= SILENCE_MAX
    }

    /// The database did not answer.
    pub fn forget(&mut self) {
        self.since = None;
        self.looks = 0;
    }
}
