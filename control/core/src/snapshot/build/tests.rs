use proptest::prelude::{Strategy, prop, proptest};

use super::*;
use crate::fixture::facts;
use crate::intent::OperatorRoute;
use crate::intent::traffic::{OperatorBranch, OperatorMirror, OperatorShare, OperatorTraffic};
use crate::snapshot::scope::Audience;
use outrigger_model::key::SessionPolicy;
use outrigger_model::pool::Balance;
use outrigger_model::route::Affinity;
use outrigger_model::secret::{SealKey, Secret};
use outrigger_model::settings::Settings;
use outrigger_model::traffic::{HeaderEdits, Mirror, Share, When};

static NO_KEYS: Keyring = Keyring { keys: Vec::new() };
static NO_REVOCATIONS: Revocations =
    Revocations { sessions: BTreeMap::new(), callers: BTreeMap::new(), agents: BTreeMap::new() };

const fn nothing_shared() -> Shared<'static> {
    Shared { revocations: &NO_REVOCATIONS, keyring: &NO_KEYS }
}

fn operator(name: &str, requirement: &str) -> OperatorRoute {
    OperatorRoute {
        name: RouteName::new(name).unwrap(),
        requirement: requirement.parse().unwrap(),
        policy: RoutePolicy { affinity: Affinity::None, ..RoutePolicy::default() },
        traffic: OperatorTraffic::default(),
    }
}

fn intent(routes: &[(&str, &str)]) -> Intent {
    let routes = routes.iter().map(|(name, requirement)| operator(name, requirement)).collect();
    Intent::new(routes, vec![], Settings::default()).unwrap()
}

fn built(rows: &[&str], routes: &[(&str, &str)], needs: &[&str]) -> Built {
    build(&facts(rows), &intent(routes), &nothing_shared(), &Scope::parse(needs).unwrap()).unwrap()
}

/// `route kind pool: endpoints`, each endpoint with its state where that is not up.
fn shown(built: &Built) -> Vec<String> {
    let resources = built.snapshot.resources();
    let line = |route: &Route| {
        let endpoints = resources.endpoints[&route.pool].endpoints.iter().map(|endpoint| match endpoint.state {
            EndpointState::Up => endpoint.replica.to_string(),
            other => format!("{}({})", endpoint.replica, other.as_str()),
        });
        let endpoints: Vec<String> = endpoints.collect();
        let kind = built.kinds[&route.name].as_str();
        format!("{} {kind} {}: {}", route.name, route.pool, endpoints.join(" ")).trim_end().to_owned()
    };
    resources.routes.values().map(line).collect()
}

fn check(built: &Built, expected: &[&str]) {
    assert_eq!(shown(built), expected);
}

#[test]
fn agents_and_capabilities_have_routes_of_their_own() {
    let built = built(&["weather-1 healthy 1.0.0", "weather-2 healthy 1.0.0"], &[], &[]);
    check(&built, &["forecast capability weather: weather-1 weather-2", "weather agent weather: weather-1 weather-2"]);
    assert_eq!(built.snapshot.resources().pools.len(), 1, "one pool for both");
}

#[test]
fn an_empty_mesh_has_settings_and_nothing_else() {
    let built = built(&[], &[], &[]);
    assert_eq!(built.snapshot, Snapshot::default());
}

#[test]
fn each_state_of_a_replica_has_its_place_in_the_pool() {
    let rows = &["a-1 healthy 1.0.0", "a-2 unknown 1.0.0", "a-3 draining 1.0.0", "a-4 unhealthy 1.0.0"];
    let endpoints = "a-1 a-2(suspect) a-3(draining)";
    check(
        &built(rows, &[], &[]),
        &[&format!("a agent a: {endpoints}"), &format!("forecast capability a: {endpoints}")],
    );
}

#[test]
fn an_agent_whose_replicas_all_fail_keeps_its_routes() {
    check(&built(&["a-1 unhealthy 1.0.0"], &[], &[]), &["a agent a:", "forecast capability a:"]);
}

#[test]
fn a_dependency_goes_before_an_operator_before_an_agent_before_a_capability() {
    let rows = &["a-1 healthy 1.0.0", "b-1 healthy 2.0.0"];
    check(&built(rows, &[], &[]), &["a agent a: a-1", "b agent b: b-1", "forecast capability b: b-1"]);
    let routes = &[("a", "b"), ("forecast", "forecast ^1")];
    check(&built(rows, routes, &[]), &["a operator b: b-1", "b agent b: b-1", "forecast operator a: a-1"]);
    let needs = &["a=a", "forecast"];
    check(&built(rows, routes, needs), &["a dependency a: a-1", "b agent b: b-1", "forecast dependency b: b-1"]);
}

#[test]
fn what_was_asked_for_and_nobody_provides_leads_to_an_empty_pool() {
    let built = built(&["a-1 healthy 1.0.0"], &[("maps", "maps")], &["forecast ^9", "time"]);
    let expected = [
        "a agent a: a-1",
        "forecast dependency forecast--none:",
        "maps operator maps--none:",
        "time dependency time--none:",
    ];
    check(&built, &expected);
}

#[test]
fn a_pool_of_some_replicas_has_a_name_of_its_own() {
    let rows = &["a-1 healthy 1.0.0", "a-2 healthy 2.0.0"];
    let expected = ["a agent a: a-1 a-2", "forecast capability a: a-1 a-2", "old dependency old--a: a-1"];
    check(&built(rows, &[], &["old=forecast ^1"]), &expected);
}

#[test]
fn an_agent_cannot_name_itself_into_the_pool_of_a_route() {
    let rows = &["a-1 healthy 1.0.0", "a-2 healthy 2.0.0", "old--a-1 healthy 1.0.0 thief"];
    let built = built(rows, &[], &["old=forecast ^1 -thief"]);
    let resources = built.snapshot.resources();
    let route = &resources.routes["old"];
    assert_ne!(route.pool.as_str(), "old--a");
    let endpoints = &resources.endpoints[&route.pool].endpoints;
    assert_eq!(endpoints.iter().map(|endpoint| endpoint.replica.as_str()).collect::<Vec<_>>(), ["a-1"]);
}

#[test]
fn pools_of_routes_whose_names_run_together_are_kept_apart() {
    let long = "x".repeat(128);
    let rows = &["b--c-1 healthy 1.0.0", "b--c-2 healthy 2.0.0", "c-1 healthy 3.0.0", "c-2 healthy 4.0.0"];
    let needs = ["a=b--c ^1".to_owned(), "a--b=c ^3".to_owned(), format!("{long}=c ^4")];
    let needs: Vec<&str> = needs.iter().map(String::as_str).collect();
    let built = built(rows, &[], &needs);
    let resources = built.snapshot.resources();
    let only = |route: &str| match resources.endpoints[&resources.routes[route].pool].endpoints.as_slice() {
        [only] => only.replica.to_string(),
        other => panic!("{other:?}"),
    };
    assert_eq!((only("a"), only("a--b"), only(&long)), ("b--c-1".to_owned(), "c-1".to_owned(), "c-2".to_owned()));
}

#[test]
fn an_agent_is_described_by_its_newest_replica_in_whatever_state_that_is() {
    let built = built(&["a-1 healthy 1.0.0 old", "a-2 unhealthy 2.0.0 new"], &[], &[]);
    let resources = built.snapshot.resources();
    assert_eq!(resources.agents["a"].version.to_string(), "2.0.0");
    assert_eq!(resources.capabilities["forecast"].tags.iter().map(ToString::to_string).collect::<Vec<_>>(), ["new"]);
}

#[test]
fn pools_balance_as_operators_say() {
    let round_robin = OperatorPool { balance: Balance::RoundRobin, ..OperatorPool::default() };
    let pools = vec![(AgentName::new("a").unwrap(), round_robin)];
    let intent = Intent::new(vec![], pools, Settings::default()).unwrap();
    let built =
        build(&facts(&["a-1 healthy 1.0.0", "b-1 healthy 1.0.0"]), &intent, &nothing_shared(), &Scope::base()).unwrap();
    let pools = &built.snapshot.resources().pools;
    assert_eq!((pools["a"].balance, pools["b"].balance), (Balance::RoundRobin, Balance::default()));
}

fn rows() -> impl Strategy<Value = Vec<String>> {
    let state = prop::sample::select(vec!["healthy", "unknown", "draining", "unhealthy"]);
    let agent = prop::sample::select(vec!["a", "b", "a--b", "forecast", "a--none", "b---a"]);
    let tag = prop::sample::select(vec!["", "eu", "us"]);
    let row = (agent, 1..4u8, state, 1..3u8, tag)
        .prop_map(|(agent, number, state, version, tag)| format!("{agent}-{number} {state} {version}.0.0 {tag}"));
    prop::collection::vec(row, 0..8)
}

fn asked() -> impl Strategy<Value = Vec<(String, String)>> {
    let name = prop::sample::select(vec!["a", "b", "a--b", "forecast", "x", "a-", "none"]);
    let requirement =
        prop::sample::select(vec!["forecast ^1", "forecast eu", "a ^2", "b", "nothing", "a--b -us", "forecast +eu"]);
    let one = (name, requirement).prop_map(|(name, requirement)| (name.to_owned(), requirement.to_owned()));
    let many = prop::collection::vec(one, 0..6);
    many.prop_map(|mut many| {
        many.sort();
        many.dedup_by(|a, b| a.0 == b.0);
        many
    })
}

proptest! {
    #[test]
    fn every_mesh_assembles_and_every_route_leads_where_its_requirement_says(
        rows in rows(), operators in asked(), needs in asked(),
    ) {
        let rows: Vec<&str> = rows.iter().map(String::as_str).collect();
        let facts = facts(&rows);
        let routes: Vec<(&str, &str)> = operators.iter().map(|(name, to)| (name.as_str(), to.as_str())).collect();
        let texts: Vec<String> = needs.iter().map(|(alias, to)| format!("{alias}={to}")).collect();
        let scope = Scope::parse(&texts).unwrap();
        let built = build(&facts, &intent(&routes), &nothing_shared(), &scope).unwrap();
        let resources = built.snapshot.resources();
        for (alias, requirement) in scope.needs() {
            let expected: Vec<String> = resolve(&facts, requirement).into_iter().flat_map(|winner| {
                winner.replicas().filter(|standing| standing.is_callable())
                    .map(|standing| standing.replica.id.to_string()).collect::<Vec<_>>()
            }).collect();
            let pool = &resources.routes[alias].pool;
            let has: Vec<String> =
                resources.endpoints[pool].endpoints.iter().map(|endpoint| endpoint.replica.to_string()).collect();
            assert_eq!(has, expected, "{alias}={requirement}");
        }
        for agent in facts.agents() {
            let pool = &resources.agents[agent].pool;
            let callable = facts.replicas_of(agent).filter(|standing| standing.is_callable()).count();
            assert_eq!(resources.endpoints[pool].endpoints.len(), callable);
        }
    }
}

/// An agent whose capability `count` needs sessions, and whose other does not.
fn stateful(tools: &[&str]) -> Facts {
    let mut facts = facts(&["counter-2 healthy 1.0.0"]);
    let mut standing = crate::fixture::standing("counter-1 healthy 1.0.0");
    let mut replica = std::sync::Arc::unwrap_or_clone(standing.replica);
    let tool = |name: &&str| outrigger_model::capability::Tool {
        name: (*name).to_owned(),
        schema: Digest::of(b""),
        hints: outrigger_model::capability::ToolHints::default(),
    };
    for capability in replica.capabilities.iter_mut().filter(|capability| capability.name.as_str() == "forecast") {
        capability.session_required = true;
        capability.tools = tools.iter().map(tool).collect();
    }
    standing.replica = std::sync::Arc::new(replica);
    facts.put(standing);
    facts
}

#[test]
fn routes_of_an_agent_with_capabilities_that_need_sessions_follow_the_argument() {
    let routes = vec![operator("mine", "counter"), {
        let cookie = outrigger_model::key::KeySource::cookie("c").unwrap();
        let sessions = SessionPolicy { keys: vec![cookie], ..SessionPolicy::default() };
        let policy = RoutePolicy { sessions, ..RoutePolicy::default() };
        OperatorRoute { policy, ..operator("other", "counter") }
    }];
    let intent = Intent::new(routes, vec![], Settings::default()).unwrap();
    let built =
        build(&stateful(&["count", "add"]), &intent, &nothing_shared(), &Scope::parse(&["forecast"]).unwrap()).unwrap();
    let resources = built.snapshot.resources();
    let keys = |keys: &[outrigger_model::key::KeySource]| keys.iter().map(ToString::to_string).collect::<Vec<_>>();
    for route in ["counter", "forecast", "mine"] {
        let route = &resources.routes[&RouteName::new(route).unwrap()];
        assert_eq!(keys(&route.policy.sessions.keys), ["argument session_id (tools add, count)"], "{}", route.name);
    }
    let other = &resources.routes[&RouteName::new("other").unwrap()];
    assert_eq!(keys(&other.policy.sessions.keys), ["cookie c"], "who names keys knows better");
    let agent = &resources.agents[&AgentName::new("counter").unwrap()];
    assert_eq!(keys(&agent.keys), ["argument session_id (tools add, count)"]);
}

#[test]
fn a_capability_that_needs_sessions_and_has_no_tools_yet_makes_no_key_of_all_tools() {
    let built = build(&stateful(&[]), &intent(&[]), &nothing_shared(), &Scope::default()).unwrap();
    assert!(built.snapshot.resources().routes.values().all(|route| route.policy.sessions.keys.is_empty()));
}

#[test]
fn keys_are_in_the_snapshots_of_proxies_and_in_no_others() {
    let keyring = Keyring { keys: vec![SealKey { id: 1, secret: Secret::new([7; 32]), made: 0 }] };
    let (facts, intent) = (facts(&["weather-1 healthy 1.0.0"]), intent(&[]));
    for needs in [&[][..], &["forecast"]] {
        let proxies = Scope::parse(needs).unwrap();
        let observers = proxies.clone().of(Audience::Observers);
        assert_ne!(proxies.key(), observers.key());
        let keys = |scope| {
            build(&facts, &intent, &Shared { keyring: &keyring, ..nothing_shared() }, scope)
                .unwrap()
                .snapshot
                .resources()
                .keyring
                .clone()
        };
        assert_eq!(keys(&proxies), keyring);
        assert_eq!(keys(&observers), Keyring::default());
    }
}

#[test]
fn replicas_are_of_the_first_tier_whose_tags_they_have() {
    let tags = |texts: &[&str]| TagSet::parse(texts).unwrap();
    let tiers = vec![tags(&["gpu", "eu"]), tags(&["gpu"])];
    for (replica, expected) in [(&["gpu", "eu", "new"][..], 0), (&["gpu"], 1), (&["eu"], 2), (&[], 2)] {
        assert_eq!(tier(&tags(replica), &tiers), expected, "{replica:?}");
    }
}

fn shaped(name: &str, requirement: &str, traffic: OperatorTraffic) -> Intent {
    let route = OperatorRoute { traffic, ..operator(name, requirement) };
    Intent::new(vec![route], vec![], Settings::default()).unwrap()
}

fn shares(shares: &[(&str, u16)]) -> OperatorBranch {
    let share = |(text, weight): &(&str, u16)| OperatorShare { requirement: text.parse().unwrap(), weight: *weight };
    OperatorBranch { when: When::default(), shares: shares.iter().map(share).collect() }
}

/// `weight: replicas` of each share.
fn shares_of(built: &Built, route: &str) -> Vec<String> {
    let resources = built.snapshot.resources();
    let shown = |share: &Share| {
        let endpoints = resources.endpoints[&share.pool].endpoints.iter().map(|endpoint| endpoint.replica.to_string());
        format!("{}: {}", share.weight, endpoints.collect::<Vec<_>>().join(" "))
    };
    let branches = &resources.routes[route].policy.traffic.branches;
    branches.iter().flat_map(|branch| &branch.shares).map(shown).collect()
}

#[test]
fn shares_of_one_agent_have_a_pool_for_each_version_and_of_another_agent_its_own() {
    let rows = ["a-1 healthy 1.0.0", "a-2 healthy 1.1.0", "a-3 healthy 2.0.0", "b-1 healthy 1.0.0"];
    let branches = vec![shares(&[("a ^1", 90), ("a ^2", 9), ("b", 1), ("a ^3", 0)])];
    let intent = shaped("shop", "a", OperatorTraffic { branches, ..OperatorTraffic::default() });
    let built = build(&facts(&rows), &intent, &nothing_shared(), &Scope::base()).unwrap();
    assert_eq!(shares_of(&built, "shop"), ["90: a-1 a-2", "9: a-3", "1: b-1", "0: "]);
    let resources = built.snapshot.resources();
    let pools: Vec<&str> = resources.routes["shop"].policy.traffic.pools().map(PoolName::as_str).collect();
    assert!(pools[0].starts_with("shop--a-") && pools[1].starts_with("shop--a-") && pools[0] != pools[1], "{pools:?}");
    assert_eq!(pools[2], "b");
    assert!(pools[3].starts_with("shop--none-"), "{pools:?}");
}

#[test]
fn pools_of_shares_keep_their_names_when_weights_and_order_change() {
    let rows = ["a-1 healthy 1.0.0", "a-3 healthy 2.0.0"];
    let names = |written: &[(&str, u16)]| {
        let traffic = OperatorTraffic { branches: vec![shares(written)], ..OperatorTraffic::default() };
        let intent = shaped("shop", "a", traffic);
        let built = build(&facts(&rows), &intent, &nothing_shared(), &Scope::base()).unwrap();
        built.snapshot.resources().pools.keys().cloned().collect::<Vec<_>>()
    };
    assert_eq!(names(&[("a ^1", 90), ("a ^2", 10)]), names(&[("a ^2", 50), ("a ^1", 50)]));
}

#[test]
fn a_mirror_has_a_pool_and_values_of_headers_are_for_proxies_only() {
    let mirror = Some(OperatorMirror { requirement: "b".parse().unwrap(), percent: 5 });
    let set = vec![("authorization".to_owned(), "hunter2".to_owned())];
    let headers = HeaderEdits { set, ..HeaderEdits::default() };
    let intent = shaped("shop", "a", OperatorTraffic { mirror, headers, ..OperatorTraffic::default() });
    let facts = facts(&["a-1 healthy 1.0.0", "b-1 healthy 1.0.0"]);
    let traffic = |audience| {
        let built = build(&facts, &intent, &nothing_shared(), &Scope::base().of(audience)).unwrap();
        built.snapshot.resources().routes["shop"].policy.traffic.clone()
    };
    let (proxies, observers) = (traffic(Audience::Proxies), traffic(Audience::Observers));
    assert_eq!(proxies.mirror, Some(Mirror { pool: PoolName::new("b").unwrap(), percent: 5 }));
    assert_eq!(proxies.headers.set[0].1, "hunter2");
    assert_eq!(observers.headers, proxies.headers.without_values());
}

/// A restart with another secret in the file makes another snapshot.
#[test]
fn an_intent_with_another_value_of_a_header_is_another_intent() {
    let intent = |value: &str| {
        let set = vec![("authorization".to_owned(), value.to_owned())];
        let headers = HeaderEdits { set, ..HeaderEdits::default() };
        shaped("shop", "a", OperatorTraffic { headers, ..OperatorTraffic::default() })
    };
    assert_eq!(intent("one").digest(), intent("one").digest());
    assert_ne!(intent("one").digest(), intent("two").digest());
}

fn wanting(retry_count: u32) -> Facts {
    let mut facts = facts(&["counter-2 healthy 1.0.0"]);
    let mut standing = crate::fixture::standing("counter-1 healthy 1.1.0");
    let mut replica = std::sync::Arc::unwrap_or_clone(standing.replica);
    for capability in &mut replica.capabilities {
        let retry_count = Some(if capability.name.as_str() == "counter" { retry_count } else { retry_count + 1 });
        let written = outrigger_model::calls::WrittenCalls { retry_count, ..Default::default() };
        capability.calls = written.try_into().unwrap();
    }
    standing.replica = std::sync::Arc::new(replica);
    facts.put(standing);
    facts
}

#[test]
fn what_an_agent_asks_for_is_the_policy_of_routes_that_no_operator_declared() {
    let intent = Intent::new(vec![operator("mine", "counter")], vec![], Settings::default()).unwrap();
    let scope = Scope::parse(&["dependency=forecast"]).unwrap();
    let built = build(&wanting(4), &intent, &nothing_shared(), &scope).unwrap();
    let resources = built.snapshot.resources();
    for (route, attempts) in [("counter", 5), ("forecast", 6), ("dependency", 6), ("mine", 3)] {
        let route = &resources.routes[&RouteName::new(route).unwrap()];
        assert_eq!(route.policy.retries.attempts, attempts, "{}", route.name);
    }
    assert_eq!(resources.agents[&AgentName::new("counter").unwrap()].calls.retry_count(), Some(4));
}

#[test]
fn a_tool_may_run_twice_only_if_all_replicas_say_so() {
    let mut facts = Facts::default();
    for (replica, read_only) in [("counter-1", true), ("counter-2", false)] {
        let mut standing = crate::fixture::standing(&format!("{replica} healthy 1.0.0"));
        let mut replica = std::sync::Arc::unwrap_or_clone(standing.replica);
        let tool = |name: &str, read_only| outrigger_model::capability::Tool {
            name: name.to_owned(),
            schema: Digest::of(b""),
            hints: outrigger_model::capability::ToolHints { read_only, ..Default::default() },
        };
        for capability in &mut replica.capabilities {
            capability.tools = vec![tool("add", false), tool("get", true), tool("peek", read_only)];
        }
        standing.replica = std::sync::Arc::new(replica);
        facts.put(standing);
    }
    let built = build(&facts, &Intent::default(), &nothing_shared(), &Scope::base()).unwrap();
    let agent = &built.snapshot.resources().agents[&AgentName::new("counter").unwrap()];
    assert_eq!(agent.repeatable, ["get"]);
}
