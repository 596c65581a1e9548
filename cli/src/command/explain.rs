//! `outrigger explain`: every provider of a capability or a route, and why it was chosen or not; with `--call`, what a proxy would do.

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
    Column { title: "VERDICT", wide: false, read: |row| text(row, "verdict") },
    Column { title: "REPLICAS", wide: false, read: replicas },
    Column { title: "WHY", wide: false, read: |row| text(row, "reason") },
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
    let mut path = format!("/v1/explain?capability={}", ask::escaped(&explain.name));
    if let Some(range) = &explain.version {
        path.push_str(&format!("&version={}", ask::escaped(&range.to_string())));
    }
    for tag in &explain.tags {
        path.push_str(&format!("&tag={}", ask::escaped(tag)));
    }
    path
}

fn told(answer: &Value, wide: bool) -> String {
    let requirement = string(answer, "requirement");
    let head = match string(answer, "winner") {
        "" => format!("{requirement} → nobody"),
        winner => format!("{requirement} → agent {winner}, pool {}", string(answer, "pool")),
    };
    let head = match answer.get("sessions") {
        Some(sessions @ Value::Object(_)) => format!("{head}\n{}", route(sessions)),
        _ => head,
    };
    let head = [vec![head], traffic::lines(answer.get("traffic")), decided(answer)].concat().join("\n");
    match items(answer, "candidates") {
        [] => format!("{head}\nno agent offers it"),
        candidates => format!("{head}\n{}", table(CANDIDATES, candidates, wide)),
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

fn replicas(row: &Value) -> String {
    let told =
        items(row, "replicas").iter().map(|replica| format!("{} {}", string(replica, "id"), string(replica, "state")));
    let told: Vec<String> = told.collect();
    if told.is_empty() { "-".to_owned() } else { told.join(", ") }
}

#[cfg(test)]
mod tests;
