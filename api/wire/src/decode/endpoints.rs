//! Protobuf → endpoints of a pool.

use outrigger_model::capability::TOOL_NAME_BYTES_MAX;
use outrigger_model::endpoint::{Endpoint, EndpointState, TIER_MAX};
use outrigger_model::name::{PoolName, ReplicaId};
use outrigger_model::pool::Endpoints;
use outrigger_model::replica::Generation;

use super::field;
use crate::error::{DecodeError, Wrong};
use crate::limit::ENDPOINTS_MAX;
use crate::proto::snapshot as wire;

pub fn endpoints(wire: wire::Endpoints) -> Result<Endpoints, DecodeError> {
    field::count("endpoints", wire.endpoints.len(), ENDPOINTS_MAX)?;
    let endpoints = wire.endpoints.into_iter().enumerate();
    let endpoints = endpoints.map(|(at, wire)| endpoint(&wire).map_err(|bad| bad.inside_item("endpoints", at)));
    let mut endpoints = endpoints.collect::<Result<Vec<_>, _>>()?;
    endpoints.sort_unstable_by(|one, other| one.replica.cmp(&other.replica));
    if let Some(replica) = field::twice(&endpoints, |endpoint| &endpoint.replica) {
        return Err(DecodeError::field("endpoints", Wrong::Twice(replica.to_string())));
    }
    Ok(Endpoints { pool: PoolName::new(&wire.pool).map_err(|bad| DecodeError::field("pool", bad))?, endpoints })
}

fn endpoint(wire: &wire::endpoints::Endpoint) -> Result<Endpoint, DecodeError> {
    let state = match field::choice("state", wire.state)? {
        wire::endpoints::State::Unspecified => return Err(DecodeError::field("state", Wrong::Missing)),
        wire::endpoints::State::Up => EndpointState::Up,
        wire::endpoints::State::Suspect => EndpointState::Suspect,
        wire::endpoints::State::Draining => EndpointState::Draining,
    };
    Ok(Endpoint {
        replica: ReplicaId::new(&wire.replica).map_err(|bad| DecodeError::field("replica", bad))?,
        address: field::address("address", &wire.address)?,
        identity: field::identity("identity", &wire.identity)?,
        generation: Generation(wire.generation),
        weight: field::weight("weight", wire.weight)?,
        state,
        tier: field::small("tier", wire.tier, 0, TIER_MAX)?,
        zone: field::zone("zone", &wire.zone)?,
        tool: tool(&wire.tool)?,
    })
}

fn tool(text: &str) -> Result<String, DecodeError> {
    if text.len() > TOOL_NAME_BYTES_MAX {
        return Err(DecodeError::field("tool", Wrong::Large { bytes: text.len(), max: TOOL_NAME_BYTES_MAX }));
    }
    Ok(text.to_owned())
}
