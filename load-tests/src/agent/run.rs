//! What was executed in the current run, each number once or more often.
//!
//! Invariant: exact under any number of threads; calls of no run are counted nowhere.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

use crate::tally::Executed;

/// Largest run; its bits take 4 MiB.
pub const NUMBERS_MAX: u64 = 1 << 25;

/// One run.
#[derive(Debug, Default)]
struct Run {
    bits: Vec<AtomicU64>,
    once: AtomicU64,
    again: AtomicU64,
}

/// The current run, changed by the generator between runs.
#[derive(Debug, Default)]
pub struct Runs(RwLock<Arc<Run>>);

impl Runs {
    /// Forgets the run before, and counts numbers below `numbers` from now on.
    pub fn begin(&self, numbers: u64) {
        let words = usize::try_from(numbers.min(NUMBERS_MAX).div_ceil(64)).unwrap_or_default();
        let bits = (0..words).map(|_| AtomicU64::new(0)).collect();
        let run = Run { bits, ..Run::default() };
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(run);
    }

    pub fn execute(&self, number: u64) {
        let run = self.0.read().unwrap_or_else(PoisonError::into_inner);
        let word = usize::try_from(number / 64).ok().and_then(|at| run.bits.get(at));
        let Some(word) = word else { return };
        let bit = 1 << (number % 64);
        let before = word.fetch_or(bit, Ordering::Relaxed);
        let counter = if before & bit == 0 { &run.once } else { &run.again };
        counter.fetch_add(1, Ordering::Relaxed);
    }

    pub fn executed(&self) -> Executed {
        let run = self.0.read().unwrap_or_else(PoisonError::into_inner);
        Executed { once: run.once.load(Ordering::Relaxed), again: run.again.load(Ordering::Relaxed) }
    }
}

#[cfg(test)]
mod tests;
