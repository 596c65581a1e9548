//! What a gRPC client is told.

use envoy_types::pb::envoy::config::cluster::v3::cluster::LbPolicy;
use envoy_types::pb::envoy::config::core::v3::HealthStatus;
use envoy_types::pb::envoy::config::listener::v3::Listener;
use envoy_types::pb::envoy::config::route::v3::RouteConfiguration;
use envoy_types::pb::envoy::extensions::filters::network::http_connection_manager::v3::{
    HttpConnectionManager, http_connection_manager::RouteSpecifier,
};
use outrigger_model::endpoint::{Endpoint, EndpointState};
use prost::Message;

use super::*;

#[test]
fn a_route_is_a_target_with_routes_of_its_own() {
    let mesh = Mesh::grpc();
    let names = mesh.names();
    assert_eq!((&names[&Kind::Listener], &names[&Kind::Route]), (&vec!["shop".into()], &vec!["shop".into()]));
    let listener: Listener = mesh.read(Kind::Listener, "shop");
    let any = listener.api_listener.unwrap().api_listener.unwrap();
    let manager = HttpConnectionManager::decode(any.value.as_slice()).unwrap();
    let Some(RouteSpecifier::Rds(rds)) = manager.route_specifier else { panic!("RDS") };
    assert_eq!(rds.route_config_name, "shop");
    assert_eq!(manager.http_filters.last().unwrap().name, "envoy.filters.http.router", "gRPC insists on it");
    let routes: RouteConfiguration = mesh.read(Kind::Route, "shop");
    assert_eq!(routes.virtual_hosts[0].domains, ["*"]);
    assert_eq!(mesh.draft(Kind::Route, "shop").leads_to, ["weather".into()]);
}

#[test]
fn clusters_are_round_robin_and_have_an_assignment() {
    let mesh = Mesh::grpc();
    assert_eq!(mesh.cluster("weather").lb_policy(), LbPolicy::RoundRobin);
    assert_eq!(mesh.names()[&Kind::Endpoints], ["shadow", "weather", "weather-next"]);
}

/// gRPC never uses an endpoint that is degraded, and refuses a locality without name or weight.
#[test]
fn suspects_come_last_and_are_not_lost() {
    let suspect = Endpoint { state: EndpointState::Suspect, ..endpoint("b", 2) };
    let mesh = Mesh::grpc().endpoints("weather", vec![endpoint("a", 1), suspect.clone()]);
    let places = mesh.assignment("weather").endpoints;
    let seen: Vec<_> = places.iter().map(|place| (place.priority, place.lb_endpoints[0].health_status())).collect();
    assert_eq!(seen, [(0, HealthStatus::Healthy), (1, HealthStatus::Healthy)]);
    assert!(places.iter().all(|place| place.locality.is_some() && place.load_balancing_weight.unwrap().value > 0));
    let alone = Mesh::grpc().endpoints("weather", vec![suspect]).assignment("weather").endpoints;
    assert_eq!(alone[0].priority, 0, "priorities have no gap");
}
