//! Policy of a pool → protobuf.

use outrigger_model::pool::policy::PoolPolicy;

use super::{field, rates};
use crate::proto::snapshot as wire;
use crate::proto::snapshot::pool_policy as part;

pub fn policy(policy: &PoolPolicy) -> wire::PoolPolicy {
    let PoolPolicy { slow_start, panic_percent, prefer_zone, outlier, breaker, concurrency, rates } = policy;
    wire::PoolPolicy {
        slow_start: Some(field::duration(*slow_start)),
        panic_percent: (*panic_percent).into(),
        prefer_zone: *prefer_zone,
        outlier: Some(part::Outlier {
            first: Some(field::duration(outlier.first)),
            longest: Some(field::duration(outlier.longest)),
            share_max_percent: outlier.share_max_percent.into(),
            tool_errors: outlier.tool_errors,
        }),
        breaker: Some(part::Breaker {
            failure_threshold: breaker.failure_threshold,
            recovery: Some(field::duration(breaker.recovery)),
        }),
        concurrency: Some(part::Concurrency {
            per_endpoint: concurrency.per_endpoint,
            total: concurrency.total,
            queue: concurrency.queue,
            queue_wait: Some(field::duration(concurrency.queue_wait)),
            adaptive: concurrency.adaptive,
        }),
        rates: rates.iter().map(rates::rate).collect(),
    }
}
