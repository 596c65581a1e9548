//! Clusters, assignments, the listener and the secret of an Envoy.

use std::time::Duration;

use envoy_types::pb::envoy::config::cluster::v3::cluster::LbPolicy;
use envoy_types::pb::envoy::config::core::v3::{HealthStatus, TransportSocket, transport_socket};
use envoy_types::pb::envoy::config::listener::v3::{Listener, filter};
use envoy_types::pb::envoy::extensions::filters::network::http_connection_manager::v3::HttpConnectionManager;
use envoy_types::pb::envoy::extensions::transport_sockets::tls::v3 as tls;
use outrigger_model::endpoint::EndpointState;
use outrigger_model::pool::Balance;
use prost::Message;

use super::*;
use crate::stock::dialect::Envoy;

const POOLS: [&str; 3] = ["shadow", "weather", "weather-next"];

#[test]
fn an_envoy_gets_a_cluster_and_an_assignment_per_pool_and_one_listener_with_its_routes() {
    let names = Mesh::new().names();
    assert_eq!(names[&Kind::Cluster], POOLS);
    assert_eq!((&names[&Kind::Listener], &names[&Kind::Route]), (&vec!["outrigger".into()], &vec!["outrigger".into()]));
    assert!(!names.contains_key(&Kind::Secret), "without identities there is nothing to trust");
}

#[test]
fn w9_every_cluster_has_an_assignment_even_an_empty_one() {
    let mesh = Mesh::new();
    assert_eq!(mesh.names()[&Kind::Endpoints], POOLS);
    assert_eq!(mesh.assignment("shadow").endpoints, []);
}

#[test]
fn the_same_snapshot_makes_the_same_bytes() {
    let mesh = Mesh::new().with_identities().endpoints("weather", vec![endpoint("a", 1), endpoint("b", 2)]);
    assert_eq!(mesh.drafts(), mesh.drafts());
}

#[test]
fn states_of_endpoints_are_their_health_tiers_are_priorities_without_gaps_and_zones_are_localities() {
    let state = |replica: &str, port, state, tier, zone: &str| outrigger_model::endpoint::Endpoint {
        state,
        tier,
        zone: zone.into(),
        ..endpoint(replica, port)
    };
    let endpoints = vec![
        state("a", 1, EndpointState::Up, 0, "north"),
        state("b", 2, EndpointState::Suspect, 0, "north"),
        state("c", 3, EndpointState::Draining, 5, "south"),
    ];
    let assignment = Mesh::new().endpoints("weather", endpoints).assignment("weather");
    let seen: Vec<_> = assignment
        .endpoints
        .iter()
        .map(|place| {
            let zone = place.locality.as_ref().unwrap().zone.as_str();
            let health: Vec<_> = place.lb_endpoints.iter().map(|host| host.health_status()).collect();
            (place.priority, zone, health)
        })
        .collect();
    let expected =
        [(0, "north", vec![HealthStatus::Healthy, HealthStatus::Degraded]), (1, "south", vec![HealthStatus::Draining])];
    assert_eq!(seen, expected);
    // Half of a tier must be able to take calls, which Envoy writes as a factor.
    assert_eq!(assignment.policy.unwrap().overprovisioning_factor.unwrap().value, 200);
}

#[test]
fn replicas_behind_one_address_are_left_out_and_named() {
    let mesh = Mesh::new().endpoints("weather", vec![endpoint("a", 1), endpoint("b", 1), endpoint("c", 2)]);
    let mesh = mesh.endpoints("weather-next", vec![endpoint("a", 1)]);
    let hosts =
        |pool: &str| mesh.assignment(pool).endpoints.iter().map(|place| place.lb_endpoints.len()).sum::<usize>();
    assert_eq!((hosts("weather"), hosts("weather-next")), (1, 0));
    // The same replica in two pools is one replica.
    let mesh =
        Mesh::new().endpoints("weather", vec![endpoint("a", 1)]).endpoints("weather-next", vec![endpoint("a", 1)]);
    assert_eq!(mesh.assignment("weather-next").endpoints.len(), 1);
}

#[test]
fn balance_and_slow_start_are_those_of_the_pool() {
    let policy = |balance| Mesh::new().pool(|pool| pool.balance = balance).cluster("weather").lb_policy();
    assert_eq!(policy(Balance::RoundRobin), LbPolicy::RoundRobin);
    assert_eq!(policy(Balance::LeastRequest), LbPolicy::LeastRequest);
    assert_eq!(policy(Balance::PeakEwma), LbPolicy::LeastRequest);
    assert_eq!(policy(Balance::Random), LbPolicy::Random);
    assert_eq!(policy(Balance::ConsistentHash), LbPolicy::RingHash);
    let slow = Mesh::new().pool(|pool| pool.policy.slow_start = Duration::from_secs(9)).cluster("weather");
    let Some(envoy_types::pb::envoy::config::cluster::v3::cluster::LbConfig::RoundRobinLbConfig(config)) =
        slow.lb_config
    else {
        panic!("a round robin")
    };
    assert_eq!(config.slow_start_config.unwrap().slow_start_window.unwrap().seconds, 9);
}

#[test]
fn limits_and_ejections_are_those_of_the_pool() {
    let mesh = Mesh::new().pool(|pool| {
        pool.policy.concurrency.total = Some(7);
        pool.policy.concurrency.per_endpoint = Some(3);
        pool.policy.breaker.failure_threshold = 4;
        pool.policy.outlier.first = Duration::from_secs(2);
        pool.policy.outlier.share_max_percent = 60;
    });
    let cluster = mesh.cluster("weather");
    let breakers = cluster.circuit_breakers.unwrap();
    let number = |value: &Option<envoy_types::pb::google::protobuf::UInt32Value>| value.as_ref().unwrap().value;
    assert_eq!(number(&breakers.thresholds[0].max_requests), 7);
    assert_eq!(number(&breakers.per_host_thresholds[0].max_connections), 3);
    assert_eq!(breakers.thresholds[0].retry_budget.as_ref().unwrap().budget_percent.unwrap().value, 20.0);
    let outliers = cluster.outlier_detection.unwrap();
    assert_eq!((number(&outliers.consecutive_5xx), number(&outliers.max_ejection_percent)), (4, 60));
    assert_eq!(outliers.base_ejection_time.unwrap().seconds, 2);
    let usual = Mesh::new().cluster("weather").circuit_breakers.unwrap();
    assert_eq!(number(&usual.thresholds[0].max_requests), 1_000_000, "no limit is not Envoy's 1,024");
    let never = Mesh::new().pool(|pool| pool.policy.breaker.failure_threshold = 0).cluster("weather");
    assert_eq!(number(&never.outlier_detection.unwrap().enforcing_consecutive_5xx), 0);
}

fn context(socket: &TransportSocket) -> tls::UpstreamTlsContext {
    let Some(transport_socket::ConfigType::TypedConfig(any)) = &socket.config_type else { panic!("a config") };
    assert_eq!(any.type_url, "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext");
    tls::UpstreamTlsContext::decode(any.value.as_slice()).unwrap()
}

fn validation(context: &tls::UpstreamTlsContext) -> tls::common_tls_context::CombinedCertificateValidationContext {
    match &context.common_tls_context.as_ref().unwrap().validation_context_type {
        Some(tls::common_tls_context::ValidationContextType::CombinedValidationContext(combined)) => combined.clone(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn an_endpoint_must_prove_its_own_identity_and_an_unknown_one_that_it_is_a_proxy_of_the_mesh() {
    let mut known = endpoint("a", 1);
    known.identity = Some("spiffe://mesh.example/agent/weather".parse().unwrap());
    let mesh = Mesh::new().with_identities().endpoints("weather", vec![known, endpoint("b", 2)]);
    let cluster = mesh.cluster("weather");
    let names = |socket: &TransportSocket| {
        let context = validation(&context(socket)).default_validation_context.unwrap();
        format!("{:?}", context.match_typed_subject_alt_names)
    };
    let default = names(cluster.transport_socket.as_ref().unwrap());
    for start in ["spiffe://mesh.example/agent/", "spiffe://mesh.example/node/"] {
        assert!(default.contains(&format!("Prefix({start:?})")), "{default}");
    }
    let [plain, exact] = cluster.transport_socket_matches.as_slice() else { panic!("one per identity") };
    assert!(names(exact.transport_socket.as_ref().unwrap()).contains("Exact(\"spiffe://mesh.example/agent/weather\")"));
    assert_eq!(plain.transport_socket.as_ref().unwrap().name, "envoy.transport_sockets.raw_buffer");
    let assignment = mesh.assignment("weather");
    let label = |at: usize| {
        let host = &assignment.endpoints[0].lb_endpoints[at];
        host.metadata.as_ref().unwrap().filter_metadata["envoy.transport_socket_match"].clone()
    };
    assert_eq!((Some(label(0)), Some(label(1))), (exact.r#match.clone(), plain.r#match.clone()));
}

#[test]
fn a_pool_without_endpoints_is_not_plaintext_where_the_mesh_has_identities() {
    assert!(Mesh::new().with_identities().cluster("weather").transport_socket.is_some());
    let plain = Mesh::new().endpoints("weather", vec![endpoint("a", 1)]).cluster("weather");
    assert!(plain.transport_socket.is_none() && plain.transport_socket_matches.is_empty());
}

#[test]
fn an_envoy_proves_itself_with_a_secret_of_its_bootstrap_or_of_its_file_over_tls_1_3() {
    let secret = |mesh: &Mesh| {
        let context = context(mesh.cluster("weather").transport_socket.as_ref().unwrap());
        let common = context.common_tls_context.unwrap();
        let params = common.tls_params.unwrap();
        assert_eq!(params.tls_minimum_protocol_version(), tls::tls_parameters::TlsProtocol::TlSv13);
        common.tls_certificate_sds_secret_configs[0].clone()
    };
    let mut mesh = Mesh::new().with_identities();
    assert_eq!((secret(&mesh).name.as_str(), secret(&mesh).sds_config), ("outrigger_identity", None));
    let envoy = Envoy { certificate: "own".into(), certificate_file: Some("/etc/sds.yaml".into()), ..Envoy::default() };
    mesh.dialect = Dialect::Envoy(envoy);
    assert_eq!(secret(&mesh).name, "own");
    assert!(format!("{:?}", secret(&mesh).sds_config).contains("/etc/sds.yaml"));
}

#[test]
fn whom_the_mesh_trusts_is_a_secret_without_a_key() {
    let secret: tls::Secret = Mesh::new().with_identities().read(Kind::Secret, "outrigger_trust");
    assert!(matches!(secret.r#type, Some(tls::secret::Type::ValidationContext(_))));
}

#[test]
fn the_listener_is_where_the_node_says_and_cuts_no_quiet_stream() {
    let listener: Listener = Mesh::new().listening("127.0.0.1:17200").read(Kind::Listener, "outrigger");
    assert!(format!("{:?}", listener.address).contains("17200"));
    let Some(filter::ConfigType::TypedConfig(any)) = &listener.filter_chains[0].filters[0].config_type else {
        panic!("a manager")
    };
    let manager = HttpConnectionManager::decode(any.value.as_slice()).unwrap();
    assert_eq!(manager.stream_idle_timeout.unwrap().seconds, 86_400);
    let filters: Vec<_> = manager.http_filters.iter().map(|filter| filter.name.as_str()).collect();
    assert_eq!(filters, ["envoy.filters.http.stateful_session", "envoy.filters.http.router"]);
}
