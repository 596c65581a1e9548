//! The endpoints of a pool as an assignment.
//!
//! In: a pool and its endpoints. Out: one assignment, also where there is no endpoint.
//! Tiers become priorities, which have no gaps; zones become localities.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::net::SocketAddr;

use envoy_types::pb::envoy::config::core::v3 as core;
use envoy_types::pb::envoy::config::endpoint::v3::cluster_load_assignment::Policy;
use envoy_types::pb::envoy::config::endpoint::v3::lb_endpoint::HostIdentifier;
use envoy_types::pb::envoy::config::endpoint::v3::{
    self as eds, ClusterLoadAssignment, LbEndpoint, LocalityLbEndpoints,
};
use outrigger_model::endpoint::{Endpoint, EndpointState};
use outrigger_model::pool::Pool;

use super::draft::Draft;
use super::table::Table;
use super::tls::{MATCH, label};
use crate::stock::kind::Kind;
use crate::stock::pack::{body, number};

/// What Envoy takes for the share of a tier that must be able to take calls is 100 / factor.
const FACTOR_ALL: u32 = 10_000;

/// How a client is told of an endpoint whose proxy fell silent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Suspects {
    /// It knows such a state.
    AreDegraded,
    /// It would never use one, so they are of the last priority.
    ComeLast,
}

/// Which endpoints are preferred: whether they are suspect where that comes first, then their tier.
type Rank = (bool, u8);

/// One for each pool.
pub fn assignments(table: &Table<'_>, suspects: Suspects) -> Vec<Draft> {
    let draft = |pool: &Pool| {
        let endpoints: Vec<&Endpoint> = table.endpoints(pool).collect();
        let assignment = assignment(pool, &endpoints, suspects);
        Draft { kind: Kind::Endpoints, name: pool.name.as_str().into(), body: body(&assignment), leads_to: Vec::new() }
    };
    table.pools().map(draft).collect()
}

fn assignment(pool: &Pool, endpoints: &[&Endpoint], suspects: Suspects) -> ClusterLoadAssignment {
    let rank = |endpoint: &Endpoint| {
        let is_last = suspects == Suspects::ComeLast && endpoint.state == EndpointState::Suspect;
        (is_last, endpoint.tier)
    };
    let ranks: BTreeSet<Rank> = endpoints.iter().map(|endpoint| rank(endpoint)).collect();
    let mut places: BTreeMap<(Rank, &str), Vec<&Endpoint>> = BTreeMap::new();
    for endpoint in endpoints {
        places.entry((rank(endpoint), &endpoint.zone)).or_default().push(endpoint);
    }
    let places = places.into_iter().map(|((rank, zone), endpoints)| {
        let priority = ranks.iter().take_while(|other| **other < rank).count();
        locality(u32::try_from(priority).unwrap_or_default(), zone, &endpoints, suspects)
    });
    let factor = match pool.policy.panic_percent {
        0 => FACTOR_ALL,
        percent => (FACTOR_ALL / u32::from(percent)).max(100),
    };
    let policy = Policy { overprovisioning_factor: number(factor), ..Default::default() };
    ClusterLoadAssignment {
        cluster_name: pool.name.to_string(),
        endpoints: places.collect(),
        policy: (suspects == Suspects::AreDegraded).then_some(policy),
        ..Default::default()
    }
}

fn locality(priority: u32, zone: &str, endpoints: &[&Endpoint], suspects: Suspects) -> LocalityLbEndpoints {
    let weight: u32 = endpoints.iter().map(|endpoint| u32::from(endpoint.weight)).sum();
    LocalityLbEndpoints {
        locality: Some(core::Locality { zone: zone.to_owned(), ..Default::default() }),
        lb_endpoints: endpoints.iter().map(|endpoint| host(endpoint, suspects)).collect(),
        load_balancing_weight: number(weight),
        priority,
        ..Default::default()
    }
}

fn host(endpoint: &Endpoint, suspects: Suspects) -> LbEndpoint {
    let health = match endpoint.state {
        EndpointState::Up => core::HealthStatus::Healthy,
        EndpointState::Suspect if suspects == Suspects::AreDegraded => core::HealthStatus::Degraded,
        EndpointState::Suspect => core::HealthStatus::Healthy,
        EndpointState::Draining => core::HealthStatus::Draining,
    };
    let is_matched = suspects == Suspects::AreDegraded;
    let metadata =
        core::Metadata { filter_metadata: HashMap::from([(MATCH.to_owned(), label(endpoint))]), ..Default::default() };
    LbEndpoint {
        health_status: health.into(),
        load_balancing_weight: number(endpoint.weight.into()),
        host_identifier: Some(HostIdentifier::Endpoint(eds::Endpoint {
            address: Some(address(endpoint.address)),
            ..Default::default()
        })),
        metadata: is_matched.then_some(metadata),
    }
}

pub fn address(at: SocketAddr) -> core::Address {
    let socket = core::SocketAddress {
        address: at.ip().to_string(),
        port_specifier: Some(core::socket_address::PortSpecifier::PortValue(at.port().into())),
        ..Default::default()
    };
    core::Address { address: Some(core::address::Address::SocketAddress(socket)) }
}
