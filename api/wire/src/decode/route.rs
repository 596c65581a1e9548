//! Protobuf → route.

use outrigger_model::name::{PoolName, RouteName};
use outrigger_model::route::{Affinity, Route, Timeouts};

use super::field;
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
    let first_byte = field::required("first_byte_timeout", wire.first_byte_timeout)?;
    Ok(Route {
        name: RouteName::new(&wire.name).map_err(|bad| DecodeError::field("name", bad))?,
        pool: PoolName::new(&wire.pool).map_err(|bad| DecodeError::field("pool", bad))?,
        affinity,
        inspect: wire.inspect,
        timeouts: Timeouts {
            connect: field::duration("connect_timeout", connect)?,
            first_byte: field::duration("first_byte_timeout", first_byte)?,
            idle: wire.idle_timeout.map(|idle| field::duration("idle_timeout", idle)).transpose()?,
        },
    })
}
