//! The one listener of an Envoy: MCP for whoever reaches it, routed by what comes over the same stream.
//!
//! In: where it listens. Out: a listener.
//! Invariant: nothing cuts a stream that says something once a day.

use std::time::Duration;

use envoy_types::pb::envoy::config::core::v3::{TrafficDirection, TypedExtensionConfig};
use envoy_types::pb::envoy::config::listener::v3::{Filter, FilterChain, Listener, filter};
use envoy_types::pb::envoy::extensions::filters::http::stateful_session::v3::StatefulSession;
use envoy_types::pb::envoy::extensions::filters::network::http_connection_manager::v3 as hcm;
use envoy_types::pb::envoy::extensions::http::stateful_session::envelope::v3::{
    EnvelopeSessionState, envelope_session_state,
};
use hcm::HttpConnectionManager;
use hcm::http_connection_manager::{PathWithEscapedSlashesAction, RouteSpecifier};
use hcm::{HttpFilter, http_filter};

use super::draft::Draft;
use super::endpoints::address;
use super::routes::ROUTES;
use crate::stock::dialect::Envoy;
use crate::stock::kind::Kind;
use crate::stock::pack::{any, body, duration, empty, from_here, yes};

const NAME: &str = "outrigger";
const SESSION_HEADER: &str = "Mcp-Session-Id";
/// Envoy cuts a stream after five minutes of silence if nothing is said.
const QUIET_MAX: Duration = Duration::from_secs(86_400);
const ROUTER: &str = "type.googleapis.com/envoy.extensions.filters.http.router.v3.Router";

pub fn listener(envoy: &Envoy) -> Draft {
    let manager = HttpConnectionManager {
        stat_prefix: NAME.to_owned(),
        http_filters: vec![sessions(), router()],
        stream_idle_timeout: Some(duration(QUIET_MAX)),
        use_remote_address: yes(),
        normalize_path: yes(),
        path_with_escaped_slashes_action: PathWithEscapedSlashesAction::RejectRequest.into(),
        route_specifier: Some(RouteSpecifier::Rds(hcm::Rds {
            config_source: Some(from_here()),
            route_config_name: ROUTES.to_owned(),
        })),
        ..Default::default()
    };
    let filter = Filter {
        name: "envoy.filters.network.http_connection_manager".to_owned(),
        config_type: Some(filter::ConfigType::TypedConfig(any(&manager))),
    };
    let listener = Listener {
        name: NAME.to_owned(),
        address: Some(address(envoy.listen)),
        filter_chains: vec![FilterChain { filters: vec![filter], ..Default::default() }],
        traffic_direction: TrafficDirection::Outbound.into(),
        ..Default::default()
    };
    Draft { kind: Kind::Listener, name: NAME.into(), body: body(&listener), leads_to: Vec::new() }
}

pub fn router() -> HttpFilter {
    filter("envoy.filters.http.router", http_filter::ConfigType::TypedConfig(empty(ROUTER)))
}

/// An id of a session says at which address it lives; where that one is gone, any other replica answers that it knows no such session.
fn sessions() -> HttpFilter {
    let envelope =
        EnvelopeSessionState { header: Some(envelope_session_state::Header { name: SESSION_HEADER.to_owned() }) };
    let state = TypedExtensionConfig {
        name: "envoy.http.stateful_session.envelope".to_owned(),
        typed_config: Some(any(&envelope)),
    };
    let session = StatefulSession { session_state: Some(state), ..Default::default() };
    filter(super::routes::SESSIONS, http_filter::ConfigType::TypedConfig(any(&session)))
}

fn filter(name: &str, config: http_filter::ConfigType) -> HttpFilter {
    HttpFilter { name: name.to_owned(), config_type: Some(config), ..Default::default() }
}
