//! How the replicas of an agent are judged, and how much each of them is given at once.
//!
//! In: intent. Out: a [`PoolPolicy`].

use std::time::Duration;

use crate::rate::RateLimit;

/// Rules for all endpoints of a pool. The default is what suits most.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct PoolPolicy {
    /// How long a new endpoint takes to get its whole share. Zero: it gets it at once.
    pub slow_start: Duration,
    /// Where fewer than this share of a tier's endpoints can be used, calls spill over to the next tier as well, 0 to 100; the same for the
    /// own zone and all others. Ejections are ignored only where nothing else is left at all.
    pub panic_percent: u8,
    /// Whether endpoints of the proxy's own zone come first, where both name one.
    pub prefer_zone: bool,
    pub outlier: Outlier,
    pub breaker: Breaker,
    pub concurrency: Concurrency,
    /// Of calls that reach the agent, whoever brings them; at most [`RATES_MAX`](crate::rate::RATES_MAX).
    pub rates: Vec<RateLimit>,
}

/// When an endpoint is left alone for a while.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Outlier {
    /// After the first failure to connect; it doubles with each further one.
    pub first: Duration,
    pub longest: Duration,
    /// Most of a pool's endpoints that are ejected at a time, 0 to 100, rounded up; one may always be. Whoever refuses connections is dead
    /// beyond doubt, so by default there is no such limit.
    pub share_max_percent: u8,
    /// Whether a result with `isError` counts against the tool that gave it.
    pub tool_errors: bool,
}

/// When calls are no longer sent to an endpoint that answers badly.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Breaker {
    /// Failures in a row that open it; zero: it never opens.
    pub failure_threshold: u32,
    /// How long it stays open before one call tries.
    pub recovery: Duration,
}

/// How many calls are under way at once. `None` is no limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Concurrency {
    pub per_endpoint: Option<u32>,
    pub total: Option<u32>,
    /// Calls that wait for room; the next is refused.
    pub queue: u32,
    /// How long one waits; never beyond its deadline.
    pub queue_wait: Duration,
    /// Whether the limit of an endpoint follows how long its answers take, from 1 to `per_endpoint`.
    pub adaptive: bool,
}

impl Default for PoolPolicy {
    fn default() -> Self {
        Self {
            slow_start: Duration::ZERO,
            panic_percent: 50,
            prefer_zone: true,
            outlier: Outlier::default(),
            breaker: Breaker::default(),
            concurrency: Concurrency::default(),
            rates: Vec::new(),
        }
    }
}

impl Default for Outlier {
    fn default() -> Self {
        Self {
            first: Duration::from_secs(1),
            longest: Duration::from_secs(30),
            share_max_percent: 100,
            tool_errors: false,
        }
    }
}

impl Default for Breaker {
    fn default() -> Self {
        Self { failure_threshold: 5, recovery: Duration::from_secs(30) }
    }
}

impl Default for Concurrency {
    fn default() -> Self {
        Self { per_endpoint: None, total: None, queue: 64, queue_wait: Duration::from_secs(1), adaptive: false }
    }
}
