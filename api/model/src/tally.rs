//! How the calls of a proxy went, counted since it started.
//!
//! In: what a proxy counted, twice. Out: what came between.
//! Invariant: a count that began anew is never taken for one that went on.

/// The calls of the agents behind one proxy to others.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Tally {
    /// When counting began, in milliseconds since 1970; another value is another count.
    pub since: u64,
    /// Calls that ended.
    pub calls: u64,
    /// Of them, those that were answered with 5xx or broke off, that nobody could be found for, or that took too long.
    pub failed: u64,
    /// Of them, those whose answer began.
    pub begun: u64,
    /// From the head of these to the first byte of their answers, all in all. Of a stream it does not count how long it was open.
    pub begun_micros: u64,
}

impl Tally {
    /// What was counted after `earlier`; all of it if counting began anew since.
    #[must_use]
    pub fn after(&self, earlier: &Self) -> Self {
        if self.since != earlier.since {
            return *self;
        }
        Self {
            since: self.since,
            calls: self.calls.saturating_sub(earlier.calls),
            failed: self.failed.saturating_sub(earlier.failed),
            begun: self.begun.saturating_sub(earlier.begun),
            begun_micros: self.begun_micros.saturating_sub(earlier.begun_micros),
        }
    }

    /// Both together, as of one.
    #[must_use]
    pub fn and(&self, other: &Self) -> Self {
        Self {
            since: self.since.max(other.since),
            calls: self.calls.saturating_add(other.calls),
            failed: self.failed.saturating_add(other.failed),
            begun: self.begun.saturating_add(other.begun),
            begun_micros: self.begun_micros.saturating_add(other.begun_micros),
        }
    }
}

#[cfg(test)]
mod tests;
