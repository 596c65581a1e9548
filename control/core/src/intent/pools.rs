//! Whether the rules of a pool make sense.
//!
//! In: the policy of one pool, and how many tiers it has. Out: nothing, or the first rule that does not.

use std::time::Duration;

use outrigger_model::endpoint::TIER_MAX;
use outrigger_model::pool::policy::PoolPolicy;

const DAY: Duration = Duration::from_secs(86_400);
const QUEUE_MAX: u32 = 100_000;
const QUEUE_WAIT_MAX: Duration = Duration::from_secs(3_600);

/// The rule that is wrong, by the key of the configuration.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PoolFault {
    #[error("tiers: {0} lists are more than {TIER_MAX}")]
    Tiers(usize),
    #[error("{key}: {percent} is more than 100")]
    Percent { key: &'static str, percent: u8 },
    #[error("{key}: {time:?} is not within 1 ms to 24 hours")]
    Time { key: &'static str, time: Duration },
    #[error("outlier.longest_ms: it is shorter than `first_ms`")]
    Longest,
    #[error("{key}: a limit of zero would refuse every call")]
    NoRoom { key: &'static str },
    #[error("concurrency.queue: {0} is more than {QUEUE_MAX}")]
    Queue(u32),
    #[error("concurrency.queue_wait_ms: {0:?} is more than an hour")]
    QueueWait(Duration),
}

pub(super) fn check(policy: &PoolPolicy, tiers: usize) -> Result<(), PoolFault> {
    let PoolPolicy { slow_start, panic_percent, outlier, breaker, concurrency, .. } = policy;
    if tiers > usize::from(TIER_MAX) {
        return Err(PoolFault::Tiers(tiers));
    }
    for (key, percent) in [("panic_percent", *panic_percent), ("outlier.share_max_percent", outlier.share_max_percent)]
    {
        if percent > 100 {
            return Err(PoolFault::Percent { key, percent });
        }
    }
    let times = [
        ("slow_start_ms", *slow_start, slow_start.is_zero()),
        ("outlier.first_ms", outlier.first, false),
        ("outlier.longest_ms", outlier.longest, false),
        ("breaker.recovery_seconds", breaker.recovery, false),
    ];
    let wrong = times.into_iter().find(|(_, time, off)| !off && !(Duration::from_millis(1)..=DAY).contains(time));
    if let Some((key, time, _)) = wrong {
        return Err(PoolFault::Time { key, time });
    }
    if outlier.longest < outlier.first {
        return Err(PoolFault::Longest);
    }
    for (key, limit) in
        [("concurrency.per_endpoint", concurrency.per_endpoint), ("concurrency.total", concurrency.total)]
    {
        if limit == Some(0) {
            return Err(PoolFault::NoRoom { key });
        }
    }
    match concurrency {
        limits if limits.queue > QUEUE_MAX => Err(PoolFault::Queue(limits.queue)),
        limits if limits.queue_wait > QUEUE_WAIT_MAX => Err(PoolFault::QueueWait(limits.queue_wait)),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests;
