//! `outrigger explain`: every provider of a capability, a route or a whole requirement, and why it was chosen or not; with `--call`,
//! what a proxy would do. `-o wide` also shows what each stage of the resolution kept and evicted.

mod call;
mod traffic;

use serde_json::Value;

use crate::args::Explain;
use crate::ask;
use crate::output::say;
use crate::problem::Problem;
use crate::render::cell::{items, string, text};
use crate::render::form::{Form, document};
use crate::render::table::{Column, table};

const CANDIDATES: &[Column] = &[
    Column { title: "AGENT", wide: false, read: |row| text(row, "agent") },
    Column { title: "VERSION", wide: false, read: |row| text(row, "version") },
    Column { title: "TAGS", wide: true, read: |row| text(row, "tags") },
    Column { title: "SCORE", wide: true, read: |row| text(row, "score") },
    Column { title: "NAMESPACE", wide: true, read: |row| text(row, "namespace") },
    Column { title: "FUNCTION", wide: true, read: |row| text(row, "function") },
    Column { title: "VERDICT", wide: false, read: |row| text(row, "verdict") },
    Column { title: "REPLICAS", wide: false, read: replicas },
    Column { title: "WHY", wide: false, read: |row| text(row, "reason") },
];

const STAGES: &[Column] = &[
    Column { title: "STAGE", wide: false, read: |row| text(row, "stage") },
    Column { title: "KEPT", wide: false, read: |row| text(row, "kept") },
    Column { title: "EVICTED", wide: false, read: evicted },
];

/// Prints the decision. Fails if nobody provides the capability, so that scripts can ask.
pub async fn run(explain: Explain) -> Result<(), Problem> {
    if let Some(method) = &explain.call {
        return call::run(&explain, method).await;
    }
    let answer = ask::control(&explain.at.control, &path(&explain)).await?;
    match explain.output {
        Form::Json | Form::Yaml => say(document(explain.output, &answer)?)?,
        Form::Table | Form::Wide => say(told(&answer, explain.output == Form::Wide))?,
    }
    match string(&answer, "winner") {
        "" => Err(Problem::failed(format!("no provider for `{}`", string(&answer, "requirement")))
            .next("outrigger get capabilities -o wide")),
        _ => Ok(()),
    }
}

fn path(explain: &Explain) -> String {
    let key = if explain.name.contains(char::is_whitespace) { "requirement" } else { "capability" };
    let mut path = format!("/v1/explain?{key}={}", ask::escaped(&explain.name));
    if let Some(range) = &explain.version {
        path.push_str(&format!("&version={}", ask::escaped(&range.to_string())));
    }
    for tag in &explain.tags {
        path.push_str(&format!("&tag={}", ask::escaped(tag)));
    }
    for (key, value) in [("namespace", &explain.namespace), ("schema", &explain.schema)] {
        if let Some(value) = value {
            path.push_str(&format!("&{key}={}", ask::escaped(value)));
        }
    }
    path
}

fn told(answer: &Value, wide: bool) -> String {
    let requirement = string(answer, "requirement");
    let head = match string(answer, "winner") {
        "" => format!("{requirement} → nobody"),
        winner => {
            let pool = Some(string(answer, "pool")).filter(|pool| !pool.is_empty());
            let pool = pool.map(|pool| format!(", pool {pool}")).unwrap_or_default();
            let ties: Vec<&str> = items(answer, "ties").iter().filter_map(Value::as_str).collect();
            let ties = if ties.is_empty() { String::new() } else { format!(", as good: {}", ties.join(", ")) };
            format!("{requirement} → agent {winner}{ties}{pool}")
        }
    };
    let head = match answer.get("sessions") {
        Some(sessions @ Value::Object(_)) => format!("{head}\n{}", route(sessions)),
        _ => head,
    };
    let head = [vec![head], traffic::lines(answer.get("traffic")), decided(answer)].concat().join("\n");
    match items(answer, "candidates") {
        [] => format!("{head}\nno agent offers it"),
        candidates => {
            let stages = if wide { items(answer, "stages") } else { &[] };
            let stages = if stages.is_empty() { String::new() } else { format!("\n\n{}", table(STAGES, stages, wide)) };
            format!("{head}\n{}{stages}", table(CANDIDATES, candidates, wide))
        }
    }
}

/// Which of the operators' declarations it follows from.
fn decided(answer: &Value) -> Vec<String> {
    match (answer.get("intent").and_then(Value::as_u64), answer.get("serial").and_then(Value::as_u64)) {
        (Some(intent), Some(serial)) => vec![format!("decided by intent {intent}, snapshot {serial}")],
        // An older control does not say it.
        _ => Vec::new(),
    }
}

/// What holds calls of the route at a replica.
fn route(sessions: &Value) -> String {
    let keys: Vec<&str> = items(sessions, "keys").iter().filter_map(Value::as_str).collect();
    let keys = if keys.is_empty() { "no keys".to_owned() } else { format!("keys {}", keys.join(", ")) };
    let part = |name| string(sessions, name);
    format!(
        "route {}: {keys}; affinity {}; on_replica_loss {}; session_mode {}",
        part("route"),
        part("affinity"),
        part("on_replica_loss"),
        part("session_mode")
    )
}

fn evicted(row: &Value) -> String {
    let told = items(row, "evicted").iter().map(|offer| format!("{} {}", string(offer, "id"), string(offer, "reason")));
    let told: Vec<String> = told.collect();
    if told.is_empty() { "-".to_owned() } else { told.join(", ") }
}

fn replicas(row: &Value) -> String {
    let told =
        items(row, "replicas").iter().map(|replica| format!("{} {}", string(replica, "id"), string(replica, "state")));
    let told: Vec<String> = told.collect();
    if told.is_empty() { "-".to_owned() } else { told.join(", ") }
}

#[cfg(test)]
mod tests;
