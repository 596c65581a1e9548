//! Arbitrary policies of routes and pools.

use std::time::Duration;

use outrigger_model::calls::{Calls, WrittenCalls};
use outrigger_model::pool::policy::{Breaker, Concurrency, Outlier, PoolPolicy};
use outrigger_model::rate::{Allowance, Per, RATES_MAX, RateLimit};
use outrigger_model::retries::{ATTEMPTS_MAX, Backoff, Budget, KEPT_BODY_BYTES_MAX, Retries};
use outrigger_model::tool_pattern::ToolPattern;
use outrigger_model::traffic::{Branch, Faults, HeaderEdits, Mirror, Priority, Share, Traffic, When, is_protected};
use proptest::collection::{btree_map, vec};
use proptest::option;
use proptest::prelude::{Strategy, any, prop_oneof};
use proptest::sample::select;

use super::{duration, name};

fn lasting() -> impl Strategy<Value = Duration> {
    duration().prop_map(|duration| duration.max(Duration::from_nanos(1)))
}

fn tools() -> impl Strategy<Value = Vec<ToolPattern>> {
    vec("[a-z_]{1,9}\\*?[a-z_]{0,5}".prop_map(|text| text.parse().unwrap()), 0..4)
}

pub fn rates() -> impl Strategy<Value = Vec<RateLimit>> {
    let allowance = prop_oneof![
        (1..=u32::MAX, lasting(), 1..=u32::MAX).prop_map(|(calls, every, burst)| Allowance::Bucket {
            calls,
            every,
            burst
        }),
        (1..=u32::MAX, lasting()).prop_map(|(calls, window)| Allowance::Quota { calls, window }),
    ];
    let rate = (select(&Per::ALL[..]), tools(), allowance);
    vec(rate.prop_map(|(per, tools, allowance)| RateLimit { per, tools, allowance }), 0..=RATES_MAX)
}

pub fn pool_policy() -> impl Strategy<Value = PoolPolicy> {
    let outlier = (lasting(), lasting(), 0..=100u8, any::<bool>());
    let outlier = outlier.prop_map(|(first, longest, share_max_percent, tool_errors)| Outlier {
        first,
        longest,
        share_max_percent,
        tool_errors,
    });
    let breaker = (any::<u32>(), lasting());
    let breaker = breaker.prop_map(|(failure_threshold, recovery)| Breaker { failure_threshold, recovery });
    let limit = || option::of(1..=u32::MAX);
    let concurrency = (limit(), limit(), any::<u32>(), duration(), any::<bool>());
    let concurrency = concurrency.prop_map(|(per_endpoint, total, queue, queue_wait, adaptive)| Concurrency {
        per_endpoint,
        total,
        queue,
        queue_wait,
        adaptive,
    });
    let parts = (duration(), 0..=100u8, any::<bool>(), outlier, breaker, concurrency, rates());
    parts.prop_map(|(slow_start, panic_percent, prefer_zone, outlier, breaker, concurrency, rates)| PoolPolicy {
        slow_start,
        panic_percent,
        prefer_zone,
        outlier,
        breaker,
        concurrency,
        rates,
    })
}

pub fn retries() -> impl Strategy<Value = Retries> {
    let backoff = (duration(), duration()).prop_map(|(first, longest)| Backoff { first, longest });
    let budget = (0..=100u8, any::<u16>()).prop_map(|(percent, per_second_min)| Budget { percent, per_second_min });
    let limit = || option::of(lasting());
    let parts = (1..=ATTEMPTS_MAX, limit(), backoff, budget, tools(), any::<bool>(), limit(), 0..=KEPT_BODY_BYTES_MAX);
    parts.prop_map(|(attempts, per_try, backoff, budget, tools, trust_hints, hedge_after, body_bytes_max)| Retries {
        attempts,
        per_try,
        backoff,
        budget,
        tools,
        trust_hints,
        hedge_after,
        body_bytes_max,
    })
}

fn headers() -> impl Strategy<Value = Vec<(String, String)>> {
    vec(("[a-z][a-z0-9-]{0,9}", "[ -~]{0,9}"), 0..4)
}

pub fn traffic() -> impl Strategy<Value = Traffic> {
    let when = (headers(), vec("[a-z:/-]{1,9}", 0..3)).prop_map(|(headers, callers)| When { headers, callers });
    let share = (name(), 0..=1_000u16).prop_map(|(pool, weight)| Share { pool, weight });
    let branch = (when, vec(share, 1..4)).prop_map(|(when, shares)| Branch { when, shares });
    let mirror = (name(), 1..=100u8).prop_map(|(pool, percent)| Mirror { pool, percent });
    let faults = (1..=100u8, option::of(duration()), option::of(400..600u16));
    let faults = faults.prop_map(|(percent, delay, status)| Faults { percent, delay, status });
    let edits = (vec("[a-z][a-z0-9-]{0,9}", 0..3), headers(), headers());
    let edits = edits.prop_map(|(remove, set, add)| HeaderEdits { remove, set, add });
    let edits = edits.prop_filter("fields of the protocol", |edits| !edits.names().any(is_protected));
    let parts = (vec(branch, 0..3), option::of(mirror), option::of(faults), edits, select(&Priority::ALL[..]));
    parts.prop_map(|(branches, mirror, faults, headers, priority)| Traffic {
        branches,
        mirror,
        faults,
        headers,
        priority,
    })
}

pub fn calls() -> impl Strategy<Value = Calls> {
    let headers = btree_map("x-[a-z]{1,9}", "[ -~]{0,9}", 0..3);
    let parts = (option::of(1..=u32::MAX), option::of(0..10u32), headers, any::<bool>());
    parts.prop_map(|(timeout_ms, retry_count, headers, streaming)| {
        let headers = headers.into_iter().collect();
        Calls::try_from(WrittenCalls { timeout_ms, retry_count, headers, streaming }).unwrap()
    })
}
