//! A histogram of durations that many threads observe without a lock.
//!
//! In: durations. Out: cumulative buckets for Prometheus. The one of prometheus-client holds a lock while it observes.
//! Invariant: a scrape may see an observation in its bucket and not yet in the sum; it never sees one twice.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use prometheus_client::encoding::{EncodeMetric, MetricEncoder, NoLabelSet};
use prometheus_client::metrics::{MetricType, TypedMetric};

/// Upper bounds in microseconds: from a loopback hop to a tool that thinks for minutes.
const BOUNDS_MICROS: [u64; 20] = [
    100,
    250,
    500,
    1_000,
    2_500,
    5_000,
    10_000,
    25_000,
    50_000,
    100_000,
    250_000,
    500_000,
    1_000_000,
    2_500_000,
    5_000_000,
    10_000_000,
    30_000_000,
    60_000_000,
    120_000_000,
    300_000_000,
];

/// Shared by its clones.
#[derive(Clone, Default)]
pub struct Durations(Arc<Inner>);

#[derive(Default)]
struct Inner {
    /// One per bound; what is longer than the last is in the count only.
    buckets: [AtomicU64; BOUNDS_MICROS.len()],
    beyond: AtomicU64,
    sum_nanos: AtomicU64,
}

impl Durations {
    pub fn observe(&self, took: Duration) {
        let micros = u64::try_from(took.as_nanos().div_ceil(1_000)).unwrap_or(u64::MAX);
        let at = BOUNDS_MICROS.partition_point(|bound| *bound < micros);
        self.0.buckets.get(at).unwrap_or(&self.0.beyond).fetch_add(1, Ordering::Relaxed);
        self.0.sum_nanos.fetch_add(u64::try_from(took.as_nanos()).unwrap_or(u64::MAX), Ordering::Relaxed);
    }

    /// How many there were, and how long they took all in all.
    pub fn totals(&self) -> (u64, Duration) {
        let counts = self.0.buckets.iter().chain([&self.0.beyond]).map(|count| count.load(Ordering::Relaxed));
        (counts.sum(), Duration::from_nanos(self.0.sum_nanos.load(Ordering::Relaxed)))
    }
}

impl TypedMetric for Durations {
    const TYPE: MetricType = MetricType::Histogram;
}

impl EncodeMetric for Durations {
    fn encode(&self, mut encoder: MetricEncoder<'_>) -> Result<(), fmt::Error> {
        let seconds = BOUNDS_MICROS.iter().map(|bound| *bound as f64 / 1e6).chain([f64::MAX]);
        let counts = self.0.buckets.iter().chain([&self.0.beyond]).map(|count| count.load(Ordering::Relaxed));
        let buckets: Vec<(f64, u64)> = seconds.zip(counts).collect();
        let count = buckets.iter().map(|(_, count)| count).sum();
        let sum = self.0.sum_nanos.load(Ordering::Relaxed) as f64 / 1e9;
        encoder.encode_histogram::<NoLabelSet>(sum, count, &buckets, None)
    }

    fn metric_type(&self) -> MetricType {
        Self::TYPE
    }
}

impl fmt::Debug for Durations {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("Durations")
    }
}
