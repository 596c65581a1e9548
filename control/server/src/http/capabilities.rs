//! `GET /v1/capabilities`: every name that something is offered under, and by whom.

use axum::Json;
use axum::extract::State;
use outrigger_control_core::facts::Facts;
use outrigger_model::capability::{Capability, Tool};
use outrigger_model::name::CapabilityName;
use serde::Serialize;

use crate::http::api::{Api, Items, texts};

#[derive(Debug, Serialize)]
pub struct CapabilityItem {
    name: String,
    providers: Vec<ProviderItem>,
}

/// One agent that offers it, at the highest version that one of its replicas has.
#[derive(Debug, Serialize)]
struct ProviderItem {
    agent: String,
    version: String,
    tags: Vec<String>,
    tools: Vec<ToolItem>,
}

#[derive(Debug, Serialize)]
struct ToolItem {
    name: String,
    schema: String,
    read_only: bool,
    idempotent: bool,
    destructive: bool,
}

pub async fn list(State(api): State<Api>) -> Json<Items<CapabilityItem>> {
    let picture = api.writer.picture();
    Json(Items { items: picture.facts.capabilities().map(|name| capability(&picture.facts, name)).collect() })
}

fn capability(facts: &Facts, name: &CapabilityName) -> CapabilityItem {
    let mut offers: Vec<(String, &Capability)> = Vec::new();
    for standing in facts.offering(name) {
        let Some(offered) = standing.capability(name) else { continue };
        let agent = standing.replica.agent.as_str();
        match offers.last_mut() {
            // Replicas of one agent follow each other.
            Some((known, best)) if known == agent => {
                if offered.version > best.version {
                    *best = offered;
                }
            }
            _ => offers.push((agent.to_owned(), offered)),
        }
    }
    CapabilityItem { name: name.to_string(), providers: offers.into_iter().map(provider).collect() }
}

fn provider((agent, offered): (String, &Capability)) -> ProviderItem {
    ProviderItem {
        agent,
        version: offered.version.to_string(),
        tags: texts(offered.tags.iter()),
        tools: offered.tools.iter().map(tool).collect(),
    }
}

fn tool(tool: &Tool) -> ToolItem {
    ToolItem {
        name: tool.name.clone(),
        schema: tool.schema.to_string(),
        read_only: tool.hints.read_only,
        idempotent: tool.hints.idempotent,
        destructive: tool.hints.destructive,
    }
}
