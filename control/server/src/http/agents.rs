//! `GET /v1/agents`: every agent, and its replicas as control sees them.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use axum::Json;
use axum::extract::State;
use outrigger_control_core::facts::{Facts, Standing};
use outrigger_model::name::{AgentName, NodeId};
use serde::Serialize;

use crate::http::api::{Api, Items, texts};
use crate::http::problem::Problem;

#[derive(Debug, Serialize)]
pub struct AgentItem {
    name: String,
    version: String,
    tags: Vec<String>,
    /// Names of the tools of all its replicas.
    tools: BTreeSet<String>,
    replicas: Vec<ReplicaItem>,
}

#[derive(Debug, Serialize)]
struct ReplicaItem {
    id: String,
    state: &'static str,
    address: String,
    node: String,
    /// As text: it is a 64-bit number, which JSON readers round.
    generation: String,
    version: String,
    revisions: Vec<String>,
    trouble: String,
    last_seen_seconds: Option<u64>,
}

pub async fn list(State(api): State<Api>) -> Result<Json<Items<AgentItem>>, Problem> {
    let heard = api.writer.last_heard().await.map_err(|_| Problem::stopping())?;
    let picture = api.writer.picture();
    let items = picture.facts.agents().map(|name| agent(&picture.facts, name, &heard)).collect();
    Ok(Json(Items { items }))
}

fn agent(facts: &Facts, name: &AgentName, heard: &BTreeMap<NodeId, Duration>) -> AgentItem {
    let standings: Vec<&Standing> = facts.replicas_of(name).collect();
    let newest = standings.iter().rev().max_by(|a, b| a.replica.version.cmp(&b.replica.version));
    let capabilities = standings.iter().flat_map(|standing| &standing.replica.capabilities);
    AgentItem {
        name: name.to_string(),
        version: newest.map(|standing| standing.replica.version.to_string()).unwrap_or_default(),
        tags: newest.map(|standing| texts(standing.replica.tags.iter())).unwrap_or_default(),
        tools: capabilities.flat_map(|capability| capability.tools.iter().map(|tool| tool.name.clone())).collect(),
        replicas: standings.into_iter().map(|standing| replica(standing, heard)).collect(),
    }
}

fn replica(standing: &Standing, heard: &BTreeMap<NodeId, Duration>) -> ReplicaItem {
    let replica = &standing.replica;
    ReplicaItem {
        id: replica.id.to_string(),
        state: standing.state.as_str(),
        address: replica.address.to_string(),
        node: replica.node.to_string(),
        generation: replica.generation.0.to_string(),
        version: replica.version.to_string(),
        revisions: texts(&replica.revisions),
        trouble: standing.trouble.to_string(),
        last_seen_seconds: heard.get(&replica.node).map(Duration::as_secs),
    }
}
