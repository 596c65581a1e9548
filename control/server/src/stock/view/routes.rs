//! All routes of an Envoy in one configuration: by path which route, by header fields which row of it.
//!
//! In: routes, their pools. Out: one `RouteConfiguration`, and the clusters that it leads to.
//! A route `weather` is `/weather/mcp`; what it leads to is asked for `/agents/<agent>/mcp`, as inbound proxies take it.
//! Invariant: fields by which proxies of the mesh speak to each other are taken from no client.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use envoy_types::pb::envoy::config::core::v3::RuntimeFractionalPercent;
use envoy_types::pb::envoy::config::route::v3 as rds;
use envoy_types::pb::envoy::extensions::filters::http::stateful_session::v3::{
    StatefulSessionPerRoute, stateful_session_per_route::Override,
};
use envoy_types::pb::envoy::r#type::v3::{FractionalPercent, fractional_percent::DenominatorType};
use envoy_types::pb::google::protobuf::{Any, Duration, UInt64Value};
use outrigger_model::pool::Balance;
use outrigger_model::route::Route;
use rds::route_action::hash_policy::{ConnectionProperties, PolicySpecifier};
use rds::route_action::{ClusterSpecifier, HashPolicy, RequestMirrorPolicy};
use rds::weighted_cluster::{ClusterWeight, RandomValueSpecifier};
use rds::{HeaderMatcher, RetryPolicy, RouteAction, RouteConfiguration, RouteMatch, VirtualHost, WeightedCluster};

use super::draft::Draft;
use super::head::TOOL_ROWS_MAX;
use super::share::{Portion, portions, whole};
use super::table::Table;
use super::{head, retry};
use crate::stock::dialect::Envoy;
use crate::stock::kind::Kind;
use crate::stock::pack::{any, body, number};

/// The name of the configuration.
pub const ROUTES: &str = "outrigger";
/// The filter that keeps sessions.
pub const SESSIONS: &str = "envoy.filters.http.stateful_session";

/// Fields that only our own proxies write.
const BETWEEN_PROXIES: [&str; 3] = ["outrigger-as-is", "outrigger-priority", "outrigger-session"];
const OWN_HOSTS: [&str; 3] = ["localhost", "127.0.0.1", "[::1]"];
const FORBIDDEN: u32 = 403;

pub fn routes(table: &Table<'_>, envoy: &Envoy) -> Draft {
    let is_local = envoy.listen.ip().is_loopback();
    let mut rows: Vec<rds::Route> = is_local.then(foreign_page).into_iter().collect();
    rows.extend(table.routes().flat_map(|route| rows_of(table, route)));
    let leads_to: BTreeSet<Arc<str>> = rows.iter().flat_map(led_to).map(Arc::from).collect();
    // A listener on loopback answers to no other name, so that no page reaches it by rebinding one of its own.
    let domains = if is_local { OWN_HOSTS.map(str::to_owned).into() } else { vec!["*".to_owned()] };
    let configuration = RouteConfiguration {
        name: ROUTES.to_owned(),
        virtual_hosts: vec![VirtualHost { name: ROUTES.to_owned(), domains, routes: rows, ..Default::default() }],
        request_headers_to_remove: BETWEEN_PROXIES.map(str::to_owned).into(),
        response_headers_to_remove: vec![retry::REFUSAL_HEADER.to_owned()],
        ignore_port_in_host_matching: true,
        ..Default::default()
    };
    Draft {
        kind: Kind::Route,
        name: ROUTES.into(),
        body: body(&configuration),
        leads_to: leads_to.into_iter().collect(),
    }
}

/// The clusters that a row sends calls or copies to.
fn led_to(row: &rds::Route) -> Vec<&str> {
    let Some(rds::route::Action::Route(action)) = &row.action else { return Vec::new() };
    let copies = action.request_mirror_policies.iter().map(|mirror| mirror.cluster.as_str());
    match &action.cluster_specifier {
        Some(ClusterSpecifier::Cluster(name)) => copies.chain([name.as_str()]).collect(),
        Some(ClusterSpecifier::WeightedClusters(shared)) => {
            copies.chain(shared.clusters.iter().map(|share| share.name.as_str())).collect()
        }
        _ => copies.collect(),
    }
}

fn foreign_page() -> rds::Route {
    let refusal = rds::DirectResponseAction { status: FORBIDDEN, ..Default::default() };
    rds::Route {
        r#match: Some(RouteMatch {
            headers: head::foreign_origin(),
            path_specifier: Some(rds::route_match::PathSpecifier::Prefix("/".to_owned())),
            ..Default::default()
        }),
        action: Some(rds::route::Action::DirectResponse(refusal)),
        ..Default::default()
    }
}

/// The branches of a route in their order, and last its own pool.
fn rows_of<'s>(table: &Table<'s>, route: &'s Route) -> Vec<rds::Route> {
    let mut rows = Vec::new();
    // Envoy knows addresses of callers and not who they are.
    let branches = route.policy.traffic.branches.iter().filter(|branch| branch.when.callers.is_empty());
    for branch in branches {
        let condition = head::of_branch(&branch.when);
        rows.extend(portions(table, &branch.shares).iter().flat_map(|part| rows_to(table, route, &condition, part)));
    }
    rows.extend(whole(table, &route.pool).iter().flat_map(|part| rows_to(table, route, &[], part)));
    rows
}

/// Rows of the tools that may run twice, of calls that are copied, of all others.
fn rows_to(table: &Table<'_>, route: &Route, condition: &[HeaderMatcher], part: &Portion<'_>) -> Vec<rds::Route> {
    let retries = &route.policy.retries;
    let row = |also: Vec<HeaderMatcher>, again: Option<RetryPolicy>, copies: Option<RequestMirrorPolicy>| {
        let action = RouteAction {
            retry_policy: again,
            request_mirror_policies: copies.into_iter().collect(),
            ..to(table, route, part)
        };
        row(route, [condition, &also].concat(), part.chance, action)
    };
    let copies = || mirror(table, route, part);
    let mut rows = Vec::new();
    if let Some(again) = retry::of_repeatable(retries) {
        let tools = retries.tools.iter().take(TOOL_ROWS_MAX);
        rows.extend(tools.map(|pattern| row(head::tool(pattern), Some(again.clone()), copies())));
    }
    let again = retry::of_calls(retries);
    rows.extend(copies().map(|copies| row(head::tool_call(), again.clone(), Some(copies))));
    rows.push(row(Vec::new(), again, None));
    rows
}

fn row(route: &Route, headers: Vec<HeaderMatcher>, chance: Option<u32>, action: RouteAction) -> rds::Route {
    let edits = &route.policy.traffic.headers;
    let kept = action.retry_policy.is_some() || !action.request_mirror_policies.is_empty();
    rds::Route {
        name: route.name.to_string(),
        r#match: Some(RouteMatch {
            headers,
            runtime_fraction: chance.map(|of_million| fraction(of_million, DenominatorType::Million)),
            path_specifier: Some(rds::route_match::PathSpecifier::PathSeparatedPrefix(format!("/{}/mcp", route.name))),
            ..Default::default()
        }),
        request_headers_to_add: head::written(edits),
        request_headers_to_remove: head::removed(edits),
        request_body_buffer_limit: kept.then(|| UInt64Value { value: route.policy.retries.body_bytes_max.into() }),
        typed_per_filter_config: sessions(route),
        action: Some(rds::route::Action::Route(action)),
        ..Default::default()
    }
}

/// The filter keeps sessions unless a route has none.
fn sessions(route: &Route) -> HashMap<String, Any> {
    if route.policy.affinity.follows_keys() {
        return HashMap::new();
    }
    let off = StatefulSessionPerRoute { r#override: Some(Override::Disabled(true)) };
    HashMap::from([(SESSIONS.to_owned(), any(&off))])
}

fn to(table: &Table<'_>, route: &Route, part: &Portion<'_>) -> RouteAction {
    let follows_caller = route.policy.affinity.follows_agent();
    let hashes =
        part.pools.iter().any(|(name, _)| table.pool(name).is_some_and(|pool| pool.balance == Balance::ConsistentHash));
    let caller = HashPolicy {
        policy_specifier: Some(PolicySpecifier::ConnectionProperties(ConnectionProperties { source_ip: true })),
        ..Default::default()
    };
    let is_shared = part.pools.len() > 1;
    let clusters = part.pools.iter().map(|(pool, weight)| ClusterWeight {
        name: pool.to_string(),
        weight: number(*weight),
        ..Default::default()
    });
    let specifier = match part.pools.as_slice() {
        [(only, _)] => ClusterSpecifier::Cluster(only.to_string()),
        _ => ClusterSpecifier::WeightedClusters(WeightedCluster {
            clusters: clusters.collect(),
            // Who comes back goes where it was, because its session is there.
            random_value_specifier: follows_caller.then_some(RandomValueSpecifier::UseHashPolicy(
                envoy_types::pb::google::protobuf::BoolValue { value: true },
            )),
            ..Default::default()
        }),
    };
    RouteAction {
        prefix_rewrite: format!("/agents/{}/mcp", part.agent),
        // Of the whole answer: none, because a stream is an answer.
        timeout: Some(Duration::default()),
        hash_policy: (hashes || is_shared && follows_caller).then_some(caller).into_iter().collect(),
        cluster_specifier: Some(specifier),
        ..Default::default()
    }
}

/// Only to another pool of the same agent: a copy has the path of its original.
fn mirror(table: &Table<'_>, route: &Route, part: &Portion<'_>) -> Option<RequestMirrorPolicy> {
    let mirror = route.policy.traffic.mirror.as_ref()?;
    table.pool(&mirror.pool).filter(|pool| pool.agent == *part.agent)?;
    Some(RequestMirrorPolicy {
        cluster: mirror.pool.to_string(),
        runtime_fraction: Some(fraction(mirror.percent.into(), DenominatorType::Hundred)),
        disable_shadow_host_suffix_append: true,
        ..Default::default()
    })
}

fn fraction(numerator: u32, denominator: DenominatorType) -> RuntimeFractionalPercent {
    let value = FractionalPercent { numerator, denominator: denominator.into() };
    RuntimeFractionalPercent { default_value: Some(value), ..Default::default() }
}
