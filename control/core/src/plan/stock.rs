//! What of an intent stock xDS clients (Envoy, gRPC) cannot be told.
//!
//! In: an intent. Out: a finding for each thing that only our own proxies do.
//! Never here: what they are told instead.
//! Invariant: nothing is dropped silently: what is not in a stock view is in this list.

use outrigger_model::key::OnLoss;
use outrigger_model::rate::{Per, RateLimit};
use outrigger_model::settings::SessionMode;

use crate::intent::{Intent, OperatorPool, OperatorRoute};

use super::finding::{Finding, FindingKind};

pub fn expressible(intent: &Intent) -> Vec<Finding> {
    let mut findings = Vec::new();
    if intent.settings().session_mode == SessionMode::Sealed {
        say(&mut findings, "settings.session_mode".to_owned(), "sealed session ids are opened by proxies of ours only");
    }
    for route in intent.routes() {
        of_route(route, &mut findings);
    }
    for (agent, pool) in intent.pools() {
        let OperatorPool { policy, .. } = pool;
        let path = format!("pools[{agent}]");
        if policy.concurrency.per_endpoint.is_some() || policy.concurrency.total.is_some() {
            say(
                &mut findings,
                format!("{path}.concurrency"),
                "calls that find no room are refused and do not wait in line",
            );
        }
        if policy.outlier.tool_errors {
            say(&mut findings, format!("{path}.outlier.tool_errors"), "results with `isError` count as good answers");
        }
        rates(&policy.rates, &path, &mut findings);
    }
    findings
}

fn of_route(route: &OperatorRoute, findings: &mut Vec<Finding>) {
    let path = format!("routes[{}]", route.name);
    let policy = &route.policy;
    if !policy.retries.tools.is_empty() {
        say(
            findings,
            format!("{path}.retries.tools"),
            "retries are not told apart by tool; calls of tools are not repeated",
        );
    }
    if policy.retries.trust_hints {
        say(findings, format!("{path}.retries.trust_hints"), "hints of tools are not read");
    }
    for at in 0..policy.sessions.keys.len() {
        say(findings, format!("{path}.keys[{at}]"), "no state is followed by keys of calls");
    }
    if policy.sessions.on_loss == OnLoss::Reestablish {
        say(findings, format!("{path}.on_replica_loss"), "sessions of a replica that is gone are not opened again");
    }
    for (at, branch) in route.traffic.branches.iter().enumerate() {
        if !branch.when.callers.is_empty() {
            say(findings, format!("{path}.match[{at}].callers"), "calls are not told apart by who sends them");
        }
    }
    rates(&policy.rates, &path, findings);
}

fn rates(rates: &[RateLimit], path: &str, findings: &mut Vec<Finding>) {
    for (at, rate) in rates.iter().enumerate() {
        if !rate.tools.is_empty() || rate.per == Per::Tool {
            say(findings, format!("{path}.rates[{at}]"), "limits are not told apart by tool");
        } else if rate.per == Per::Caller {
            say(findings, format!("{path}.rates[{at}]"), "limits are not told apart by caller");
        }
    }
}

fn say(findings: &mut Vec<Finding>, path: String, detail: &str) {
    findings.push(Finding::new(FindingKind::StockClients, path, detail));
}

#[cfg(test)]
mod tests;
