//! `GET /agents`: every replica in the form that `meshctl` reads, whether a proxy stands beside it or not.
//!
//! In: the newest sheet, and how long ago each node was heard. Out: JSON, field by field as mcp-mesh has it.
//! Never here: which provider is the best, whether a function is available; the core says both.

use std::collections::BTreeMap;
use std::time::{Duration, SystemTime};

use axum::Json;
use axum::extract::State;
use outrigger_control_core::facts::Standing;
use outrigger_model::name::NodeId;
use outrigger_model::registration::{AgentKind, Function, Registration};
use outrigger_model::replica::{Replica, ReplicaState};
use outrigger_model::wiring::Provider;
use outrigger_wire::time::rfc3339;
use serde_json::{Map, Value, json};

use crate::upstream::desk::Desk;
use crate::upstream::extras::{Extras, Tool};
use crate::upstream::memory::{Consumer, Need, Remembered};
use crate::upstream::refused::{Refused, now};
use crate::upstream::resolved::{Resolved, base_url};
use crate::upstream::sheet::Sheet;

pub async fn list(State(desk): State<Desk>) -> Result<Json<Value>, Refused> {
    let heard = desk.writer.last_heard().await.map_err(|_| Refused::stopping())?;
    let sheet = desk.sheet();
    let remembered = desk.memory.lock();
    let view = View { sheet: &sheet, remembered: &remembered, heard: &heard, now: SystemTime::now() };
    let agents: Vec<Value> = sheet.picture.facts.standings().map(|standing| view.agent(standing)).collect();
    Ok(Json(json!({ "count": agents.len(), "agents": agents, "timestamp": now() })))
}

struct View<'a> {
    sheet: &'a Sheet,
    remembered: &'a Remembered,
    heard: &'a BTreeMap<NodeId, Duration>,
    now: SystemTime,
}

impl View<'_> {
    fn agent(&self, standing: &Standing) -> Value {
        let replica = &standing.replica;
        let registration = replica.registration.as_deref();
        let extras = registration.map(|registration| Extras::of(&registration.raw)).unwrap_or_default();
        let since = self.remembered.since.get(&replica.id).copied().unwrap_or(self.sheet.picture.made_at);
        let seen = self.heard.get(&replica.node).and_then(|ago| self.now.checked_sub(*ago)).unwrap_or(since);
        let mut shown = json!({
            "id": replica.id.as_str(),
            "name": replica.agent.as_str(),
            "agent_type": registration.map_or(AgentKind::Mcp, |registration| registration.kind).as_str(),
            "version": replica.version.to_string(),
            "runtime": registration.map_or("", |registration| &registration.runtime),
            "description": registration.map_or("", |registration| &registration.description),
            "endpoint": base_url(replica),
            "status": status(standing.state),
            "a2a_producer": extras.a2a_producer,
            "a2a_consumer": extras.a2a_consumer,
            "created_at": rfc3339(since),
            "last_seen": rfc3339(seen),
            "capabilities": match registration {
                Some(registration) => self.functions(standing, registration, &extras),
                None => offered(replica),
            },
        });
        if let Some(fields) = shown.as_object_mut() {
            fields.extend(self.dependencies(standing));
        }
        shown
    }

    /// What it depends on, and who provides that.
    fn dependencies(&self, standing: &Standing) -> Map<String, Value> {
        let replica = &standing.replica;
        let (mut edges, mut models, mut tools, mut resolved) = (Vec::new(), Vec::new(), Vec::new(), 0_usize);
        let consumer = self.remembered.consumers.get(&replica.id);
        for need in consumer.iter().flat_map(|consumer| consumer.needs.iter()) {
            let Some(function) = consumer.and_then(|consumer| function(consumer, need)) else { continue };
            let found = self.sheet.for_replica(replica.is_direct(), &need.dependency);
            match need.at {
                Some(_) => {
                    let edge = edge(function, need, &found);
                    resolved += usize::from(found.callable().next().is_some());
                    edges.push(edge);
                }
                None if function.model.as_ref() == Some(&need.dependency.requirement) => {
                    models.push(model(function, need, &found));
                }
                None => tools.extend(choices(function, need, &found, replica)),
            }
        }
        let total = edges.len();
        let listed = |all: Vec<Value>| if all.is_empty() { Value::Null } else { Value::Array(all) };
        let mut fields = Map::new();
        fields.insert("total_dependencies".to_owned(), json!(total));
        fields.insert("dependencies_resolved".to_owned(), json!(resolved));
        fields.insert("dependency_resolutions".to_owned(), listed(edges));
        fields.insert("llm_provider_resolutions".to_owned(), listed(models));
        fields.insert("llm_tool_resolutions".to_owned(), listed(tools));
        fields
    }

    /// Functions without a capability offer nothing, and are not shown.
    fn functions(&self, standing: &Standing, registration: &Registration, extras: &Extras) -> Value {
        let all = registration.functions.iter().enumerate().filter(|(_, function)| !function.capability.is_empty());
        let shown: Vec<Value> =
            all.map(|(at, function)| self.function(standing, function, extras.tools.get(at))).collect();
        if shown.is_empty() { Value::Null } else { Value::Array(shown) }
    }

    fn function(&self, standing: &Standing, function: &Function, extras: Option<&Tool>) -> Value {
        let unavailable = self.unavailable(standing, function);
        let tags: Vec<&str> = function.tags.iter().map(|tag| tag.as_str()).collect();
        let mut shown = json!({
            "name": &*function.capability,
            "function_name": &*function.name,
            "version": function.version.to_string(),
            "description": &*function.description,
            "tags": tags,
            "available": unavailable.is_none(),
        });
        if let Some(fields) = shown.as_object_mut() {
            fields.extend(unavailable.map(|reason| ("unavailable_reason".to_owned(), json!(reason))));
            let Some(extras) = extras else { return shown };
            fields.extend(extras.llm_filter.clone().map(|filter| ("llm_filter".to_owned(), filter)));
            fields.extend(extras.llm_provider.clone().map(|model| ("llm_provider".to_owned(), model)));
        }
        shown
    }

    /// The first required dependency that nobody provides.
    fn unavailable(&self, standing: &Standing, function: &Function) -> Option<String> {
        let consumer = self.remembered.consumers.get(&standing.replica.id)?;
        let required = function.needs.iter().enumerate().filter(|(_, need)| need.required);
        for (at, required) in required {
            let is_it = |need: &&Need| {
                need.at == Some(at)
                    && self::function(consumer, need).is_some_and(|declared| declared.name == function.name)
                    && need.dependency.requirement == required.requirement
            };
            let Some(need) = consumer.needs.iter().find(is_it) else { continue };
            let found = self.sheet.for_replica(standing.replica.is_direct(), &need.dependency);
            if found.callable().next().is_none() {
                return Some(format!("required dep '{}' unresolved", required.requirement.capability));
            }
        }
        None
    }
}

fn function<'a>(consumer: &'a Consumer, need: &Need) -> Option<&'a Function> {
    consumer.registration.functions.get(need.function)
}

fn edge(function: &Function, need: &Need, found: &Resolved) -> Value {
    let mut shown = json!({
        "function_name": &*function.name,
        "capability": need.dependency.requirement.capability.as_str(),
        "status": "unresolved",
    });
    put_provider(&mut shown, found);
    shown
}

fn model(function: &Function, need: &Need, found: &Resolved) -> Value {
    let requirement = &need.dependency.requirement;
    let mut shown = json!({
        "function_name": &*function.name,
        "required_capability": requirement.capability.as_str(),
        "required_tags": requirement.tags.texts().collect::<Vec<_>>(),
        "status": "unresolved",
    });
    put_provider(&mut shown, found);
    shown
}

fn put_provider(shown: &mut Value, found: &Resolved) {
    if let (Some((provider, url)), Some(fields)) = (found.callable().next(), shown.as_object_mut()) {
        fields.insert("status".to_owned(), json!("available"));
        fields.insert("provider_agent_id".to_owned(), json!(provider.replica.as_str()));
        fields.insert("mcp_tool".to_owned(), json!(&*provider.function));
        fields.insert("endpoint".to_owned(), json!(url));
    }
}

fn choices(function: &Function, need: &Need, found: &Resolved, own: &Replica) -> Vec<Value> {
    let requirement = &need.dependency.requirement;
    let mode = function.tools.as_ref().map_or("all", |choice| choice.mode.as_str());
    let filter = |provider: &Provider, url: &str| {
        json!({
            "function_name": &*function.name,
            "filter_capability": requirement.capability.as_str(),
            "filter_tags": requirement.tags.texts().collect::<Vec<_>>(),
            "filter_mode": mode,
            "mcp_tool": &*provider.function,
            "provider_capability": provider.capability.as_str(),
            "provider_agent_id": provider.replica.as_str(),
            "endpoint": url,
            "status": "available",
        })
    };
    let others = found.callable().filter(|(provider, _)| provider.agent != own.agent);
    others.map(|(provider, url)| filter(provider, url)).collect()
}

/// What a replica offers that registered through its proxy and in the proxy's own words.
fn offered(replica: &Replica) -> Value {
    let mut shown = Vec::new();
    for capability in &replica.capabilities {
        let tags: Vec<&str> = capability.tags.iter().map(|tag| tag.as_str()).collect();
        let version = capability.version.to_string();
        let one = |tool: &str| {
            json!({
                "name": capability.name.as_str(), "function_name": tool, "version": version, "tags": tags,
                "description": "", "available": true,
            })
        };
        match capability.tools.as_slice() {
            [] => shown.push(one(capability.name.as_str())),
            tools => shown.extend(tools.iter().map(|tool| one(&tool.name))),
        }
    }
    Value::Array(shown)
}

/// mcp-mesh has no state for a replica that ends its sessions in order; it still answers.
fn status(state: ReplicaState) -> &'static str {
    match state {
        ReplicaState::Healthy | ReplicaState::Draining => "healthy",
        ReplicaState::Unhealthy => "unhealthy",
        ReplicaState::Unknown => "unknown",
    }
}
