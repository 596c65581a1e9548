//! The answer to `POST /heartbeat`.
//!
//! In: a registration and what its requirements were resolved to. Out: JSON.
//! Rules (measured): a list per function with dependencies, one entry per dependency in the order in which they were
//! declared; five texts in each, empty where nobody provides it; `available` wires it, `unresolved` does not.

use std::cmp::Reverse;

use outrigger_model::name::RouteName;
use outrigger_model::registration::{Function, Registration, ToolChoiceMode};
use outrigger_model::requirement::Requirement;
use outrigger_model::wiring::{Provider, Wiring};
use serde_json::{Map, Value, json};

use crate::needs;

/// What the composer of an answer is told by who asks for it.
pub trait Wirings {
    /// What a requirement was resolved to; none where that is not known.
    fn wiring(&self, route: &RouteName) -> Option<&Wiring>;
    /// The base URL that calls of `function` to `provider` go to; the agent appends `/mcp`.
    fn endpoint(&self, function: &str, route: &RouteName, provider: &Provider, many: bool) -> String;
    /// By which id the agent is told of a provider. Its own id means: call it within the process.
    fn agent_id(&self, provider: &Provider) -> String;
    /// Whether it is the agent that asks: a model is not offered the tools of its own agent.
    fn is_own(&self, provider: &Provider) -> bool;
}

/// `timestamp` is RFC 3339.
pub fn answer(id: &str, registration: &Registration, wirings: &dyn Wirings, is_new: bool, timestamp: &str) -> Value {
    let (mut dependencies, mut models, mut tools) = (Map::new(), Map::new(), Map::new());
    for function in &registration.functions {
        let name = function.name.to_string();
        if !function.needs.is_empty() {
            let entries = function.needs.iter().map(|need| dependency(function, &need.requirement, wirings));
            dependencies.insert(name.clone(), Value::Array(entries.collect()));
        }
        if let Some(model) = function.model.as_ref().and_then(|need| model_of(function, need, wirings)) {
            models.insert(name.clone(), model);
        }
        if function.tools.is_some() {
            tools.insert(name, Value::Array(tools_of(function, wirings)));
        }
    }
    let message = if is_new { "Agent registered via heartbeat" } else { "Agent updated via heartbeat" };
    let mut answer = json!({
        "agent_id": id,
        "status": "success",
        "message": message,
        "timestamp": timestamp,
        "dependencies_resolved": dependencies,
        "llm_tools": tools,
    });
    if let (false, Some(answer)) = (models.is_empty(), answer.as_object_mut()) {
        answer.insert("llm_providers".to_owned(), Value::Object(models));
    }
    answer
}

/// What an agent is told when its registration is refused; it tries again.
pub fn refusal(id: &str, message: &str, timestamp: &str) -> Value {
    json!({ "agent_id": id, "status": "error", "message": message, "timestamp": timestamp })
}

fn first<'a>(requirement: &Requirement, wirings: &'a dyn Wirings) -> Option<(RouteName, &'a Provider)> {
    let route = needs::route(requirement).ok()?;
    let provider = wirings.wiring(&route)?.providers.iter().find(|provider| provider.callable)?;
    Some((route, provider))
}

fn dependency(function: &Function, requirement: &Requirement, wirings: &dyn Wirings) -> Value {
    let capability = requirement.capability.as_str();
    let Some((route, provider)) = first(requirement, wirings) else {
        return json!({
            "agent_id": "", "endpoint": "", "function_name": "", "capability": capability, "status": "unresolved",
        });
    };
    let mut entry = json!({
        "agent_id": wirings.agent_id(provider),
        "endpoint": wirings.endpoint(&function.name, &route, provider, false),
        "function_name": &*provider.function,
        "capability": capability,
        "status": "available",
    });
    put_json(&mut entry, "kwargs", &provider.kwargs);
    entry
}

fn model_of(function: &Function, requirement: &Requirement, wirings: &dyn Wirings) -> Option<Value> {
    let (route, provider) = first(requirement, wirings)?;
    let tags: Vec<_> = provider.tags.iter().map(|tag| tag.as_str()).collect();
    let mut entry = json!({
        "name": &*provider.function,
        "agent_id": wirings.agent_id(provider),
        "endpoint": wirings.endpoint(&function.name, &route, provider, false),
        "capability": provider.capability.as_str(),
        "status": "available",
        "tags": tags,
        "version": provider.version.to_string(),
    });
    put_json(&mut entry, "kwargs", &provider.kwargs);
    let vendor = entry.pointer("/kwargs/vendor").cloned();
    if let (Some(vendor), Some(entry)) = (vendor, entry.as_object_mut()) {
        entry.insert("vendor".to_owned(), vendor);
    }
    Some(entry)
}

fn tools_of(function: &Function, wirings: &dyn Wirings) -> Vec<Value> {
    let Some(choice) = &function.tools else { return Vec::new() };
    let mut tools = Vec::new();
    let mut seen: Vec<&str> = Vec::new();
    for requirement in &choice.any_of {
        let Ok(route) = needs::route(requirement) else { continue };
        let found = wirings.wiring(&route).map(|wiring| wiring.providers.as_slice()).unwrap_or_default();
        // A model cannot call what it is told no arguments of, nor tell two tools of one name apart.
        let fits = |it: &&Provider| it.callable && !it.input_schema.is_empty() && !wirings.is_own(it);
        let mut fitting: Vec<&Provider> = found.iter().filter(fits).collect();
        if choice.mode == ToolChoiceMode::BestMatch {
            fitting.sort_by_key(|it| (&it.capability, Reverse(&it.version), Reverse(it.tags.iter().count())));
            fitting.dedup_by(|it, before| it.capability == before.capability);
        }
        for provider in fitting {
            if !seen.contains(&&*provider.function) {
                seen.push(&provider.function);
                tools.push(tool(function, &route, provider, wirings));
            }
        }
    }
    tools
}

fn tool(function: &Function, route: &RouteName, provider: &Provider, wirings: &dyn Wirings) -> Value {
    let tags: Vec<_> = provider.tags.iter().map(|tag| tag.as_str()).collect();
    let mut entry = json!({
        "name": &*provider.function,
        "capability": provider.capability.as_str(),
        "description": &*provider.description,
        "endpoint": wirings.endpoint(&function.name, route, provider, true),
        "tags": tags,
        "version": provider.version.to_string(),
    });
    put_json(&mut entry, "inputSchema", &provider.input_schema);
    entry
}

/// JSON that passes through; it was read once before, so it is JSON.
fn put_json(entry: &mut Value, key: &str, text: &str) {
    if let (Ok(value), Some(entry)) = (serde_json::from_str::<Value>(text), entry.as_object_mut()) {
        entry.insert(key.to_owned(), value);
    }
}

#[cfg(test)]
mod tests;
