//! Settings and world as JSON for operators.
//!
//! In: what runs. Out: values to print. Invariant: what is secret in settings is left out here, once for all answers.

use std::time::{Duration, Instant, SystemTime};

use outrigger_model::route::{Limits, Timeouts};
use outrigger_proxy_core::world::endpoint::{Endpoint, Place, Pool, Route};
use outrigger_proxy_core::world::table::World;
use serde_json::{Value, json};

use crate::config::Settings;
use crate::config::settings::{AgentSettings, IdentitySource};
use crate::snapshot::join::Applied;

/// `/config_dump`
pub(super) fn config(settings: &Settings, applied: Option<&Applied>, world: &World) -> Value {
    json!({
        "settings": settings_value(settings),
        "snapshot": applied.map(applied_value),
        "world": {
            "serial": world.serial().map(|serial| serial.0),
            "session_idle_seconds": world.settings().session_idle.as_secs(),
            "routes": world.routes().into_iter().map(|route| route_value(route)).collect::<Vec<_>>(),
            "pools": world.pools().into_iter().map(|pool| pool_value(pool)).collect::<Vec<_>>(),
        },
    })
}

/// `/clusters`
pub(super) fn clusters(world: &World, now: Instant) -> Value {
    let items = world.pools().into_iter().map(|pool| {
        let endpoints: Vec<Value> = pool.endpoints.iter().map(|endpoint| endpoint_value(endpoint, now)).collect();
        json!({
            "pool": pool.name.as_str(),
            "agent": pool.agent.as_str(),
            "balance": pool.balance.as_str(),
            "endpoints": endpoints,
        })
    });
    json!({ "serial": world.serial().map(|serial| serial.0), "items": items.collect::<Vec<_>>() })
}

fn settings_value(settings: &Settings) -> Value {
    json!({
        "node": settings.node.as_str(),
        "agents": settings.agents.iter().map(agent_value).collect::<Vec<_>>(),
        "needs": settings.needs.iter().map(ToString::to_string).collect::<Vec<_>>(),
        "listen": {
            "outbound": settings.listen.outbound.to_string(),
            "inbound": settings.listen.inbound.to_string(),
            "admin": settings.listen.admin.to_string(),
            "health": settings.listen.health.to_string(),
        },
        "advertise": settings.advertise.map(|address| address.to_string()),
        "control": settings.control,
        "identity": identity_value(&settings.identity),
        "insecure": settings.insecure,
        "sessions": {
            // Shown without user and password.
            "redis": settings.sessions.redis.as_ref().map(ToString::to_string),
            "key_prefix": settings.sessions.key_prefix,
            "entries_max": settings.sessions.entries_max,
            "redis_timeout_ms": milliseconds(settings.sessions.redis_timeout),
        },
        "snapshot_file": settings.snapshot_file.as_ref().map(|path| path.display().to_string()),
        "limits": {
            "body_bytes_max": settings.limits.body_bytes_max,
            "header_bytes_max": settings.limits.header_bytes_max,
            "connections_max": settings.limits.connections_max,
            "head_ms": milliseconds(settings.limits.head_time),
            "body_grace_ms": milliseconds(settings.limits.body_grace),
            "body_bytes_per_second_min": settings.limits.body_bytes_per_second_min,
        },
        "aggregate": {
            "page_size": settings.aggregate.page_size,
            "refresh_ms": milliseconds(settings.aggregate.refresh),
            "deadline_ms": milliseconds(settings.aggregate.deadline),
        },
        "allowed_hosts": settings.allowed_hosts,
        "allowed_origins": settings.allowed_origins,
        "drain_grace_ms": milliseconds(settings.drain.grace),
        "threads": settings.threads,
    })
}

fn agent_value(agent: &AgentSettings) -> Value {
    let capabilities = agent.capabilities.iter().map(|capability| {
        json!({
            "name": capability.name.as_str(),
            "version": capability.version.to_string(),
            "tags": capability.tags.iter().map(|tag| tag.as_str()).collect::<Vec<_>>(),
            "tools": capability.tools,
        })
    });
    json!({
        "name": agent.name.as_str(),
        "url": agent.url.to_string(),
        "replica": agent.replica.as_str(),
        "version": agent.version.to_string(),
        "tags": agent.tags.iter().map(|tag| tag.as_str()).collect::<Vec<_>>(),
        "weight": agent.weight,
        "capabilities": capabilities.collect::<Vec<_>>(),
        "probe": { "interval_ms": milliseconds(agent.probe.interval), "timeout_ms": milliseconds(agent.probe.timeout) },
    })
}

fn identity_value(identity: &IdentitySource) -> Value {
    match identity {
        IdentitySource::None => Value::Null,
        IdentitySource::Files { certificate, key, authority } => json!({
            "certificate": certificate.display().to_string(),
            "key": key.display().to_string(),
            "authority": authority.display().to_string(),
        }),
        IdentitySource::Material(material) => json!({ "id": material.id().to_string() }),
    }
}

fn applied_value(applied: &Applied) -> Value {
    json!({
        "epoch": applied.epoch.to_string(),
        "serial": applied.serial.0,
        "digest": applied.digest.to_string(),
        "made_at_unix": applied.made_at.duration_since(SystemTime::UNIX_EPOCH).map_or(0, |since| since.as_secs()),
        "reason": applied.reason,
        "source": if applied.from_control { "control" } else { "file" },
    })
}

fn route_value(route: &Route) -> Value {
    json!({
        "name": route.name.as_str(),
        "pool": route.pool.name.as_str(),
        "affinity": route.policy.affinity.as_str(),
        "inspect": route.policy.inspect,
        "keys": route.policy.sessions.keys.iter().map(ToString::to_string).collect::<Vec<_>>(),
        "on_replica_loss": route.policy.sessions.on_loss.as_str(),
        "timeouts": timeouts_value(&route.policy.timeouts),
    })
}

fn timeouts_value(timeouts: &Timeouts) -> Value {
    let limits = |limits: Limits| {
        json!({
            "first_byte_ms": limits.first_byte.map(milliseconds),
            "idle_ms": limits.idle.map(milliseconds),
            "total_ms": limits.total.map(milliseconds),
        })
    };
    json!({
        "connect_ms": milliseconds(timeouts.connect),
        "quick": limits(timeouts.quick),
        "call": limits(timeouts.call),
        "stream": limits(timeouts.stream),
        "keep_alive_ms": timeouts.keep_alive.map(milliseconds),
    })
}

fn pool_value(pool: &Pool) -> Value {
    json!({
        "name": pool.name.as_str(),
        "agent": pool.agent.as_str(),
        "balance": pool.balance.as_str(),
        "replicas": pool.endpoints.iter().map(|endpoint| endpoint.replica.as_str()).collect::<Vec<_>>(),
    })
}

fn endpoint_value(endpoint: &Endpoint, now: Instant) -> Value {
    let (address, identity) = match &endpoint.place {
        Place::Peer { address, identity } => (address.to_string(), identity.as_ref().map(ToString::to_string)),
        Place::Own { upstream } => (upstream.to_string(), None),
    };
    let failing = endpoint.live.failing_since().map(|since| milliseconds(now.saturating_duration_since(since)));
    json!({
        "replica": endpoint.replica.as_str(),
        "address": address,
        "identity": identity,
        "own": endpoint.is_own(),
        "generation": endpoint.generation.0,
        "weight": endpoint.weight,
        "state": endpoint.state.as_str(),
        "in_flight": endpoint.live.in_flight(),
        "ejected": endpoint.live.is_ejected(now),
        "failing_for_ms": failing,
    })
}

fn milliseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
