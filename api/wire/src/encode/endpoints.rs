//! Endpoints of a pool → protobuf.

use outrigger_model::endpoint::{Endpoint, EndpointState};
use outrigger_model::pool::Endpoints;

use crate::proto::snapshot as wire;

pub fn endpoints(endpoints: &Endpoints) -> wire::Endpoints {
    wire::Endpoints { pool: endpoints.pool.to_string(), endpoints: endpoints.endpoints.iter().map(endpoint).collect() }
}

fn endpoint(endpoint: &Endpoint) -> wire::endpoints::Endpoint {
    let state = match endpoint.state {
        EndpointState::Up => wire::endpoints::State::Up,
        EndpointState::Suspect => wire::endpoints::State::Suspect,
        EndpointState::Draining => wire::endpoints::State::Draining,
    };
    wire::endpoints::Endpoint {
        replica: endpoint.replica.to_string(),
        address: endpoint.address.to_string(),
        identity: endpoint.identity.as_ref().map(ToString::to_string).unwrap_or_default(),
        generation: endpoint.generation.0,
        weight: endpoint.weight.into(),
        state: state.into(),
        tier: endpoint.tier.into(),
        zone: endpoint.zone.clone(),
        tool: endpoint.tool.clone(),
    }
}
