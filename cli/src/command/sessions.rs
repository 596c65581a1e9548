//! `outrigger sessions revoke`: ends sessions, and waits until every connected proxy knows.
//!
//! In: whose sessions, and why. Out: which proxies refuse them from now on, or a failure that names those that may not yet.
//! Never here: which sessions there are; `outrigger get sessions` asks a proxy.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::args::{Revoke, Sessions};
use crate::ask;
use crate::output::{note, say};
use crate::problem::Problem;
use crate::render::cell::{items, string};
use crate::render::form::{Form, document};

const AGAIN_EVERY: Duration = Duration::from_millis(50);

pub async fn run(sessions: Sessions) -> Result<(), Problem> {
    match sessions {
        Sessions::Revoke(revoke) => self::revoke(revoke).await,
    }
}

async fn revoke(revoke: Revoke) -> Result<(), Problem> {
    let done = ask::control_to(&revoke.at.control, "/v1/sessions/revoke", &body(&revoke)).await?;
    let serial = done.get("serial").and_then(Value::as_u64).unwrap_or_default();
    let until = Instant::now() + Duration::from_secs(revoke.within);
    loop {
        let proxies = ask::control(&revoke.at.control, "/v1/proxies").await?;
        let Seen { knowing, waiting, away } = seen(&proxies, serial);
        if waiting.is_empty() {
            for node in away {
                note(format!("{node} is not connected; it hears of it when it is back"));
            }
            return say(told(&revoke, &done, knowing)?);
        }
        if Instant::now() >= until {
            return Err(Problem::failed(format!(
                "revoked, but {} of {} proxies have not applied snapshot {serial}: {}",
                waiting.len(),
                waiting.len() + knowing,
                waiting.join(", ")
            ))
            .next("outrigger get proxies"));
        }
        tokio::time::sleep(AGAIN_EVERY).await;
    }
}

fn body(revoke: &Revoke) -> Value {
    let mut body = serde_json::Map::new();
    let named = [("session", revoke.name.map(|name| name.to_string())), ("caller", revoke.caller.clone())];
    let agent = ("agent", revoke.agent.as_ref().map(ToString::to_string));
    for (kind, name) in named.into_iter().chain([agent, ("reason", revoke.reason.clone())]) {
        if let Some(name) = name {
            body.insert(kind.to_owned(), name.into());
        }
    }
    Value::Object(body)
}

/// What the proxies run.
#[derive(Debug, PartialEq, Eq)]
struct Seen {
    /// How many have a snapshot with the revocation.
    knowing: usize,
    /// Connected proxies that have not, with their status.
    waiting: Vec<String>,
    away: Vec<String>,
}

fn seen(proxies: &Value, serial: u64) -> Seen {
    let mut seen = Seen { knowing: 0, waiting: Vec::new(), away: Vec::new() };
    for proxy in items(proxies, "items") {
        let node = string(proxy, "node");
        let runs = proxy.get("serial").and_then(Value::as_u64).is_some_and(|runs| runs >= serial);
        match proxy.get("connected").and_then(Value::as_bool) {
            Some(true) if runs => seen.knowing += 1,
            Some(true) => seen.waiting.push(format!("{node} ({})", string(proxy, "status"))),
            _ => seen.away.push(node.to_owned()),
        }
    }
    seen
}

fn told(revoke: &Revoke, done: &Value, knowing: usize) -> Result<String, Problem> {
    if matches!(revoke.output, Form::Json | Form::Yaml) {
        let mut answer = done.clone();
        if let Value::Object(fields) = &mut answer {
            fields.insert("proxies".to_owned(), json!(knowing));
        }
        return document(revoke.output, &answer);
    }
    let what = match string(done, "kind") {
        "session" => format!("session {}", string(done, "name")),
        kind => format!("sessions of {kind} {} that began until {}", string(done, "name"), string(done, "at")),
    };
    Ok(format!("revoked: {what}; in force at {knowing} proxies"))
}

#[cfg(test)]
mod tests;
