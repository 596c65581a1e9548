//! Limits on how often: what calls take of them, here and in the shared store.
//!
//! In: the limits of a route or an agent, and a call. Out: let through, or the refusal that says when to come back.
//! Never here: what counts as a call, and what is counted together; those are the core's.
//! Invariant: a call waits for the shared store for one bounded request at most for each quota, and only when the share that is here is
//! used up. A store that does not answer refuses nobody: the proxy counts alone meanwhile.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant, SystemTime};

use outrigger_model::rate::{Allowance, RateLimit};
use outrigger_proxy_core::limit::ledger::{Counting, Ledger, Moment, Take, Taken};
use outrigger_proxy_core::limit::meter::{Meter, Scope, Who};
use outrigger_proxy_core::limit::subject::Subject;
use outrigger_proxy_core::refusal::Refusal;

use crate::session::redis::Redis;
use crate::telemetry::Events;

/// What is used of all limits.
pub struct Rates {
    ledger: Ledger,
    shared: Option<Arc<Redis>>,
    events: Arc<Events>,
    began: Instant,
    /// Of the calls without an account of their own, those that were told.
    crowded_told: AtomicU64,
}

impl Rates {
    /// Without a shared store each proxy counts by itself.
    pub fn new(shared: Option<Arc<Redis>>, events: Arc<Events>) -> Self {
        Self { ledger: Ledger::default(), shared, events, began: Instant::now(), crowded_told: AtomicU64::new(0) }
    }

    /// Takes what a call needs of all limits that are about it, or nothing of any.
    pub async fn take(
        &self,
        scope: Scope<'_>,
        rates: &[RateLimit],
        who: Who<'_>,
        subject: &Subject,
    ) -> Result<(), Refusal> {
        let mut taken = Vec::with_capacity(rates.len());
        // Who is refused by a bucket is no reason to ask a store.
        for quotas in [false, true] {
            for (at, rate) in rates.iter().enumerate() {
                if is_quota(rate) != quotas || !subject.is_of(rate) {
                    continue;
                }
                let meter = Meter { scope, at, rate, who };
                match self.take_one(&meter).await {
                    Ok(one) => taken.push(one),
                    Err(wait) => {
                        taken.into_iter().for_each(|one| self.ledger.put_back(one));
                        self.events.rate_limited(rate.per.as_str(), if quotas { "quota" } else { "bucket" });
                        return Err(meter.refusal(wait));
                    }
                }
            }
        }
        Ok(())
    }

    async fn take_one(&self, meter: &Meter<'_>) -> Result<Taken, Duration> {
        let shared = self.shared.as_ref().filter(|_| is_quota(meter.rate));
        let counting = if shared.is_some() { Counting::Shared } else { Counting::Alone };
        let took = self.ledger.take(meter, counting, self.now());
        self.tell_crowd();
        let took = match (took, shared) {
            (Take::Ask(asking), Some(redis)) => match redis.take(&asking, self.now().unix_ms).await {
                Ok(granted) => self.ledger.granted(&asking, granted, self.now()),
                Err(error) => {
                    self.events.redis_failed(error.fault());
                    self.events.quota_counted_alone();
                    self.ledger.take(meter, Counting::Alone, self.now())
                }
            },
            (took, _) => took,
        };
        match took {
            Take::Taken(taken) => Ok(taken),
            Take::Refused(wait) => Err(wait),
            // Who counts alone is told to ask nobody.
            Take::Ask(_) => Err(Duration::from_secs(1)),
        }
    }

    fn tell_crowd(&self) {
        let seen = self.ledger.crowded();
        if seen > self.crowded_told.load(Ordering::Relaxed) {
            let told = self.crowded_told.fetch_max(seen, Ordering::Relaxed);
            self.events.rate_accounts_shared(seen.saturating_sub(told));
        }
    }

    fn now(&self) -> Moment {
        let unix = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        Moment { nanoseconds: short(self.began.elapsed().as_nanos()), unix_ms: short(unix.as_millis()) }
    }
}

const fn is_quota(rate: &RateLimit) -> bool {
    matches!(rate.allowance, Allowance::Quota { .. })
}

fn short(number: u128) -> u64 {
    u64::try_from(number).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests;
