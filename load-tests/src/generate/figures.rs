//! What one run gave: the tally and the distributions of time.
//!
//! Invariant: times are in nanoseconds with three digits, up to a minute; what is longer counts as a minute.

use std::time::Duration;

use hdrhistogram::Histogram;

use crate::tally::Tally;

const TIME_MAX: u64 = 60_000_000_000;
const DIGITS: u8 = 3;

/// A distribution of times.
#[derive(Debug, Clone)]
pub struct Times(Option<Histogram<u64>>);

impl Default for Times {
    fn default() -> Self {
        // These bounds are accepted by construction; without them nothing would be recorded, and reports show no times.
        Self(Histogram::new_with_bounds(1, TIME_MAX, DIGITS).ok())
    }
}

impl Times {
    pub fn record(&mut self, time: Duration) {
        let nanos = u64::try_from(time.as_nanos()).unwrap_or(TIME_MAX).max(1);
        if let Some(histogram) = &mut self.0 {
            histogram.saturating_record(nanos);
        }
    }

    /// Takes the times of another one in.
    pub fn add(&mut self, other: &Self) {
        if let (Some(own), Some(other)) = (&mut self.0, &other.0) {
            // Equal bounds always fit.
            let _ = own.add(other);
        }
    }

    pub fn count(&self) -> u64 {
        self.0.as_ref().map_or(0, Histogram::len)
    }

    /// In microseconds; 0 where nothing was recorded.
    pub fn quantile_us(&self, quantile: f64) -> f64 {
        let nanos = self.0.as_ref().filter(|histogram| !histogram.is_empty());
        nanos.map_or(0.0, |histogram| histogram.value_at_quantile(quantile) as f64 / 1_000.0)
    }

    pub fn max_us(&self) -> f64 {
        self.0.as_ref().map_or(0.0, |histogram| histogram.max() as f64 / 1_000.0)
    }
}

/// One run.
#[derive(Debug, Clone, Default)]
pub struct Figures {
    pub tally: Tally,
    /// From when a call was meant to be sent to the end of its answer; where the load is events, the same as `lag`.
    pub latency: Times,
    /// Of events, from made to received.
    pub lag: Times,
    pub events: u64,
    /// From when a call was meant to be sent to when the generator took it up: the generator's own part.
    pub late: Times,
    /// Opening of sessions, where they are part of the load.
    pub opening: Times,
    /// Of a new session, from `initialize` sent to the head of its answer.
    pub first_byte: Times,
    pub elapsed: Duration,
    /// What CPU time is divided by: requests, or events.
    pub units: u64,
}

#[cfg(test)]
mod tests;
