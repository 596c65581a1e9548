//! Protobuf → route.

use std::time::Duration;

use outrigger_model::name::{PoolName, RouteName};
use outrigger_model::retries::Retries;
use outrigger_model::route::{Affinity, Limits, Route, RoutePolicy, Timeouts};
use outrigger_model::traffic::Traffic;

use super::{field, rates, retries, session_policy, traffic};
use crate::error::{DecodeError, Wrong};
use crate::proto::snapshot as wire;

pub fn route(wire: wire::Route) -> Result<Route, DecodeError> {
    let affinity = match field::choice("affinity", wire.affinity)? {
        wire::route::Affinity::Unspecified => return Err(DecodeError::field("affinity", Wrong::Missing)),
        wire::route::Affinity::Auto => Affinity::Auto,
        wire::route::Affinity::Agent => Affinity::Agent,
        wire::route::Affinity::Keys => Affinity::Keys,
        wire::route::Affinity::None => Affinity::None,
    };
    let connect = field::required("connect_timeout", wire.connect_timeout)?;
    let call = Limits {
        first_byte: limit("first_byte_timeout", wire.first_byte_timeout)?,
        idle: limit("idle_timeout", wire.idle_timeout)?,
        total: limit("total_timeout", wire.total_timeout)?,
    };
    Ok(Route {
        name: RouteName::new(&wire.name).map_err(|bad| DecodeError::field("name", bad))?,
        pool: PoolName::new(&wire.pool).map_err(|bad| DecodeError::field("pool", bad))?,
        policy: RoutePolicy {
            affinity,
            inspect: wire.inspect,
            sessions: session_policy::policy(wire.keys, wire.on_loss)?,
            timeouts: Timeouts {
                connect: field::duration("connect_timeout", connect)?,
                quick: wire.quick.map_or(Ok(call), limits).map_err(|bad| bad.inside("quick"))?,
                call,
                stream: wire.stream.map_or(Ok(call), limits).map_err(|bad| bad.inside("stream"))?,
                keep_alive: limit("keep_alive", wire.keep_alive)?,
            },
            retries: wire
                .retries
                .map_or_else(|| Ok(Retries::default()), retries::retries)
                .map_err(|bad| bad.inside("retries"))?,
            rates: rates::rates(wire.rates)?,
            traffic: wire
                .traffic
                .map_or_else(|| Ok(Traffic::default()), traffic::traffic)
                .map_err(|bad| bad.inside("traffic"))?,
        },
    })
}

fn limits(wire: wire::route::Limits) -> Result<Limits, DecodeError> {
    Ok(Limits {
        first_byte: limit("first_byte_timeout", wire.first_byte_timeout)?,
        idle: limit("idle_timeout", wire.idle_timeout)?,
        total: limit("total_timeout", wire.total_timeout)?,
    })
}

fn limit(name: &'static str, wire: Option<prost_types::Duration>) -> Result<Option<Duration>, DecodeError> {
    wire.map(|limit| field::duration(name, limit)).transpose()
}
