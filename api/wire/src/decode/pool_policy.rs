//! Protobuf → policy of a pool. Parts that are absent are the default, as an older control leaves them.

use outrigger_model::pool::policy::{Breaker, Concurrency, Outlier, PoolPolicy};

use super::{field, rates};
use crate::error::DecodeError;
use crate::proto::snapshot as wire;
use crate::proto::snapshot::pool_policy as part;

pub fn policy(wire: wire::PoolPolicy) -> Result<PoolPolicy, DecodeError> {
    let inside = |name: &'static str| move |bad: DecodeError| bad.inside(name);
    Ok(PoolPolicy {
        slow_start: field::duration("slow_start", field::required("slow_start", wire.slow_start)?)?,
        panic_percent: field::percent("panic_percent", wire.panic_percent, 0)?,
        prefer_zone: wire.prefer_zone,
        outlier: wire.outlier.map_or_else(|| Ok(Outlier::default()), outlier).map_err(inside("outlier"))?,
        breaker: wire.breaker.map_or_else(|| Ok(Breaker::default()), breaker).map_err(inside("breaker"))?,
        concurrency: wire
            .concurrency
            .map_or_else(|| Ok(Concurrency::default()), concurrency)
            .map_err(inside("concurrency"))?,
        rates: rates::rates(wire.rates)?,
    })
}

fn outlier(wire: part::Outlier) -> Result<Outlier, DecodeError> {
    Ok(Outlier {
        first: field::lasting("first", wire.first)?,
        longest: field::lasting("longest", wire.longest)?,
        share_max_percent: field::percent("share_max_percent", wire.share_max_percent, 0)?,
        tool_errors: wire.tool_errors,
    })
}

fn breaker(wire: part::Breaker) -> Result<Breaker, DecodeError> {
    let recovery = field::lasting("recovery", wire.recovery)?;
    Ok(Breaker { failure_threshold: wire.failure_threshold, recovery })
}

fn concurrency(wire: part::Concurrency) -> Result<Concurrency, DecodeError> {
    let limit = |name, limit: Option<u32>| limit.map(|limit| field::within(name, limit, 1, u32::MAX)).transpose();
    Ok(Concurrency {
        per_endpoint: limit("per_endpoint", wire.per_endpoint)?,
        total: limit("total", wire.total)?,
        queue: wire.queue,
        queue_wait: field::duration("queue_wait", field::required("queue_wait", wire.queue_wait)?)?,
        adaptive: wire.adaptive,
    })
}
