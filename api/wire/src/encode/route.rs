//! Route → protobuf.

use outrigger_model::route::{Affinity, Limits, Route};

use super::{field, rates, retries, session_policy, traffic};
use crate::proto::snapshot as wire;

pub fn route(route: &Route) -> wire::Route {
    let policy = &route.policy;
    let affinity = match policy.affinity {
        Affinity::Auto => wire::route::Affinity::Auto,
        Affinity::Agent => wire::route::Affinity::Agent,
        Affinity::Keys => wire::route::Affinity::Keys,
        Affinity::None => wire::route::Affinity::None,
    };
    let timeouts = &policy.timeouts;
    wire::Route {
        name: route.name.to_string(),
        pool: route.pool.to_string(),
        affinity: affinity.into(),
        inspect: policy.inspect,
        connect_timeout: Some(field::duration(timeouts.connect)),
        first_byte_timeout: timeouts.call.first_byte.map(field::duration),
        idle_timeout: timeouts.call.idle.map(field::duration),
        total_timeout: timeouts.call.total.map(field::duration),
        quick: Some(limits(timeouts.quick)),
        stream: Some(limits(timeouts.stream)),
        keep_alive: timeouts.keep_alive.map(field::duration),
        keys: policy.sessions.keys.iter().map(session_policy::key).collect(),
        on_loss: session_policy::on_loss(policy.sessions.on_loss).into(),
        retries: Some(retries::retries(&policy.retries)),
        rates: policy.rates.iter().map(rates::rate).collect(),
        traffic: Some(traffic::traffic(&policy.traffic)),
    }
}

fn limits(limits: Limits) -> wire::route::Limits {
    wire::route::Limits {
        first_byte_timeout: limits.first_byte.map(field::duration),
        idle_timeout: limits.idle.map(field::duration),
        total_timeout: limits.total.map(field::duration),
    }
}
