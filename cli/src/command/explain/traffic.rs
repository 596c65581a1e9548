//! What happens to the calls of a route beside being sent to its pool, in words.

use serde_json::Value;

use crate::render::cell::{items, string};

/// A line for each branch, for copies, faults and changes of heads; none where there is nothing of it.
pub(super) fn lines(traffic: Option<&Value>) -> Vec<String> {
    let Some(traffic @ Value::Object(_)) = traffic else { return Vec::new() };
    let branches = items(traffic, "branches").iter().map(branch);
    let mirror = there(traffic, "mirror").map(|mirror| format!("copies: {}", part(mirror)));
    let faults = there(traffic, "faults").map(faults);
    let headers = there(traffic, "headers").map(headers);
    branches.chain(mirror).chain(faults).chain(headers).collect()
}

fn there<'v>(value: &'v Value, key: &str) -> Option<&'v Value> {
    value.get(key).filter(|value| value.is_object())
}

fn branch(branch: &Value) -> String {
    let whose = match string(branch, "when") {
        "" => "all other calls".to_owned(),
        when => format!("calls with {when}"),
    };
    let shares: Vec<String> = items(branch, "shares").iter().map(part).collect();
    format!("{whose}: {}", shares.join(", "))
}

fn part(part: &Value) -> String {
    let percent = part.get("percent").and_then(Value::as_f64).unwrap_or_default();
    let endpoints = part.get("endpoints").and_then(Value::as_u64).unwrap_or_default();
    format!("{percent} % → pool {} (agent {}, {endpoints} endpoints)", string(part, "pool"), string(part, "agent"))
}

fn faults(faults: &Value) -> String {
    let number = |key| faults.get(key).and_then(Value::as_u64);
    let waits = number("delay_ms").map(|delay| format!("wait {delay} ms"));
    let fails = number("status").map(|status| format!("fail with {status}"));
    let told: Vec<String> = waits.into_iter().chain(fails).collect();
    format!("faults: {} % {}", number("percent").unwrap_or_default(), told.join(" and "))
}

fn headers(headers: &Value) -> String {
    let told = ["set", "add", "remove"].into_iter().filter_map(|key| {
        let names: Vec<&str> = items(headers, key).iter().filter_map(Value::as_str).collect();
        (!names.is_empty()).then(|| format!("{key} {}", names.join(", ")))
    });
    format!("headers: {}", told.collect::<Vec<_>>().join("; "))
}
