//! `outrigger explain --call`: where a proxy would send a call now, and why.
//!
//! In: a call as people describe it. Out: what the proxy says of it: lines about the call, a table of the endpoints of each pool.
//! Never here: a call; nothing is sent to an agent, and nothing that calls go by is changed.

use serde_json::Value;

use crate::args::Explain;
use crate::ask;
use crate::output::say;
use crate::problem::Problem;
use crate::render::cell::{NOTHING, items, string, text};
use crate::render::form::{Form, document};
use crate::render::table::{Column, table};

const ENDPOINTS: &[Column] = &[
    Column { title: "ORDER", wide: false, read: |row| text(row, "order") },
    Column { title: "REPLICA", wide: false, read: |row| text(row, "replica") },
    Column { title: "STATE", wide: false, read: |row| text(row, "state") },
    Column { title: "PASSED OVER", wide: false, read: |row| text(row, "passed_over") },
    Column { title: "EJECTED", wide: false, read: |row| left(row, "ejected_for_ms") },
    Column { title: "CIRCUIT", wide: false, read: circuit },
    Column { title: "IN FLIGHT", wide: false, read: |row| text(row, "in_flight") },
    Column { title: "STREAMS", wide: false, read: |row| text(row, "streams") },
    Column { title: "ANSWERS IN", wide: false, read: latency },
    Column { title: "TIER", wide: false, read: |row| text(row, "tier") },
    Column { title: "ZONE", wide: false, read: |row| text(row, "zone") },
    Column { title: "TOOLS ASIDE", wide: true, read: |row| text(row, "tools_put_aside") },
    Column { title: "WEIGHT", wide: true, read: |row| text(row, "weight") },
    Column { title: "FAILING FOR", wide: true, read: |row| left(row, "failing_for_ms") },
    Column { title: "ADDRESS", wide: true, read: |row| text(row, "address") },
];

/// Prints the decision. Fails if the call would be refused, so that scripts can ask.
pub(super) async fn run(explain: &Explain, method: &str) -> Result<(), Problem> {
    let answer = ask::proxy_about(&explain.admin, &path(explain, method)).await?;
    match explain.output {
        Form::Json | Form::Yaml => say(document(explain.output, &answer)?)?,
        Form::Table | Form::Wide => say(told(&answer, explain.output == Form::Wide))?,
    }
    match answer.get("refusal") {
        Some(refusal @ Value::Object(_)) => {
            Err(Problem::failed(string(refusal, "detail")).next(string(refusal, "hint")))
        }
        _ => Ok(()),
    }
}

fn path(explain: &Explain, method: &str) -> String {
    let mut path = format!("/explain?name={}&method={}", ask::escaped(&explain.name), ask::escaped(method));
    if let Some(tool) = &explain.tool {
        path.push_str(&format!("&tool={}", ask::escaped(tool)));
    }
    for header in &explain.headers {
        path.push_str(&format!("&header={}", ask::escaped(header)));
    }
    path
}

fn told(answer: &Value, wide: bool) -> String {
    let mut lines = vec![what(answer), aim(answer), retries(answer), times(answer)];
    lines.extend(traffic(answer));
    lines.extend(rates(answer));
    for pool in items(answer, "pools") {
        lines.push(String::new());
        lines.extend(of_pool(answer, pool));
        match items(pool, "endpoints") {
            [] => lines.push("it has no endpoints".to_owned()),
            endpoints => lines.push(table(ENDPOINTS, endpoints, wide)),
        }
    }
    lines.join("\n")
}

fn part<'a>(answer: &'a Value, name: &str) -> &'a Value {
    answer.get(name).unwrap_or(&Value::Null)
}

fn what(answer: &Value) -> String {
    let tool = match string(answer, "tool") {
        "" => String::new(),
        tool => format!(" {tool}"),
    };
    let (method, name, caller) = (string(answer, "method"), string(answer, "name"), string(answer, "caller"));
    format!("{method}{tool} → {} {name}, as {caller} calls it", string(answer, "matched"))
}

fn aim(answer: &Value) -> String {
    let keys: Vec<&str> = items(answer, "keys").iter().filter_map(Value::as_str).collect();
    let keys = if keys.is_empty() { "no key".to_owned() } else { format!("keys {}", keys.join(", ")) };
    let at = match string(answer, "held_at") {
        "" => String::new(),
        replica => format!(" ({replica})"),
    };
    format!(
        "row {} of docs/calls.md; it carries {keys}; affinity {}; {}: {}{at}",
        text(answer, "row"),
        text(answer, "affinity"),
        text(answer, "rung"),
        text(answer, "rung_means")
    )
}

fn retries(answer: &Value) -> String {
    let retries = part(answer, "retries");
    format!(
        "sent again: {}, because {}; attempts {}, per try {}, hedged after {}",
        string(retries, "class"),
        string(retries, "why"),
        text(retries, "attempts"),
        left(retries, "per_try_ms"),
        left(retries, "hedge_after_ms")
    )
}

fn times(answer: &Value) -> String {
    let times = part(answer, "times");
    let limits = part(times, "limits");
    format!(
        "time class {}: connect {}, first byte {}, idle {}, total {}",
        text(times, "class"),
        left(times, "connect_ms"),
        left(limits, "first_byte_ms"),
        left(limits, "idle_ms"),
        left(limits, "total_ms")
    )
}

fn traffic(answer: &Value) -> Vec<String> {
    let branch = part(answer, "branch");
    let whose = [text(branch, "headers"), text(branch, "callers")].into_iter().filter(|whose| whose != NOTHING);
    let whose = whose.collect::<Vec<_>>().join(" by ");
    let branch = branch.is_object().then(|| match whose.is_empty() {
        true => "branch: all other calls".to_owned(),
        false => format!("branch: calls with {whose}"),
    });
    let traffic = part(answer, "traffic");
    let mirror = part(traffic, "mirror");
    let mirror =
        mirror.is_object().then(|| format!("copies: {} % → pool {}", text(mirror, "percent"), string(mirror, "pool")));
    let faults = part(traffic, "faults");
    let faults = faults.is_object().then(|| {
        format!(
            "faults: {} % wait {} and fail with {}",
            text(faults, "percent"),
            left(faults, "delay_ms"),
            text(faults, "status")
        )
    });
    let edits = part(traffic, "headers");
    let edits = edits.is_object().then(|| {
        format!("headers: set {}; add {}; remove {}", text(edits, "set"), text(edits, "add"), text(edits, "remove"))
    });
    [branch, mirror, faults, edits].into_iter().flatten().collect()
}

fn rates(answer: &Value) -> Vec<String> {
    items(answer, "rates").iter().filter_map(Value::as_str).map(|rate| format!("limit: {rate}")).collect()
}

fn of_pool(answer: &Value, pool: &Value) -> Vec<String> {
    let weights: u64 = items(answer, "pools").iter().filter_map(|pool| pool.get("weight")?.as_u64()).sum();
    let weight = pool.get("weight").and_then(Value::as_u64).unwrap_or_default();
    let share = match (items(answer, "pools").len(), pool.get("chosen").and_then(Value::as_bool)) {
        (0 | 1, _) => String::new(),
        (_, Some(true)) => format!(", weight {weight} of {weights}, where this caller's calls go"),
        _ => format!(", weight {weight} of {weights}"),
    };
    let room = part(part(pool, "policy"), "concurrency");
    let mut lines = vec![format!(
        "pool {} (agent {}){share}: {}; repetitions left {}; inside {} of {}, {} an endpoint; waiting {} of {}",
        string(pool, "pool"),
        string(pool, "agent"),
        string(pool, "balance"),
        text(pool, "repetitions_left"),
        text(pool, "inside"),
        text(room, "total"),
        text(room, "per_endpoint"),
        text(pool, "waiting"),
        text(room, "queue")
    )];
    lines.extend(Some(string(pool, "missed")).filter(|missed| !missed.is_empty()).map(str::to_owned));
    if pool.get("panic").and_then(Value::as_bool) == Some(true) {
        lines.push("everything that could be tried is ejected, so that the ejected are tried".to_owned());
    }
    lines
}

/// Milliseconds as people read them.
fn left(row: &Value, field: &str) -> String {
    match row.get(field).and_then(Value::as_u64) {
        None => NOTHING.to_owned(),
        Some(short) if short < 10_000 => format!("{short}ms"),
        Some(long) => format!("{}s", long.div_ceil(1_000)),
    }
}

fn circuit(row: &Value) -> String {
    match row.get("circuit_open_for_ms").and_then(Value::as_u64) {
        Some(_) => format!("open for {}", left(row, "circuit_open_for_ms")),
        None => text(row, "circuit").replace('_', "-"),
    }
}

fn latency(row: &Value) -> String {
    match row.get("latency_us").and_then(Value::as_f64) {
        Some(micros) if micros > 0.0 => format!("{:.1}ms", micros / 1_000.0),
        _ => NOTHING.to_owned(),
    }
}

#[cfg(test)]
mod tests;
