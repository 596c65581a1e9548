//! A pool as an Envoy cluster: its endpoints come separately, over the same stream.
//!
//! In: a pool, the routes that lead to it, the identities of its endpoints. Out: a cluster.
//! Where Envoy has one value for a whole cluster and we have one per route, it gets the most generous of them.

use std::collections::HashMap;
use std::time::Duration;

use envoy_types::pb::envoy::config::cluster::v3::circuit_breakers::{Thresholds, thresholds};
use envoy_types::pb::envoy::config::cluster::v3::cluster::{
    ClusterDiscoveryType, CommonLbConfig, DiscoveryType, EdsClusterConfig, LbConfig, LbPolicy, LeastRequestLbConfig,
    RoundRobinLbConfig, SlowStartConfig,
};
use envoy_types::pb::envoy::config::cluster::v3::{CircuitBreakers, Cluster, OutlierDetection};
use envoy_types::pb::envoy::config::core::v3 as core;
use envoy_types::pb::envoy::extensions::upstreams::http::v3 as upstreams;
use envoy_types::pb::envoy::r#type::v3::Percent;
use outrigger_model::pool::policy::{Concurrency, PoolPolicy};
use outrigger_model::pool::{Balance, Pool};
use outrigger_model::route::{Route, Timeouts};

use super::draft::Draft;
use super::table::Table;
use super::tls::Tls;
use crate::stock::kind::Kind;
use crate::stock::pack::{any, body, duration, from_here, number, yes};

const HTTP: &str = "envoy.extensions.upstreams.http.v3.HttpProtocolOptions";
/// Envoy stops at 1,024 of each if nothing is said, streams included; a pool without a limit of its own is stopped here.
const UNLIMITED: u32 = 1_000_000;
/// Envoy takes back the ejection of an endpoint when it looks, so it looks often.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// At least so many attempts at a time, so that a quiet pool can try again at all.
const RETRIES_MIN: u32 = 10;

/// One for each pool.
pub fn clusters(table: &Table<'_>, tls: &Tls<'_>) -> Vec<Draft> {
    let draft = |pool: &Pool| {
        let cluster = cluster(table, pool, tls);
        Draft { kind: Kind::Cluster, name: pool.name.as_str().into(), body: body(&cluster), leads_to: Vec::new() }
    };
    table.pools().map(draft).collect()
}

fn cluster(table: &Table<'_>, pool: &Pool, tls: &Tls<'_>) -> Cluster {
    let routes = table.routes_to(&pool.name);
    let connect = routes.iter().map(|route| route.policy.timeouts.connect).max();
    let (lb_policy, lb_config) = balance(pool);
    Cluster {
        connect_timeout: Some(duration(connect.unwrap_or(Timeouts::default().connect))),
        lb_policy: lb_policy.into(),
        lb_config,
        common_lb_config: Some(common_lb()),
        circuit_breakers: Some(limits(&pool.policy.concurrency, routes)),
        outlier_detection: Some(outliers(&pool.policy)),
        typed_extension_protocol_options: HashMap::from([(HTTP.to_owned(), any(&http1()))]),
        transport_socket: tls.default_socket(),
        transport_socket_matches: tls.matches(table.endpoints(pool)),
        ..named(pool)
    }
}

/// A cluster whose endpoints come over this stream, and nothing else said.
pub fn named(pool: &Pool) -> Cluster {
    Cluster {
        name: pool.name.to_string(),
        cluster_discovery_type: Some(ClusterDiscoveryType::Type(DiscoveryType::Eds.into())),
        eds_cluster_config: Some(EdsClusterConfig { eds_config: Some(from_here()), ..Default::default() }),
        ..Default::default()
    }
}

fn balance(pool: &Pool) -> (LbPolicy, Option<LbConfig>) {
    let window = pool.policy.slow_start;
    let slow_start_config = (!window.is_zero())
        .then(|| SlowStartConfig { slow_start_window: Some(duration(window)), ..Default::default() });
    match pool.balance {
        Balance::RoundRobin => {
            (LbPolicy::RoundRobin, Some(LbConfig::RoundRobinLbConfig(RoundRobinLbConfig { slow_start_config })))
        }
        Balance::LeastRequest | Balance::PeakEwma => {
            let config = LeastRequestLbConfig { slow_start_config, ..Default::default() };
            (LbPolicy::LeastRequest, Some(LbConfig::LeastRequestLbConfig(config)))
        }
        Balance::Random => (LbPolicy::Random, None),
        Balance::ConsistentHash => (LbPolicy::RingHash, None),
    }
}

/// Sessions go on at an endpoint that drains, and ejections are ignored only where nothing else is left, as in our own proxies.
fn common_lb() -> CommonLbConfig {
    use core::HealthStatus::{Degraded, Draining, Healthy, Unknown};
    let statuses = [Unknown, Healthy, Degraded, Draining].map(i32::from).into();
    CommonLbConfig {
        healthy_panic_threshold: Some(Percent { value: 1.0 }),
        override_host_status: Some(core::HealthStatusSet { statuses }),
        ..Default::default()
    }
}

fn limits(concurrency: &Concurrency, routes: &[&Route]) -> CircuitBreakers {
    let percent = routes.iter().map(|route| route.policy.retries.budget.percent).max();
    let budget = thresholds::RetryBudget {
        budget_percent: percent.map(|percent| Percent { value: percent.into() }),
        min_retry_concurrency: number(RETRIES_MIN),
        ..Default::default()
    };
    // Over HTTP/1.1 a call under way has a connection of its own, so a limit of calls is one of connections too.
    let total = concurrency.total.unwrap_or(UNLIMITED);
    let all = Thresholds {
        max_connections: number(UNLIMITED),
        max_pending_requests: number(concurrency.total.map_or(UNLIMITED, |_| concurrency.queue.max(1))),
        max_requests: number(total),
        retry_budget: Some(budget),
        ..Default::default()
    };
    let each =
        concurrency.per_endpoint.map(|limit| Thresholds { max_connections: number(limit), ..Default::default() });
    CircuitBreakers { thresholds: vec![all], per_host_thresholds: each.into_iter().collect() }
}

fn outliers(policy: &PoolPolicy) -> OutlierDetection {
    let failures = policy.breaker.failure_threshold;
    let enforced = number(if failures == 0 { 0 } else { 100 });
    OutlierDetection {
        consecutive_5xx: number(failures.max(1)),
        enforcing_consecutive_5xx: enforced,
        enforcing_consecutive_gateway_failure: number(0),
        enforcing_success_rate: number(0),
        enforcing_local_origin_success_rate: number(0),
        split_external_local_origin_errors: true,
        consecutive_local_origin_failure: number(1),
        enforcing_consecutive_local_origin_failure: number(100),
        interval: Some(duration(LOOK_EVERY)),
        base_ejection_time: Some(duration(policy.outlier.first)),
        max_ejection_time: Some(duration(policy.outlier.longest)),
        max_ejection_percent: number(policy.outlier.share_max_percent.into()),
        always_eject_one_host: yes(),
        ..Default::default()
    }
}

/// Inbound proxies are called as our own proxies call them.
fn http1() -> upstreams::HttpProtocolOptions {
    use upstreams::http_protocol_options::{
        ExplicitHttpConfig, UpstreamProtocolOptions, explicit_http_config::ProtocolConfig,
    };
    let protocol = ProtocolConfig::HttpProtocolOptions(core::Http1ProtocolOptions::default());
    upstreams::HttpProtocolOptions {
        upstream_protocol_options: Some(UpstreamProtocolOptions::ExplicitHttpConfig(ExplicitHttpConfig {
            protocol_config: Some(protocol),
        })),
        ..Default::default()
    }
}
