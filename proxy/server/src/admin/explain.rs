//! `GET /explain?name=&method=&tool=&header=NAME:VALUE`: where such a call would go now, and why.
//!
//! In: a call as an operator describes it, the world, what memory holds. Out: the decision as JSON.
//! Never here: decisions; they are the core's. Values of headers that the proxy sets.
//! Invariant: nothing that calls go by is changed by asking.

use std::sync::Arc;
use std::time::Instant;

use axum::http::StatusCode;
use outrigger_model::rate::RateLimit;
use outrigger_model::retries::Retries;
use outrigger_model::route::TimeClass;
use outrigger_proxy_core::balance::preview::Missed;
use outrigger_proxy_core::balance::tried::Tried;
use outrigger_proxy_core::explain::{Explanation, Prospect, Question, explain};
use outrigger_proxy_core::limit::meter::{Meter, Scope, Who};
use outrigger_proxy_core::mcp::facts::Caller;
use outrigger_proxy_core::plan::{Dest, Plan, Rung};
use outrigger_proxy_core::refusal::Refusal;
use outrigger_proxy_core::session::bind::Binding;
use outrigger_proxy_core::session::key::SessionKey;
use outrigger_proxy_core::world::table::World;
use serde_json::{Map, Value, json};

use crate::catalog::message::Message;
use crate::catalog::object::raw;

use super::dump::{endpoint_value, limits_value, milliseconds, policy_value, traffic_value};

/// The status and what is told.
pub(super) type Told = (StatusCode, Value);

/// A call as its query describes it.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Asked {
    name: String,
    method: String,
    tool: Option<String>,
    headers: Vec<(String, String)>,
}

pub(super) fn asked(pairs: Vec<(String, String)>) -> Result<Asked, Told> {
    let mut asked = Asked::default();
    for (key, value) in pairs {
        match key.as_str() {
            "name" => asked.name = value,
            "method" => asked.method = value,
            "tool" => asked.tool = Some(value),
            "header" => match value.split_once(':') {
                Some((name, value)) => asked.headers.push((name.trim().to_owned(), value.trim().to_owned())),
                None => return Err(bad("a header is written NAME:VALUE")),
            },
            _ => return Err(bad("the keys are name, method, tool and header")),
        }
    }
    match asked.name.is_empty() || asked.method.is_empty() {
        true => Err(bad("`name` and `method` are needed")),
        false => Ok(asked),
    }
}

pub(super) fn tell(
    world: &World,
    asked: &Asked,
    caller: &Caller,
    held: &[(SessionKey, Arc<Binding>)],
    now: Instant,
) -> Told {
    let body = body(asked);
    let Asked { name, method, tool, headers } = asked;
    let question = Question { name, method, tool: tool.as_deref(), headers, body: body.as_bytes(), caller };
    let known = |key: &SessionKey| held.iter().find(|(known, _)| known == key).map(|(_, binding)| Arc::clone(binding));
    match explain(world, question, known, now) {
        Ok(told) => (StatusCode::OK, value(world, &told, asked, caller, now)),
        Err(refusal) => {
            let unknown = matches!(refusal, Refusal::NoRoute { .. });
            let status = if unknown { StatusCode::NOT_FOUND } else { StatusCode::BAD_REQUEST };
            (status, json!({ "detail": refusal.detail(), "hint": refusal.hint() }))
        }
    }
}

fn bad(detail: &str) -> Told {
    let hint = "write /explain?name=weather&method=tools/call&tool=get_forecast&header=NAME:VALUE";
    (StatusCode::BAD_REQUEST, json!({ "detail": detail, "hint": hint }))
}

/// The message that such a call has.
fn body(asked: &Asked) -> String {
    let mut params = Map::new();
    let key = match asked.method.as_str() {
        "resources/read" => "uri",
        method if method.starts_with("tasks/") => "taskId",
        _ => "name",
    };
    if let Some(tool) = &asked.tool {
        params.insert(key.to_owned(), tool.as_str().into());
    }
    Message::Request { id: raw(&1), method: asked.method.clone(), params: Some(raw(&Value::Object(params))) }.write()
}

fn value(world: &World, told: &Explanation, asked: &Asked, caller: &Caller, now: Instant) -> Value {
    let plan = told.plan.as_ref().ok();
    let is_route = world.route(&asked.name).is_some();
    let kind = match told.aim.dest() {
        Dest::Replica(_) => "replica",
        Dest::Route(_) if is_route => "route",
        Dest::Route(_) => "agent",
    };
    let route = told.route();
    json!({
        "name": asked.name,
        "method": asked.method,
        "tool": asked.tool,
        "caller": caller.as_str(),
        "matched": kind,
        "era": told.era.map(|era| format!("{era:?}").to_lowercase()),
        "row": told.aim.row().number,
        "affinity": route.map(|route| route.policy.affinity.as_str()),
        "keys": told.aim.keys().iter().map(|carried| carried.kind.as_str()).collect::<Vec<_>>(),
        "rung": plan.map(|plan| plan.rung().label()),
        "rung_means": plan.map(|plan| rung_means(plan.rung())),
        "held_at": told.only.as_ref().map(|endpoint| endpoint.replica.as_str()),
        "refusal": told.plan.as_ref().err().map(|refusal| json!({
            "reason": refusal.label(), "detail": refusal.detail(), "hint": refusal.hint(),
        })),
        "retries": retries(told, plan, now),
        "times": plan.map(times),
        "branch": told.branch.as_ref().map(|when| json!({
            "headers": when.headers.iter().map(|(name, value)| format!("{name}: {value}")).collect::<Vec<_>>(),
            "callers": when.callers,
        })),
        "traffic": route.and_then(|route| route.shaping.as_ref()).map(|shaping| traffic_value(shaping)),
        "priority": route.map(|route| route.policy.traffic.priority.as_str()),
        "rates": rates(told),
        "pools": told.prospects.iter().map(|prospect| pool(told, prospect, now)).collect::<Vec<_>>(),
    })
}

const fn rung_means(rung: Rung) -> &'static str {
    match rung {
        Rung::Key(_) => "a key leads to the replica that holds it",
        Rung::Named => "its target names the replica",
        Rung::Agent => "it goes where the calls of its caller go",
        Rung::Balance => "the balance of the pool chooses",
    }
}

fn retries(told: &Explanation, plan: Option<&Plan>, now: Instant) -> Value {
    let retries = told.route().map_or_else(Retries::default, |route| route.policy.retries.clone());
    let nothing = Tried::default();
    json!({
        "class": told.aim.retry().as_str(),
        "may_run_twice": told.repeats.may(),
        "why": told.repeats.why(),
        "attempts": told.attempts,
        "per_try_ms": plan.and_then(|plan| plan.per_try(&nothing, now)).map(milliseconds),
        "hedge_after_ms": plan.and_then(|plan| plan.hedge_after(&nothing, now)).map(milliseconds),
        "backoff_ms": milliseconds(retries.backoff.first),
        "backoff_max_ms": milliseconds(retries.backoff.longest),
        "body_bytes_max": retries.body_bytes_max,
    })
}

fn times(plan: &Plan) -> Value {
    let timeouts = plan.timeouts();
    let class = match plan.time_class() {
        TimeClass::Quick => "quick",
        TimeClass::Call => "call",
        TimeClass::Stream => "stream",
    };
    json!({
        "class": class,
        "connect_ms": milliseconds(timeouts.connect),
        "limits": limits_value(timeouts.of(plan.time_class())),
        "keep_alive_ms": timeouts.keep_alive.map(milliseconds),
    })
}

/// The limits that the call counts at; how much of them is used only a call finds out.
fn rates(told: &Explanation) -> Vec<String> {
    let who = Who { caller: "", agent: "", tool: "" };
    let of = |scope, rates: &[RateLimit]| {
        let about = rates.iter().enumerate().filter(|(_, rate)| told.subject.is_of(rate));
        about.map(|(at, rate)| Meter { scope, at, rate, who }.to_string()).collect::<Vec<_>>()
    };
    let route = told.route().map(|route| of(Scope::Route(route.name.as_str()), &route.policy.rates));
    let pools = told.prospects.iter().map(|it| of(Scope::Pool(it.pool.agent.as_str()), &it.pool.policy.rates));
    let mut told: Vec<String> = route.into_iter().chain(pools).flatten().collect();
    told.dedup();
    told
}

fn pool(told: &Explanation, prospect: &Prospect, now: Instant) -> Value {
    let Prospect { pool, weight, is_chosen, preview } = prospect;
    let budget = told.route().map(|route| route.policy.retries.budget);
    let endpoints = pool.endpoints.iter().enumerate().map(|(at, endpoint)| {
        let turn = preview.as_ref().and_then(|seen| {
            seen.order.iter().position(|other| other.replica == endpoint.replica).map(|before| before + 1)
        });
        let why = match (preview, &told.only) {
            (Some(seen), _) => seen.passed.get(at).copied().flatten().map(|passed| passed.as_str()),
            (None, Some(only)) if only.replica == endpoint.replica => None,
            (None, Some(_)) => Some("the call is held elsewhere"),
            (None, None) => Some("the call is refused"),
        };
        let held = told.only.as_ref().is_some_and(|only| only.replica == endpoint.replica).then_some(1);
        let mut value = endpoint_value(endpoint, now);
        if let Value::Object(fields) = &mut value {
            fields.insert("order".to_owned(), json!(turn.or(held)));
            fields.insert("passed_over".to_owned(), json!(why));
        }
        value
    });
    let missed = preview.as_ref().and_then(|seen| seen.missed).map(|missed| match missed {
        Missed::Nothing => "no endpoint takes calls".to_owned(),
        Missed::Open(left) => format!("all circuits are open, the first for {} ms", milliseconds(left)),
    });
    json!({
        "pool": pool.name.as_str(),
        "agent": pool.agent.as_str(),
        "balance": pool.balance.as_str(),
        "weight": weight,
        "chosen": is_chosen,
        "repetitions_left": budget.map(|budget| pool.live.retries().left(budget, now)),
        "waiting": pool.live.crowd.load(std::sync::atomic::Ordering::Relaxed),
        "inside": pool.live.room.inside(),
        "policy": policy_value(&pool.policy),
        "panic": preview.as_ref().is_some_and(|seen| seen.panic),
        "missed": missed,
        "endpoints": endpoints.collect::<Vec<_>>(),
    })
}

#[cfg(test)]
mod tests;
