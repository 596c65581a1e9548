//! What happens to the calls of a route beside being sent to its pool, for operators.
//!
//! In: a route and the resources of its snapshot. Out: a [`TrafficItem`] to print.
//! Invariant: of header fields that a route writes there are the names only; their values may be secrets.

use std::time::Duration;

use outrigger_model::name::PoolName;
use outrigger_model::route::Route;
use outrigger_model::snapshot::Kinds;
use outrigger_model::traffic::{Branch, HeaderEdits, Traffic, When};
use serde::Serialize;

#[derive(Debug, Serialize)]
pub struct TrafficItem {
    /// The first that matches decides.
    branches: Vec<BranchItem>,
    mirror: Option<PartItem>,
    faults: Option<FaultsItem>,
    headers: Option<HeadersItem>,
}

#[derive(Debug, Serialize)]
struct BranchItem {
    /// For people; empty where all calls match.
    when: String,
    shares: Vec<PartItem>,
}

/// A pool and its part of the calls.
#[derive(Debug, Serialize)]
struct PartItem {
    pool: String,
    agent: String,
    percent: f64,
    endpoints: usize,
}

#[derive(Debug, Serialize)]
struct FaultsItem {
    percent: u8,
    delay_ms: Option<u64>,
    status: Option<u16>,
}

#[derive(Debug, Serialize)]
struct HeadersItem {
    set: Vec<String>,
    add: Vec<String>,
    remove: Vec<String>,
}

impl TrafficItem {
    /// None where nothing happens to them.
    pub fn of(resources: &Kinds, route: &Route) -> Option<Self> {
        let Traffic { branches, mirror, faults, headers, .. } = &route.policy.traffic;
        if branches.is_empty() && mirror.is_none() && faults.is_none() && headers.is_empty() {
            return None;
        }
        let milliseconds = |delay: Duration| u64::try_from(delay.as_millis()).unwrap_or(u64::MAX);
        Some(Self {
            branches: branches.iter().map(|branch| BranchItem::of(resources, branch)).collect(),
            mirror: mirror.as_ref().map(|mirror| part(resources, &mirror.pool, f64::from(mirror.percent))),
            faults: faults.map(|faults| FaultsItem {
                percent: faults.percent,
                delay_ms: faults.delay.map(milliseconds),
                status: faults.status,
            }),
            headers: (!headers.is_empty()).then(|| HeadersItem::of(headers)),
        })
    }
}

impl BranchItem {
    fn of(resources: &Kinds, branch: &Branch) -> Self {
        let sum: u32 = branch.shares.iter().map(|share| u32::from(share.weight)).sum();
        let percent = |weight: u16| (f64::from(weight) * 1_000.0 / f64::from(sum.max(1))).round() / 10.0;
        let shares = branch.shares.iter().map(|share| part(resources, &share.pool, percent(share.weight)));
        Self { when: said(&branch.when), shares: shares.collect() }
    }
}

impl HeadersItem {
    fn of(edits: &HeaderEdits) -> Self {
        let names = |written: &[(String, String)]| written.iter().map(|(name, _)| name.clone()).collect();
        Self { set: names(&edits.set), add: names(&edits.add), remove: edits.remove.clone() }
    }
}

fn part(resources: &Kinds, pool: &PoolName, percent: f64) -> PartItem {
    PartItem {
        pool: pool.to_string(),
        agent: resources.pools.get(pool).map(|pool| pool.agent.to_string()).unwrap_or_default(),
        percent,
        endpoints: resources.endpoints.get(pool).map_or(0, |endpoints| endpoints.endpoints.len()),
    }
}

fn said(when: &When) -> String {
    let headers = when.headers.iter().map(|(name, value)| format!("{name}: {value}"));
    let callers = (!when.callers.is_empty()).then(|| format!("from {}", when.callers.join(" or ")));
    headers.chain(callers).collect::<Vec<_>>().join(" and ")
}
