//! Route → protobuf.

use outrigger_model::route::{Affinity, Route};

use super::field;
use crate::proto::snapshot as wire;

pub fn route(route: &Route) -> wire::Route {
    let affinity = match route.affinity {
        Affinity::Auto => wire::route::Affinity::Auto,
        Affinity::Agent => wire::route::Affinity::Agent,
        Affinity::Keys => wire::route::Affinity::Keys,
        Affinity::None => wire::route::Affinity::None,
    };
    wire::Route {
        name: route.name.to_string(),
        pool: route.pool.to_string(),
        affinity: affinity.into(),
        inspect: route.inspect,
        connect_timeout: Some(field::duration(route.timeouts.connect)),
        first_byte_timeout: Some(field::duration(route.timeouts.first_byte)),
        idle_timeout: route.timeouts.idle.map(field::duration),
    }
}
