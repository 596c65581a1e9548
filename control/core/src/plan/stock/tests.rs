use std::time::Duration;

use outrigger_model::key::{KeySource, SessionPolicy};
use outrigger_model::name::{AgentName, RouteName};
use outrigger_model::pool::policy::{Concurrency, PoolPolicy};
use outrigger_model::rate::Allowance;
use outrigger_model::retries::Retries;
use outrigger_model::route::RoutePolicy;
use outrigger_model::settings::Settings;
use outrigger_model::traffic::When;

use super::*;
use crate::intent::traffic::{OperatorBranch, OperatorShare, OperatorTraffic};

fn paths(policy: RoutePolicy, traffic: OperatorTraffic, pool: PoolPolicy, settings: Settings) -> Vec<String> {
    let (name, requirement) = (RouteName::new("x").unwrap(), "weather".parse().unwrap());
    let pool = OperatorPool { policy: pool, ..OperatorPool::default() };
    let pools = vec![(AgentName::new("weather").unwrap(), pool)];
    let intent = Intent::new(vec![OperatorRoute { name, requirement, policy, traffic }], pools, settings).unwrap();
    let all = expressible(&intent);
    assert!(all.iter().all(|finding| finding.kind == FindingKind::StockClients));
    all.into_iter().map(|finding| finding.path).collect()
}

fn rate(per: Per, tools: &[&str]) -> RateLimit {
    let allowance = Allowance::Quota { calls: 1, window: Duration::from_secs(1) };
    RateLimit { per, tools: tools.iter().map(|tool| tool.parse().unwrap()).collect(), allowance }
}

#[test]
fn an_intent_of_usual_routes_and_pools_can_be_told_to_everybody() {
    let none: [&str; 0] = [];
    let policy = RoutePolicy { rates: vec![rate(Per::All, &[])], ..RoutePolicy::default() };
    assert_eq!(paths(policy, OperatorTraffic::default(), PoolPolicy::default(), Settings::default()), none);
}

#[test]
fn what_only_our_own_proxies_do_is_named_with_its_place() {
    let policy = RoutePolicy {
        sessions: SessionPolicy { keys: vec![KeySource::header("x-cart").unwrap()], on_loss: OnLoss::Reestablish },
        retries: Retries { tools: vec!["get_*".parse().unwrap()], trust_hints: true, ..Retries::default() },
        rates: vec![rate(Per::All, &["get_*"]), rate(Per::Caller, &[]), rate(Per::Tool, &[]), rate(Per::Agent, &[])],
        ..RoutePolicy::default()
    };
    let when = When { callers: vec!["desk".into()], ..When::default() };
    let shares = vec![OperatorShare { requirement: "weather".parse().unwrap(), weight: 1 }];
    let traffic = OperatorTraffic { branches: vec![OperatorBranch { when, shares }], ..OperatorTraffic::default() };
    let concurrency = Concurrency { total: Some(1), ..PoolPolicy::default().concurrency };
    let mut pool = PoolPolicy { concurrency, rates: vec![rate(Per::Tool, &[])], ..PoolPolicy::default() };
    pool.outlier.tool_errors = true;
    let settings = Settings { session_mode: SessionMode::Sealed, ..Settings::default() };
    assert_eq!(
        paths(policy, traffic, pool, settings),
        [
            "settings.session_mode",
            "routes[x].retries.tools",
            "routes[x].retries.trust_hints",
            "routes[x].keys[0]",
            "routes[x].on_replica_loss",
            "routes[x].match[0].callers",
            "routes[x].rates[0]",
            "routes[x].rates[1]",
            "routes[x].rates[2]",
            "pools[weather].concurrency",
            "pools[weather].outlier.tool_errors",
            "pools[weather].rates[0]",
        ]
    );
}
