//! Tools that fail at one endpoint while the others there work.
//!
//! In: the tools of calls that failed or went well there, as hashes. Out: whether calls of a tool should avoid the endpoint.
//! Rule: as many failures in a row as open a circuit put the tool aside for a moment, each further one for twice as long, up to a limit;
//! a success forgets all of it.
//! Invariant: at most [`TOOLS_MAX`] tools are known, the one that was seen last replaces the one that was not for longest; where no tool
//! ever failed, asking is one look at a number.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use outrigger_model::pool::policy::PoolPolicy;

/// Most tools of one endpoint that are known to fail.
pub const TOOLS_MAX: usize = 64;

/// What is known of the tools of one endpoint.
#[derive(Debug, Default)]
pub struct Tools {
    count: AtomicUsize,
    failing: Mutex<Vec<Failing>>,
}

/// A tool by the hash of its name: never told to anybody, so two names of one hash only share their luck.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Tool(u64);

#[derive(Debug, Clone, Copy)]
struct Failing {
    tool: Tool,
    failures: u32,
    pause: Duration,
    until: Option<Instant>,
    seen: Instant,
}

impl Tool {
    pub fn of(name: &str) -> Self {
        Self(
            name.bytes()
                .fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)),
        )
    }
}

impl Tools {
    /// Whether any of them failed lately; if not, the tool of a call need not be known.
    pub fn is_any_failing(&self) -> bool {
        self.count.load(Ordering::Relaxed) != 0
    }

    pub fn is_avoided(&self, tool: Tool, now: Instant) -> bool {
        self.is_any_failing()
            && self.failing().iter().any(|known| known.tool == tool && known.until.is_some_and(|until| now < until))
    }

    /// How many are put aside.
    pub fn avoided(&self, now: Instant) -> usize {
        self.failing().iter().filter(|known| known.until.is_some_and(|until| now < until)).count()
    }

    /// Whether it is put aside from now on.
    pub fn failed(&self, tool: Tool, policy: &PoolPolicy, now: Instant) -> bool {
        let threshold = policy.breaker.failure_threshold;
        if threshold == 0 {
            return false;
        }
        let mut failing = self.failing();
        let known = match failing.iter_mut().position(|known| known.tool == tool) {
            Some(at) => at,
            None => {
                if failing.len() >= TOOLS_MAX
                    && let Some(oldest) = (0..failing.len()).min_by_key(|at| failing.get(*at).map(|known| known.seen))
                {
                    failing.swap_remove(oldest);
                }
                failing.push(Failing { tool, failures: 0, pause: Duration::ZERO, until: None, seen: now });
                failing.len() - 1
            }
        };
        self.count.store(failing.len(), Ordering::Relaxed);
        let Some(known) = failing.get_mut(known) else { return false };
        known.seen = now;
        known.failures = known.failures.saturating_add(1);
        if known.failures < threshold || known.until.is_some_and(|until| now < until) {
            return false;
        }
        let outlier = &policy.outlier;
        known.pause = known.pause.saturating_mul(2).clamp(outlier.first, outlier.longest.max(outlier.first));
        known.until = Some(now + known.pause);
        true
    }

    pub fn succeeded(&self, tool: Tool) {
        if self.is_any_failing() {
            let mut failing = self.failing();
            failing.retain(|known| known.tool != tool);
            self.count.store(failing.len(), Ordering::Relaxed);
        }
    }

    fn failing(&self) -> MutexGuard<'_, Vec<Failing>> {
        self.failing.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests;
