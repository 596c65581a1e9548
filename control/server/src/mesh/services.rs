//! `GET /api/v1/mesh/v2/services?name=` and `GET /api/v1/mcp/{service}/status`: which instances there are, and how they are.
//!
//! In: a name. Out: every replica of that agent, however it registered.

use axum::Json;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use outrigger_control_core::facts::{Facts, Standing};
use outrigger_model::name::AgentName;
use outrigger_model::replica::ReplicaState;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::upstream::desk::Desk;
use crate::upstream::refused::Refused;

/// The founding documents write it before the names of services.
const PREFIX: &str = "mcp-";

#[derive(Debug, Deserialize)]
pub struct Asked {
    name: Option<String>,
}

pub async fn list(
    State(desk): State<Desk>,
    asked: Result<Query<Asked>, QueryRejection>,
) -> Result<Json<Value>, Refused> {
    let Query(asked) = asked.map_err(|bad| Refused::new(StatusCode::BAD_REQUEST, bad.body_text()))?;
    let facts = &desk.sheet().picture.facts;
    let services: Vec<Value> = match &asked.name {
        None => facts.standings().map(service).collect(),
        Some(name) => instances(facts, name).into_iter().map(service).collect(),
    };
    Ok(Json(json!({ "services": services })))
}

pub async fn status(State(desk): State<Desk>, Path(name): Path<String>) -> Result<Json<Value>, Refused> {
    let facts = &desk.sheet().picture.facts;
    let instances = instances(facts, &name);
    if instances.is_empty() {
        let name: String = name.chars().take(128).collect();
        return Err(Refused::hinted(
            StatusCode::NOT_FOUND,
            format!("service '{name}' is not registered"),
            "see /api/v1/mesh/v2/services",
        ));
    }
    let healthy = instances.iter().filter(|standing| standing.state == ReplicaState::Healthy).count();
    let details: Vec<Value> = instances.iter().map(|standing| detail(standing)).collect();
    Ok(Json(json!({ "service": name, "instances": instances.len(), "healthy": healthy, "details": details })))
}

/// Commands are calls, and calls do not pass control.
pub async fn execute(Path(name): Path<String>) -> Refused {
    let name: String = name.chars().take(128).collect();
    let error = format!("commands for '{name}' go to a proxy");
    let hint = "ask the proxy beside the caller, such as http://127.0.0.1:17001/api/v1/mcp/{service}/execute";
    Refused::hinted(StatusCode::MISDIRECTED_REQUEST, error, hint)
}

/// By its name, or by its name without the prefix.
fn instances<'a>(facts: &'a Facts, name: &str) -> Vec<&'a Standing> {
    let names = [Some(name), name.strip_prefix(PREFIX)];
    let known = names.into_iter().flatten().find(|name| facts.has_agent(name));
    let agent = known.and_then(|name| AgentName::new(name).ok());
    agent.map(|agent| facts.replicas_of(&agent).collect()).unwrap_or_default()
}

fn service(standing: &Standing) -> Value {
    let replica = &standing.replica;
    let capabilities = replica.capabilities.iter().map(|capability| capability.name.as_str());
    let capabilities: Vec<&str> = capabilities.filter(|name| *name != replica.agent.as_str()).collect();
    json!({
        "service_id": replica.id.as_str(),
        "service_name": replica.agent.as_str(),
        "address": replica.address.ip().to_string(),
        "port": replica.address.port(),
        "tags": replica.tags.iter().map(|tag| tag.as_str()).collect::<Vec<_>>(),
        "metadata": {
            "mcp_server": replica.agent.as_str(),
            "instance": replica.id.as_str(),
            "version": replica.version.to_string(),
            "capabilities": capabilities,
        },
        "state": state(standing.state),
    })
}

fn detail(standing: &Standing) -> Value {
    let replica = &standing.replica;
    json!({
        "instance": replica.id.as_str(),
        "address": replica.address.ip().to_string(),
        "port": replica.address.port(),
        "state": state(standing.state),
        "reason": &*standing.trouble,
    })
}

const fn state(state: ReplicaState) -> &'static str {
    match state {
        ReplicaState::Healthy => "HEALTHY",
        ReplicaState::Unhealthy => "UNHEALTHY",
        ReplicaState::Unknown => "UNKNOWN",
        ReplicaState::Draining => "DRAINING",
    }
}
