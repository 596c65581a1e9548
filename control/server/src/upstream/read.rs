//! What can be read beside agents: health, events, schemas, surfaces of A2A.
//!
//! In: queries. Out: JSON in the form of mcp-mesh. Everything is answered from memory.

use std::collections::BTreeMap;

use axum::Json;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use outrigger_model::registration::{AgentKind, Shape};
use outrigger_wire::time::rfc3339;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::upstream::desk::Desk;
use crate::upstream::extras::Extras;
use crate::upstream::refused::{Refused, now};
use crate::upstream::trail::Filter;

/// By this name tools of mcp-mesh know a registry.
const SERVICE: &str = "mcp-mesh-registry";
const VERSION: &str = env!("CARGO_PKG_VERSION");
const EVENTS_DEFAULT: usize = 50;
const EVENTS_MAX: usize = 500;
const SCHEMAS_DEFAULT: usize = 100;
const SCHEMAS_MAX: usize = 1_000;

#[derive(Debug, Deserialize)]
pub struct EventsAsked {
    #[serde(default, rename = "type")]
    kind: String,
    #[serde(default)]
    agent_id: String,
    #[serde(default)]
    function_name: String,
    limit: Option<usize>,
}

#[derive(Debug, Deserialize)]
pub struct SchemasAsked {
    limit: Option<usize>,
}

pub async fn root() -> Json<Value> {
    let endpoints = ["/health", "/heartbeat", "/agents", "/events", "/schemas", "/a2a/agents", "/proxy"];
    Json(json!({ "service": SERVICE, "status": "running", "version": VERSION, "endpoints": endpoints }))
}

pub async fn health(State(desk): State<Desk>) -> (StatusCode, Json<Value>) {
    let (code, status) = match desk.lifecycle.is_ready() {
        true => (StatusCode::OK, "healthy"),
        false => (StatusCode::SERVICE_UNAVAILABLE, "unhealthy"),
    };
    let body = json!({
        "service": SERVICE,
        "status": status,
        "version": VERSION,
        "uptime_seconds": desk.started.elapsed().as_secs(),
        "timestamp": now(),
    });
    (code, Json(body))
}

pub async fn events(
    State(desk): State<Desk>,
    asked: Result<Query<EventsAsked>, QueryRejection>,
) -> Result<Json<Value>, Refused> {
    let Query(asked) = asked.map_err(|bad| bad_query(&bad))?;
    let filter = Filter { kind: &asked.kind, agent: &asked.agent_id, function: &asked.function_name };
    let limit = asked.limit.unwrap_or(EVENTS_DEFAULT).clamp(1, EVENTS_MAX);
    let remembered = desk.memory.lock();
    let events: Vec<Value> = remembered.trail.newest(&filter).take(limit).map(|line| line.shown()).collect();
    Ok(Json(json!({ "count": events.len(), "events": events })))
}

pub async fn schemas(
    State(desk): State<Desk>,
    asked: Result<Query<SchemasAsked>, QueryRejection>,
) -> Result<Json<Value>, Refused> {
    let Query(asked) = asked.map_err(|bad| bad_query(&bad))?;
    let limit = asked.limit.unwrap_or(SCHEMAS_DEFAULT).clamp(1, SCHEMAS_MAX);
    let mut all: Vec<(String, Value)> = all_schemas(&desk).into_values().collect();
    // The newest first.
    all.sort_by(|(one, _), (other, _)| other.cmp(one));
    let schemas: Vec<Value> = all.into_iter().map(|(_, schema)| schema).take(limit).collect();
    Ok(Json(json!({ "count": schemas.len(), "schemas": schemas })))
}

pub async fn schema(State(desk): State<Desk>, Path(hash): Path<String>) -> Result<Json<Value>, Refused> {
    let found = all_schemas(&desk).remove(&hash);
    let short: String = hash.chars().take(128).collect();
    let (_, schema) = found.ok_or_else(|| Refused::new(StatusCode::NOT_FOUND, format!("schema not found: {short}")))?;
    Ok(Json(schema))
}

/// Every canonical schema that a registered agent has, by hash, with the time since when it is known.
fn all_schemas(desk: &Desk) -> BTreeMap<String, (String, Value)> {
    let sheet = desk.sheet();
    let remembered = desk.memory.lock();
    let mut all = BTreeMap::new();
    for standing in sheet.picture.facts.standings() {
        let Some(registration) = &standing.replica.registration else { continue };
        let since = remembered.since.get(&standing.replica.id).copied().unwrap_or(sheet.picture.made_at);
        let shapes = registration.functions.iter().flat_map(|function| [&function.input, &function.output]);
        for Shape { hash, canonical } in shapes {
            let known_since = rfc3339(since);
            let is_newer = all.get(&**hash).is_some_and(|(known, _): &(String, Value)| *known <= known_since);
            let Ok(canonical) = serde_json::from_str::<Value>(canonical) else { continue };
            if !hash.is_empty() && !is_newer {
                let shown = json!({
                    "hash": &**hash, "canonical": canonical, "runtime_origin": &*registration.runtime, "created_at": known_since,
                });
                all.insert(hash.to_string(), (known_since, shown));
            }
        }
    }
    all
}

/// Where they are reached from outside is for whoever publishes them to know.
pub async fn surfaces(State(desk): State<Desk>) -> Json<Value> {
    let sheet = desk.sheet();
    let registered = sheet.picture.facts.standings().filter(|standing| standing.is_callable());
    let registered = registered.filter_map(|standing| standing.replica.registration.as_ref());
    let mut surfaces = Vec::new();
    for registration in registered.filter(|registration| registration.kind == AgentKind::A2a) {
        let all = Extras::of(&registration.raw).surfaces.unwrap_or_default();
        let all = all.into_iter().filter(|surface| !surface.path.is_empty() && !surface.skill_id.is_empty());
        surfaces.extend(all.map(|surface| json!({ "path": surface.path, "skill_id": surface.skill_id })));
    }
    Json(json!({ "surfaces": surfaces }))
}

fn bad_query(bad: &QueryRejection) -> Refused {
    Refused::new(StatusCode::BAD_REQUEST, bad.body_text())
}
