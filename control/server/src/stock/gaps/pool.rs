//! What the rules of a pool say beyond what a cluster can.

use outrigger_model::pool::policy::{Breaker, Outlier};
use outrigger_model::pool::{Balance, Pool};

use super::gap::Gap;
use crate::stock::view::Table;

pub fn gaps(table: &Table<'_>, pool: &Pool) -> Vec<Gap> {
    let mut gaps = Vec::new();
    let mut gap = |field: &str, says| gaps.push(Gap { at: format!("Pool/{}.{field}", pool.name), says });
    if pool.balance == Balance::PeakEwma {
        gap("balance", "Envoy has no peak_ewma and takes least_request");
    }
    if !matches!(pool.balance, Balance::RoundRobin | Balance::LeastRequest) {
        gap("balance", "gRPC clients take round_robin");
    }
    let policy = &pool.policy;
    let Outlier { tool_errors, .. } = policy.outlier;
    if tool_errors {
        gap("outlier.tool_errors", "results with `isError` are not seen");
    }
    if policy.breaker.recovery != Breaker::default().recovery {
        gap("breaker.recovery", "an endpoint that fails is left alone for as long as `outlier` says");
    }
    let concurrency = &policy.concurrency;
    if concurrency.adaptive {
        gap("concurrency.adaptive", "limits of endpoints stay as they are written");
    }
    if concurrency.total.is_some() || concurrency.per_endpoint.is_some() {
        gap(
            "concurrency.queue_wait",
            "a call that waits for room waits until its client gives up; each Envoy counts for itself",
        );
    }
    if !policy.rates.is_empty() {
        gap("rates", "calls are not counted; the agent gets all of them");
    }
    let mut zones = table.endpoints(pool).map(|endpoint| endpoint.zone.as_str()).filter(|zone| !zone.is_empty());
    if policy.prefer_zone && zones.next().is_some() {
        gap("prefer_zone", "Envoy prefers its own zone only where its bootstrap names the cluster that it is one of");
    }
    let hidden = table.hidden_endpoints(pool).map(|endpoint| Gap {
        at: format!("Endpoints/{}.{}", pool.name, endpoint.replica),
        says: "another replica of its agent is at the same address, so it cannot be called; give each a proxy of its own",
    });
    gaps.extend(hidden);
    gaps
}
