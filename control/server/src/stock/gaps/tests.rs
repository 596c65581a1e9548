use std::time::Duration;

use outrigger_model::key::{KeySource, OnLoss};
use outrigger_model::name::{AgentName, PoolName, RouteName};
use outrigger_model::pool::{Balance, Endpoints, Pool};
use outrigger_model::rate::{Allowance, Per, RateLimit};
use outrigger_model::route::{Affinity, Route, RoutePolicy};
use outrigger_model::snapshot::{Resources, Snapshot};
use outrigger_model::traffic::{Branch, Faults, HeaderEdits, Mirror, Priority, Share, When};

use super::*;

fn pool(name: &str, agent: &str) -> Pool {
    let (name, agent) = (PoolName::new(name).unwrap(), AgentName::new(agent).unwrap());
    Pool { name, agent, balance: Balance::RoundRobin, policy: Default::default() }
}

/// `shop` leads to `weather`; `shadow` is another agent, `weather-next` another pool of the same.
fn gaps(change: impl FnOnce(&mut Pool, &mut RoutePolicy)) -> Vec<String> {
    let (mut weather, mut policy) = (pool("weather", "weather"), RoutePolicy::default());
    change(&mut weather, &mut policy);
    let mut resources = Resources::default();
    for pool in [weather, pool("weather-next", "weather"), pool("shadow", "shadow")] {
        resources.endpoints.insert(pool.name.clone(), Endpoints { pool: pool.name.clone(), endpoints: vec![] });
        resources.pools.insert(pool.name.clone(), pool);
    }
    let (name, pool) = (RouteName::new("shop").unwrap(), PoolName::new("weather").unwrap());
    resources.routes.insert(name.clone(), Route { name, pool, policy });
    let gaps = inexpressible(&Snapshot::assemble(resources).unwrap());
    gaps.into_iter().filter(|gap| gap.at != "mesh").map(|gap| gap.at).collect()
}

fn share(pool: &str) -> Share {
    Share { pool: PoolName::new(pool).unwrap(), weight: 1 }
}

fn branch(when: When, pools: &[&str]) -> Branch {
    Branch { when, shares: pools.iter().map(|pool| share(pool)).collect() }
}

fn mirror(pool: &str) -> Option<Mirror> {
    Some(Mirror { pool: PoolName::new(pool).unwrap(), percent: 10 })
}

#[test]
fn a_mesh_in_which_nothing_was_declared_has_only_what_no_mesh_can_say() {
    assert_eq!(gaps(|_, _| {}), [""; 0]);
    let always = inexpressible(&Snapshot::default());
    assert_eq!(always.len(), ALWAYS.len());
    assert!(always.iter().any(|gap| gap.says.contains("lists of all agents")));
}

#[test]
fn everything_that_a_route_cannot_say_is_named_by_its_field() {
    let check = |field: &str, change: fn(&mut RoutePolicy)| {
        assert_eq!(gaps(|_, policy| change(policy)), [format!("Route/shop.{field}")], "{field}");
    };
    check("affinity", |policy| policy.affinity = Affinity::Agent);
    check("inspect", |policy| policy.inspect = true);
    check("sessions.keys", |policy| policy.sessions.keys = vec![KeySource::Header("x-cart".into())]);
    check("sessions.on_loss", |policy| policy.sessions.on_loss = OnLoss::Reestablish);
    check("timeouts", |policy| policy.timeouts.call.total = None);
    check("retries.tools", |policy| policy.retries.tools = vec!["get_*".parse().unwrap()]);
    check("retries.trust_hints", |policy| policy.retries.trust_hints = true);
    check("retries.hedge_after", |policy| policy.retries.hedge_after = Some(Duration::from_secs(1)));
    check("retries.per_try", |policy| policy.retries.per_try = Some(Duration::from_secs(1)));
    check("retries.budget", |policy| policy.retries.budget.percent = 50);
    check("traffic.priority", |policy| policy.traffic.priority = Priority::High);
    check("traffic.faults", |policy| {
        policy.traffic.faults = Some(Faults { percent: 1, delay: None, status: Some(503) });
    });
    check("traffic.match.callers", |policy| {
        let when = When { callers: vec!["desk".into()], ..When::default() };
        policy.traffic.branches = vec![branch(when, &["weather"])];
    });
    check("traffic.headers", |policy| {
        let set = vec![("authorization".to_owned(), "hunter2".to_owned())];
        policy.traffic.headers = HeaderEdits { set, ..HeaderEdits::default() };
    });
    check("traffic.mirror", |policy| policy.traffic.mirror = mirror("weather-next"));
    check("rates", |policy| {
        let allowance = Allowance::Quota { calls: 1, window: Duration::from_secs(1) };
        policy.rates = vec![RateLimit { per: Per::All, tools: vec![], allowance }];
    });
}

#[test]
fn what_connects_sooner_or_later_is_no_gap_because_a_cluster_says_it() {
    assert_eq!(gaps(|_, policy| policy.timeouts.connect = Duration::from_secs(9)), [""; 0]);
}

#[test]
fn a_split_is_a_gap_only_where_a_session_could_be_torn_apart() {
    let split = |affinity, pools: &[&str]| {
        gaps(|_, policy| {
            policy.affinity = affinity;
            policy.traffic.branches = vec![branch(When::default(), pools)];
        })
    };
    assert_eq!(split(Affinity::Auto, &["weather", "weather-next"]), [""; 0]);
    assert_eq!(split(Affinity::None, &["weather", "weather-next"]), [""; 0]);
    assert_eq!(split(Affinity::Keys, &["weather", "weather-next"]), ["Route/shop.traffic.split"]);
    assert_eq!(split(Affinity::Auto, &["weather", "shadow"]), ["Route/shop.traffic.split"]);
}

#[test]
fn a_mirror_of_another_agent_says_that_nothing_is_copied() {
    let snapshot_gaps = gaps(|_, policy| policy.traffic.mirror = mirror("shadow"));
    assert_eq!(snapshot_gaps, ["Route/shop.traffic.mirror"]);
}

#[test]
fn everything_that_a_pool_cannot_say_is_named_by_its_field() {
    let check = |fields: &[&str], change: fn(&mut Pool)| {
        let fields: Vec<_> = fields.iter().map(|field| format!("Pool/weather.{field}")).collect();
        assert_eq!(gaps(|pool, _| change(pool)), fields);
    };
    check(&["balance"], |pool| pool.balance = Balance::Random);
    check(&["balance", "balance"], |pool| pool.balance = Balance::PeakEwma);
    check(&["outlier.tool_errors"], |pool| pool.policy.outlier.tool_errors = true);
    check(&["breaker.recovery"], |pool| pool.policy.breaker.recovery = Duration::from_secs(1));
    check(&["concurrency.adaptive"], |pool| pool.policy.concurrency.adaptive = true);
    check(&["concurrency.queue_wait"], |pool| pool.policy.concurrency.total = Some(5));
    check(&["rates"], |pool| {
        let allowance = Allowance::Quota { calls: 1, window: Duration::from_secs(1) };
        pool.policy.rates = vec![RateLimit { per: Per::All, tools: vec![], allowance }];
    });
}

#[test]
fn settings_of_sessions_are_named() {
    let mut resources = Resources::default();
    resources.settings.session_mode = SessionMode::Sealed;
    resources.settings.session_limits.total = Some(1);
    let gaps = inexpressible(&Snapshot::assemble(resources).unwrap());
    let places: Vec<_> = gaps.iter().map(|gap| gap.at.as_str()).filter(|at| *at != "mesh").collect();
    assert_eq!(places, ["Settings/self.session_limits", "Settings/self.session_mode"]);
}
