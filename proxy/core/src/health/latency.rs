//! How long an endpoint takes to begin its answers: a mean that rises at once and falls slowly.
//!
//! In: times from the sent request to the head of its answer, and when they were seen. Out: an estimate that fades while nothing is seen.
//! Why a peak: an endpoint that has become slow is to be left alone after its first slow answer, not after the mean has moved
//! (as Finagle and linkerd do it, with the same time of decay).
//! Invariant: no lock; two answers at once may lose one of their samples.

use std::sync::atomic::{AtomicU64, Ordering};

/// In this time what was seen loses two thirds of its weight.
const DECAY_MICROS: f64 = 10_000_000.0;

/// The estimate of one endpoint, in microseconds of its owner's clock.
#[derive(Debug, Default)]
pub struct Latency {
    /// The bits of a double; zero is nothing seen.
    estimate: AtomicU64,
    seen_at: AtomicU64,
}

impl Latency {
    pub fn saw(&self, took: u64, now: u64) {
        let took = float(took.max(1));
        let before = f64::from_bits(self.estimate.load(Ordering::Relaxed));
        let kept = self.kept(now);
        let next = if took >= before { took } else { before * kept + took * (1.0 - kept) };
        self.estimate.store(next.to_bits(), Ordering::Relaxed);
        self.seen_at.store(now, Ordering::Relaxed);
    }

    /// In microseconds; zero if nothing was seen.
    pub fn estimate(&self, now: u64) -> f64 {
        let seen = f64::from_bits(self.estimate.load(Ordering::Relaxed));
        if seen == 0.0 { 0.0 } else { seen * self.kept(now) }
    }

    fn kept(&self, now: u64) -> f64 {
        let since = now.saturating_sub(self.seen_at.load(Ordering::Relaxed));
        (-float(since) / DECAY_MICROS).exp()
    }
}

#[expect(clippy::cast_precision_loss, reason = "nobody waits for 2^53 microseconds")]
const fn float(micros: u64) -> f64 {
    micros as f64
}

#[cfg(test)]
mod tests;
