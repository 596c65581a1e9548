//! `outrigger get`: lists what control knows, and what sessions a proxy holds.

use std::time::Duration;

use serde_json::{Value, json};

use crate::args::{Get, Kind};
use crate::ask;
use crate::output::{note, say};
use crate::problem::Problem;
use crate::render::cell::{NOTHING, age, count, items, string, text};
use crate::render::form::{Form, list};
use crate::render::table::Column;

const AGAIN_EVERY: Duration = Duration::from_secs(1);

const fn column(title: &'static str, read: fn(&Value) -> String) -> Column {
    Column { title, wide: false, read }
}

const fn wide(title: &'static str, read: fn(&Value) -> String) -> Column {
    Column { title, wide: true, read }
}

const AGENTS: &[Column] = &[
    column("NAME", |row| text(row, "name")),
    column("VERSION", |row| text(row, "version")),
    column("HEALTHY", healthy),
    column("TOOLS", |row| count(row, "tools")),
    column("TAGS", |row| text(row, "tags")),
    column("TROUBLE", trouble),
    wide("REPLICAS", |row| joined(items(row, "replicas"), "id")),
    wide("TOOL NAMES", |row| text(row, "tools")),
];

const REPLICAS: &[Column] = &[
    column("REPLICA", |row| text(row, "id")),
    column("AGENT", |row| text(row, "agent")),
    column("STATE", |row| text(row, "state")),
    column("ADDRESS", |row| text(row, "address")),
    column("VERSION", |row| text(row, "version")),
    column("LAST SEEN", |row| age(row, "last_seen_seconds")),
    column("TROUBLE", |row| text(row, "trouble")),
    wide("NODE", |row| text(row, "node")),
    wide("REVISIONS", |row| text(row, "revisions")),
    wide("GENERATION", |row| text(row, "generation")),
];

const CAPABILITIES: &[Column] = &[
    column("CAPABILITY", |row| text(row, "name")),
    column("AGENT", |row| text(row, "agent")),
    column("VERSION", |row| text(row, "version")),
    column("TOOLS", |row| count(row, "tools")),
    column("TAGS", |row| text(row, "tags")),
    wide("TOOL NAMES", |row| joined(items(row, "tools"), "name")),
];

const ROUTES: &[Column] = &[
    column("ROUTE", |row| text(row, "name")),
    column("KIND", |row| text(row, "kind")),
    column("AGENT", |row| text(row, "agent")),
    column("POOL", |row| text(row, "pool")),
    column("AFFINITY", |row| text(row, "affinity")),
    column("ENDPOINTS", |row| text(row, "endpoints")),
];

const PROXIES: &[Column] = &[
    column("NODE", |row| text(row, "node")),
    column("STATUS", |row| text(row, "status")),
    column("SERIAL", |row| text(row, "serial")),
    column("TARGET", |row| text(row, "target")),
    column("CONNECTED", |row| text(row, "connected")),
    column("ACKED", |row| age(row, "acked_seconds_ago")),
    column("REFUSAL", |row| text(row, "refusal")),
    wide("LANE", |row| or_nothing(string(row, "lane"))),
    wide("LABELS", labels),
    wide("VIEW", |row| text(row, "view")),
    wide("IDENTITY", |row| text(row, "identity")),
    wide("BUILD", |row| text(row, "build")),
];

const SNAPSHOTS: &[Column] = &[
    column("SERIAL", |row| text(row, "serial")),
    column("MADE AT", |row| text(row, "made_at")),
    column("DIGEST", |row| short(row, "digest")),
    column("REASON", |row| text(row, "reason")),
    wide("EPOCH", |row| text(row, "epoch")),
];

const EVENTS: &[Column] = &[
    column("ID", |row| text(row, "id")),
    column("AT", |row| text(row, "at")),
    column("KIND", |row| text(row, "kind")),
    column("SUBJECT", |row| text(row, "subject")),
    column("DETAIL", |row| text(row, "detail")),
];

const SESSIONS: &[Column] = &[
    column("NAME", |row| text(row, "name")),
    column("KIND", |row| text(row, "kind")),
    column("AGENT", |row| text(row, "agent")),
    column("REPLICA", |row| text(row, "replica")),
    column("CALLER", |row| text(row, "caller")),
    column("AGE", |row| age(row, "age_seconds")),
    column("IDLE", |row| age(row, "idle_seconds")),
    column("STORE", |row| text(row, "store")),
    column("MOVES", |row| text(row, "moves")),
];

/// Prints one list, or with `--watch` each change of it.
pub async fn run(get: Get) -> Result<(), Problem> {
    let mut last: Option<String> = None;
    loop {
        let answer = match get.kind {
            Kind::Sessions => ask::proxy(&get.admin, &path(&get)).await?,
            _ => ask::control(&get.at.control, &path(&get)).await?,
        };
        // Ages change every second without anything having happened.
        let state = answer_without_ages(&answer).to_string();
        if last.as_ref() != Some(&state) {
            if last.is_some() {
                say("")?;
            }
            note_rest(&get, &answer);
            say(list(get.output, columns(get.kind), &rows(get.kind, answer), empty(get.kind))?)?;
            last = Some(state);
        }
        if !get.watch {
            return Ok(());
        }
        tokio::time::sleep(AGAIN_EVERY).await;
    }
}

/// Says so where there is more than is listed.
fn note_rest(get: &Get, answer: &Value) {
    let listed = items(answer, "items").len();
    let total = answer.get("total").and_then(Value::as_u64).unwrap_or_default();
    if matches!(get.output, Form::Table | Form::Wide) && total > listed as u64 {
        note(format!("{listed} of {total}; --limit shows more"));
    }
}

fn path(get: &Get) -> String {
    match get.kind {
        Kind::Agents | Kind::Replicas => "/v1/agents".to_owned(),
        Kind::Capabilities => "/v1/capabilities".to_owned(),
        Kind::Routes => "/v1/routes".to_owned(),
        Kind::Proxies => "/v1/proxies".to_owned(),
        Kind::Snapshots => "/v1/snapshots".to_owned(),
        Kind::Events => format!("/v1/events?limit={}", get.limit),
        Kind::Sessions => {
            let agent = get.agent.as_ref().map(|agent| format!("&agent={agent}"));
            format!("/sessions?limit={}{}", get.limit, agent.unwrap_or_default())
        }
    }
}

const fn columns(kind: Kind) -> &'static [Column] {
    match kind {
        Kind::Agents => AGENTS,
        Kind::Replicas => REPLICAS,
        Kind::Capabilities => CAPABILITIES,
        Kind::Routes => ROUTES,
        Kind::Proxies => PROXIES,
        Kind::Snapshots => SNAPSHOTS,
        Kind::Events => EVENTS,
        Kind::Sessions => SESSIONS,
    }
}

const fn empty(kind: Kind) -> &'static str {
    match kind {
        Kind::Agents | Kind::Replicas | Kind::Capabilities => {
            "nothing is registered; a proxy registers its agents by itself: outrigger proxy -f proxy.yaml"
        }
        Kind::Routes => "no routes; they come with the first agent",
        Kind::Proxies => "no proxy has connected",
        Kind::Snapshots => "no snapshot has been published",
        Kind::Events => "nothing has happened",
        Kind::Sessions => "this proxy holds no session",
    }
}

/// What control lists in two levels becomes one row per inner thing.
fn rows(kind: Kind, answer: Value) -> Value {
    match kind {
        Kind::Replicas => flat(&answer, "replicas", "agent"),
        Kind::Capabilities => flat(&answer, "providers", "name"),
        _ => answer,
    }
}

/// Every element of `inner`, with the name of the item it belongs to as `outer`.
fn flat(answer: &Value, inner: &str, outer: &str) -> Value {
    let rows = items(answer, "items").iter().flat_map(|item| {
        items(item, inner).iter().map(|row| {
            let mut row = row.clone();
            if let Value::Object(fields) = &mut row {
                fields.insert(outer.to_owned(), item.get("name").cloned().unwrap_or_default());
            }
            row
        })
    });
    json!({ "items": rows.collect::<Vec<_>>() })
}

fn healthy(row: &Value) -> String {
    let replicas = items(row, "replicas");
    let healthy = replicas.iter().filter(|replica| string(replica, "state") == "healthy").count();
    format!("{healthy}/{}", replicas.len())
}

/// The trouble of the first replica that has one.
fn trouble(row: &Value) -> String {
    let troubled = items(row, "replicas").iter().find(|replica| !string(replica, "trouble").is_empty());
    troubled
        .map_or_else(|| "-".to_owned(), |replica| format!("{}: {}", string(replica, "id"), string(replica, "trouble")))
}

/// `name=value` of each label, sorted by name.
fn labels(row: &Value) -> String {
    let labels = row.get("labels").and_then(Value::as_object).into_iter().flatten();
    let pairs: Vec<String> =
        labels.map(|(name, value)| format!("{name}={}", value.as_str().unwrap_or_default())).collect();
    or_nothing(&pairs.join(","))
}

fn or_nothing(text: &str) -> String {
    if text.is_empty() { NOTHING.to_owned() } else { text.to_owned() }
}

fn joined(rows: &[Value], field: &str) -> String {
    rows.iter().map(|row| string(row, field)).collect::<Vec<_>>().join(",")
}

fn short(row: &Value, field: &str) -> String {
    text(row, field).chars().take(12).collect()
}

fn answer_without_ages(answer: &Value) -> Value {
    match answer {
        Value::Array(values) => values.iter().map(answer_without_ages).collect(),
        Value::Object(fields) => {
            let lasting = fields.iter().filter(|(name, _)| !name.contains("seconds"));
            Value::Object(lasting.map(|(name, value)| (name.clone(), answer_without_ages(value))).collect())
        }
        other => other.clone(),
    }
}

#[cfg(test)]
mod tests;
