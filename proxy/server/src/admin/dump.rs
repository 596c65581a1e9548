//! Settings and world as JSON for operators.
//!
//! In: what runs. Out: values to print. Invariant: what is secret in settings is left out here, once for all answers.

use std::sync::atomic::Ordering;
use std::time::{Duration, Instant, SystemTime};

use outrigger_model::pool::policy::PoolPolicy;
use outrigger_model::retries::Retries;
use outrigger_model::route::{Limits, Timeouts};
use outrigger_proxy_core::health::circuit::State;
use outrigger_proxy_core::world::endpoint::{Endpoint, Place, Pool, Route, Shaping};
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
            "repetitions_left": repetitions_left(world, pool, now),
            "waiting": pool.live.crowd.load(Ordering::Relaxed),
            "inside": pool.live.room.inside(),
            "policy": policy_value(&pool.policy),
            "endpoints": endpoints,
        })
    });
    json!({ "serial": world.serial().map(|serial| serial.0), "items": items.collect::<Vec<_>>() })
}

fn settings_value(settings: &Settings) -> Value {
    json!({
        "node": settings.node.as_str(),
        "zone": settings.zone,
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
        "facade": settings.facade.as_ref().map(|facade| {
            let hosts = facade.allow_hosts.iter().map(ToString::to_string);
            json!({ "agents_max": facade.agents_max, "allow_hosts": hosts.collect::<Vec<_>>() })
        }),
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
        "zone": agent.zone,
        "capabilities": capabilities.collect::<Vec<_>>(),
        "probe": {
            "kind": agent.probe.check.kind(),
            "interval_ms": milliseconds(agent.probe.interval),
            "timeout_ms": milliseconds(agent.probe.timeout),
            "unhealthy_after": agent.probe.unhealthy_after,
            "healthy_after": agent.probe.healthy_after,
        },
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
        "traffic": route.shaping.as_ref().map(|shaping| traffic_value(shaping)),
        "retries": retries_value(&route.policy.retries, &route.hinted),
    })
}

pub(super) fn traffic_value(shaping: &Shaping) -> Value {
    let branches = shaping.branches.iter().map(|branch| {
        let shares =
            branch.shares.iter().map(|share| json!({"pool": share.pool.name.as_str(), "weight": share.weight}));
        json!({
            "headers": branch.when.headers.iter().map(|(name, value)| format!("{name}: {value}")).collect::<Vec<_>>(),
            "callers": branch.when.callers,
            "shares": shares.collect::<Vec<_>>(),
        })
    });
    let names = |written: &[(String, String)]| written.iter().map(|(name, _)| name.clone()).collect::<Vec<_>>();
    json!({
        "branches": branches.collect::<Vec<_>>(),
        "mirror": shaping.mirror.as_ref().map(|it| json!({"pool": it.pool.name.as_str(), "percent": it.percent})),
        "faults": shaping.faults.map(|faults| json!({
            "percent": faults.percent, "delay_ms": faults.delay.map(milliseconds), "status": faults.status,
        })),
        // Values may be secrets.
        "headers": shaping.edits.as_ref().map(|edits| json!({
            "set": names(&edits.set), "add": names(&edits.add), "remove": edits.remove,
        })),
    })
}

/// How many calls of the pool could be sent again now, by the first route that leads to it.
fn repetitions_left(world: &World, pool: &Pool, now: Instant) -> Option<u64> {
    let route = world.routes().into_iter().find(|route| route.pool.name == pool.name)?;
    Some(pool.live.retries().left(route.policy.retries.budget, now))
}

/// `hinted` are the tools that may run twice because their agent says so and is trusted.
fn retries_value(retries: &Retries, hinted: &[String]) -> Value {
    json!({
        "attempts": retries.attempts,
        "per_try_ms": retries.per_try.map(milliseconds),
        "backoff_ms": milliseconds(retries.backoff.first),
        "backoff_max_ms": milliseconds(retries.backoff.longest),
        "budget_percent": retries.budget.percent,
        "budget_per_second_min": retries.budget.per_second_min,
        "tools": retries.tools.iter().map(|pattern| pattern.as_str()).collect::<Vec<_>>(),
        "trust_hints": retries.trust_hints,
        "hinted_tools": hinted,
        "hedge_after_ms": retries.hedge_after.map(milliseconds),
        "body_bytes_max": retries.body_bytes_max,
    })
}

fn timeouts_value(timeouts: &Timeouts) -> Value {
    json!({
        "connect_ms": milliseconds(timeouts.connect),
        "quick": limits_value(timeouts.quick),
        "call": limits_value(timeouts.call),
        "stream": limits_value(timeouts.stream),
        "keep_alive_ms": timeouts.keep_alive.map(milliseconds),
    })
}

pub(super) fn limits_value(limits: Limits) -> Value {
    json!({
        "first_byte_ms": limits.first_byte.map(milliseconds),
        "idle_ms": limits.idle.map(milliseconds),
        "total_ms": limits.total.map(milliseconds),
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

pub(super) fn endpoint_value(endpoint: &Endpoint, now: Instant) -> Value {
    let (address, identity) = match &endpoint.place {
        Place::Peer { address, identity } => (address.to_string(), identity.as_ref().map(ToString::to_string)),
        Place::Own { upstream } => (upstream.to_string(), None),
    };
    let failing = endpoint.live.failing_since().map(|since| milliseconds(now.saturating_duration_since(since)));
    let (circuit, left) = match endpoint.live.circuit_state(now) {
        State::Closed => ("closed", None),
        State::Open(left) => ("open", Some(left)),
        State::HalfOpen => ("half_open", None),
    };
    json!({
        "replica": endpoint.replica.as_str(),
        "address": address,
        "identity": identity,
        "own": endpoint.is_own(),
        "generation": endpoint.generation.0,
        "weight": endpoint.weight,
        "state": endpoint.state.as_str(),
        "tier": endpoint.tier,
        "zone": endpoint.zone,
        "in_flight": endpoint.live.in_flight(),
        "streams": endpoint.live.streams(),
        "inside": endpoint.live.room.inside(),
        "waiting": endpoint.live.room.waiting(),
        "ejected": endpoint.live.is_ejected(now),
        "ejected_for_ms": endpoint.live.ejected_for(now).map(milliseconds),
        "failing_for_ms": failing,
        "circuit": circuit,
        "circuit_open_for_ms": left.map(milliseconds),
        "tools_put_aside": endpoint.live.tools.avoided(now),
        "latency_us": endpoint.live.latency(now).round(),
    })
}

pub(super) fn policy_value(policy: &PoolPolicy) -> Value {
    let PoolPolicy { slow_start, panic_percent, prefer_zone, outlier, breaker, concurrency, rates: _ } = policy;
    json!({
        "slow_start_ms": milliseconds(*slow_start),
        "panic_percent": panic_percent,
        "prefer_zone": prefer_zone,
        "outlier": {
            "first_ms": milliseconds(outlier.first),
            "longest_ms": milliseconds(outlier.longest),
            "share_max_percent": outlier.share_max_percent,
            "tool_errors": outlier.tool_errors,
        },
        "breaker": {
            "failure_threshold": breaker.failure_threshold,
            "recovery_ms": milliseconds(breaker.recovery),
        },
        "concurrency": {
            "per_endpoint": concurrency.per_endpoint,
            "total": concurrency.total,
            "queue": concurrency.queue,
            "queue_wait_ms": milliseconds(concurrency.queue_wait),
        },
    })
}

pub(super) fn milliseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
