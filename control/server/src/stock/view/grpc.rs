//! What clients with an `xds:///` target are told: each route is a target, and its pools are clusters.
//!
//! In: routes and pools. Out: a listener and a route configuration per target, a cluster per pool.
//! Never here: MCP; such a client speaks what the endpoints speak.

use std::collections::BTreeSet;
use std::sync::Arc;

use envoy_types::pb::envoy::config::cluster::v3::Cluster;
use envoy_types::pb::envoy::config::cluster::v3::cluster::LbPolicy;
use envoy_types::pb::envoy::config::listener::v3::{ApiListener, Listener};
use envoy_types::pb::envoy::config::route::v3 as rds;
use envoy_types::pb::envoy::extensions::filters::network::http_connection_manager::v3 as hcm;
use outrigger_model::name::PoolName;
use outrigger_model::pool::Pool;
use outrigger_model::route::Route;
use rds::route_action::ClusterSpecifier;
use rds::weighted_cluster::ClusterWeight;
use rds::{HeaderMatcher, RouteAction, RouteConfiguration, RouteMatch, VirtualHost, WeightedCluster};

use super::draft::Draft;
use super::table::Table;
use super::{clusters as envoy, head, listener};
use crate::stock::kind::Kind;
use crate::stock::pack::{any, body, from_here, number};

/// One for each pool.
pub fn clusters(table: &Table<'_>) -> Vec<Draft> {
    let draft = |pool: &Pool| {
        let cluster = Cluster { lb_policy: LbPolicy::RoundRobin.into(), ..envoy::named(pool) };
        Draft { kind: Kind::Cluster, name: pool.name.as_str().into(), body: body(&cluster), leads_to: Vec::new() }
    };
    table.pools().map(draft).collect()
}

/// Two for each route.
pub fn targets(table: &Table<'_>) -> Vec<Draft> {
    table.routes().flat_map(|route| [target(route), configuration(route)]).collect()
}

fn target(route: &Route) -> Draft {
    let manager = hcm::HttpConnectionManager {
        http_filters: vec![listener::router()],
        route_specifier: Some(hcm::http_connection_manager::RouteSpecifier::Rds(hcm::Rds {
            config_source: Some(from_here()),
            route_config_name: route.name.to_string(),
        })),
        ..Default::default()
    };
    let listener = Listener {
        name: route.name.to_string(),
        api_listener: Some(ApiListener { api_listener: Some(any(&manager)) }),
        ..Default::default()
    };
    Draft { kind: Kind::Listener, name: route.name.as_str().into(), body: body(&listener), leads_to: Vec::new() }
}

fn configuration(route: &Route) -> Draft {
    let branches = route.policy.traffic.branches.iter().filter(|branch| branch.when.callers.is_empty());
    let branches = branches.map(|branch| Row {
        headers: head::of_branch(&branch.when),
        shares: branch.shares.iter().filter(|it| it.weight > 0).map(|it| (&it.pool, u32::from(it.weight))).collect(),
    });
    let own = Row { headers: Vec::new(), shares: vec![(&route.pool, 1)] };
    let rows: Vec<Row<'_>> = branches.chain([own]).filter(|row| !row.shares.is_empty()).collect();
    let leads_to: BTreeSet<Arc<str>> =
        rows.iter().flat_map(|row| &row.shares).map(|(pool, _)| Arc::from(pool.as_str())).collect();
    let host = VirtualHost {
        name: route.name.to_string(),
        domains: vec!["*".to_owned()],
        routes: rows.into_iter().map(row).collect(),
        ..Default::default()
    };
    let configuration =
        RouteConfiguration { name: route.name.to_string(), virtual_hosts: vec![host], ..Default::default() };
    Draft {
        kind: Kind::Route,
        name: route.name.as_str().into(),
        body: body(&configuration),
        leads_to: leads_to.into_iter().collect(),
    }
}

/// Calls that match go to these pools, by weight.
struct Row<'r> {
    headers: Vec<HeaderMatcher>,
    shares: Vec<(&'r PoolName, u32)>,
}

fn row(row: Row<'_>) -> rds::Route {
    let Row { headers, shares } = row;
    let clusters = shares.iter().map(|(pool, weight)| ClusterWeight {
        name: pool.to_string(),
        weight: number(*weight),
        ..Default::default()
    });
    let shared = WeightedCluster { clusters: clusters.collect(), ..Default::default() };
    let action =
        RouteAction { cluster_specifier: Some(ClusterSpecifier::WeightedClusters(shared)), ..Default::default() };
    rds::Route {
        r#match: Some(RouteMatch {
            headers,
            path_specifier: Some(rds::route_match::PathSpecifier::Prefix(String::new())),
            ..Default::default()
        }),
        action: Some(rds::route::Action::Route(action)),
        ..Default::default()
    }
}
