//! Time as it is handed to the core.
//!
//! In: what a clock said, outside. Out: a [`Moment`] to compare leases with, and a wall time to write into events.
//! Never here: reading a clock.

use std::time::{Duration, SystemTime};

/// A point on a clock that only goes forward, counted from the start of control.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Moment(Duration);

/// The same instant on both clocks: leases are judged by `moment`, people read `time`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Now {
    pub moment: Moment,
    pub time: SystemTime,
}

impl Moment {
    pub const START: Self = Self(Duration::ZERO);

    pub const fn from_start(elapsed: Duration) -> Self {
        Self(elapsed)
    }

    pub const fn after(self, wait: Duration) -> Self {
        Self(self.0.saturating_add(wait))
    }

    /// How long ago `earlier` was; zero if it is not earlier.
    pub const fn since(self, earlier: Self) -> Duration {
        self.0.saturating_sub(earlier.0)
    }
}
