//! Resources of a snapshot as people and scripts read them.
//!
//! In: a resource. Out: a JSON object, or one line.
//! Never here: the wire form; field names here follow control's operator API.

use std::collections::BTreeMap;

use outrigger_model::capability::Capability;
use outrigger_model::endpoint::Endpoint;
use outrigger_model::route::{Limits, Timeouts};
use outrigger_model::tag::TagSet;
use outrigger_model::wiring::Provider;
use outrigger_wire::resource::Resource;
use serde_json::{Value, json};

/// The whole resource.
pub fn document(resource: &Resource) -> Value {
    match resource {
        Resource::Settings(settings) => json!({
            "session_idle_seconds": settings.session_idle.as_secs(),
            "session_lifetime_seconds": settings.session_lifetime.as_secs(),
            "session_mode": settings.session_mode.as_str(),
            "sessions_per_caller_max": settings.session_limits.per_caller,
            "sessions_per_agent_max": settings.session_limits.per_agent,
            "sessions_max": settings.session_limits.total,
        }),
        // What the keys are is nobody's business.
        Resource::Keyring(keyring) => json!({"keys": keyring.keys.iter().map(|key| key.id).collect::<Vec<_>>()}),
        Resource::Revocations(all) => json!({
            "sessions": all.sessions.iter().map(|(name, at)| (name.to_string(), at)).collect::<BTreeMap<_, _>>(),
            "callers": all.callers,
            "agents": all.agents.iter().map(|(name, at)| (name.as_str(), at)).collect::<BTreeMap<_, _>>(),
        }),
        Resource::Agent(agent) => json!({
            "name": agent.name.as_str(), "version": agent.version.to_string(),
            "tags": tags(&agent.tags), "pool": agent.pool.as_str(),
        }),
        Resource::Capability(capability) => json!({
            "name": capability.name.as_str(), "version": capability.version.to_string(),
            "tags": tags(&capability.tags), "tools": tools(capability),
        }),
        Resource::Pool(pool) => json!({
            "name": pool.name.as_str(), "agent": pool.agent.as_str(), "balance": pool.balance.as_str(),
        }),
        Resource::Endpoints(endpoints) => json!({
            "pool": endpoints.pool.as_str(),
            "endpoints": endpoints.endpoints.iter().map(endpoint).collect::<Vec<_>>(),
        }),
        Resource::Route(route) => json!({
            "name": route.name.as_str(), "pool": route.pool.as_str(), "affinity": route.policy.affinity.as_str(),
            "inspect": route.policy.inspect,
            "keys": route.policy.sessions.keys.iter().map(ToString::to_string).collect::<Vec<_>>(),
            "on_replica_loss": route.policy.sessions.on_loss.as_str(),
            "timeouts": timeouts(&route.policy.timeouts),
        }),
        Resource::Wiring(wiring) => json!({
            "route": wiring.route.as_str(), "providers": wiring.providers.iter().map(provider).collect::<Vec<_>>(),
        }),
    }
}

/// What matters most of it.
pub fn line(resource: &Resource) -> String {
    match resource {
        Resource::Settings(settings) => {
            format!("sessions idle for {} s are forgotten", settings.session_idle.as_secs())
        }
        Resource::Keyring(keyring) => format!("{} keys", keyring.keys.len()),
        Resource::Revocations(all) => {
            format!("{} sessions, {} callers, {} agents", all.sessions.len(), all.callers.len(), all.agents.len())
        }
        Resource::Agent(agent) => joined([format!("version {}", agent.version), tags(&agent.tags).join(" ")]),
        Resource::Capability(capability) => {
            let tools = capability.tools.iter().map(|tool| tool.name.as_str()).collect::<Vec<_>>().join(" ");
            joined([format!("version {}", capability.version), tools])
        }
        Resource::Pool(pool) => format!("{}, {}", pool.agent, pool.balance.as_str()),
        Resource::Endpoints(endpoints) if endpoints.endpoints.is_empty() => "no endpoints".to_owned(),
        Resource::Endpoints(endpoints) => {
            let told =
                |endpoint: &Endpoint| format!("{} {} {}", endpoint.replica, endpoint.address, endpoint.state.as_str());
            endpoints.endpoints.iter().map(told).collect::<Vec<_>>().join(", ")
        }
        Resource::Route(route) => format!("→ {}, affinity {}", route.pool, route.policy.affinity.as_str()),
        Resource::Wiring(wiring) if wiring.providers.is_empty() => "no provider".to_owned(),
        Resource::Wiring(wiring) => {
            let told = |provider: &Provider| format!("{} of {}", provider.function, provider.agent);
            wiring.providers.iter().map(told).collect::<Vec<_>>().join(", ")
        }
    }
}

fn joined(parts: [String; 2]) -> String {
    parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(": ")
}

fn endpoint(endpoint: &Endpoint) -> Value {
    json!({
        "replica": endpoint.replica.as_str(), "address": endpoint.address.to_string(),
        "identity": endpoint.identity.as_ref().map(ToString::to_string),
        // Above 2^53, where JSON readers lose digits of numbers.
        "generation": endpoint.generation.0.to_string(),
        "weight": endpoint.weight, "state": endpoint.state.as_str(),
    })
}

fn provider(provider: &Provider) -> Value {
    json!({
        "agent": provider.agent.as_str(), "capability": provider.capability.as_str(), "function": &*provider.function,
        "version": provider.version.to_string(), "tags": tags(&provider.tags), "callable": provider.callable,
    })
}

fn tools(capability: &Capability) -> Vec<Value> {
    let tool = |tool: &outrigger_model::capability::Tool| {
        json!({
            "name": tool.name, "schema": tool.schema.to_string(), "read_only": tool.hints.read_only,
            "idempotent": tool.hints.idempotent, "destructive": tool.hints.destructive,
        })
    };
    capability.tools.iter().map(tool).collect()
}

fn timeouts(timeouts: &Timeouts) -> Value {
    let limits = |limits: Limits| {
        json!({
            "first_byte_ms": limits.first_byte.map(millis), "idle_ms": limits.idle.map(millis),
            "total_ms": limits.total.map(millis),
        })
    };
    json!({
        "connect_ms": millis(timeouts.connect), "quick": limits(timeouts.quick), "call": limits(timeouts.call),
        "stream": limits(timeouts.stream), "keep_alive_ms": timeouts.keep_alive.map(millis),
    })
}

fn tags(tags: &TagSet) -> Vec<&str> {
    tags.iter().map(|tag| tag.as_str()).collect()
}

fn millis(duration: std::time::Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests;
