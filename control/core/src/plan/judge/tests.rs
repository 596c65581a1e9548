use outrigger_model::name::{AgentName, RouteName};
use outrigger_model::route::RoutePolicy;
use outrigger_model::settings::Settings;
use outrigger_model::traffic::HeaderEdits;

use super::*;
use crate::fixture::facts;
use crate::intent::OperatorPool;
use crate::intent::traffic::{OperatorMirror, OperatorShare};

fn route(name: &str, requirement: &str) -> OperatorRoute {
    OperatorRoute {
        name: RouteName::new(name).unwrap(),
        requirement: requirement.parse().unwrap(),
        policy: RoutePolicy::default(),
        traffic: OperatorTraffic::default(),
    }
}

fn share(weight: u16, requirement: &str) -> OperatorShare {
    OperatorShare { weight, requirement: requirement.parse().unwrap() }
}

fn when(headers: &[(&str, &str)], callers: &[&str]) -> When {
    let headers = headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    When { headers, callers: callers.iter().map(|caller| (*caller).to_owned()).collect() }
}

fn found(routes: Vec<OperatorRoute>, pools: Vec<(&str, OperatorPool)>) -> Vec<String> {
    let rows = ["weather-1 healthy 1.2.0 eu", "tides-1 unhealthy 1.0.0 eu"];
    let pools = pools.into_iter().map(|(agent, pool)| (AgentName::new(agent).unwrap(), pool)).collect();
    let intent = Intent::new(routes, pools, Settings::default()).unwrap();
    judge(&intent, &facts(&rows)).iter().map(ToString::to_string).collect()
}

fn check(route: OperatorRoute, expected: &[&str]) {
    assert_eq!(found(vec![route], vec![]), expected);
}

#[test]
fn what_leads_somewhere_is_no_finding() {
    check(route("today", "weather ^1 eu +fast"), &[]);
    check(route("weather", "weather"), &[]);
}

#[test]
fn what_nobody_provides_is_found_with_the_field_that_rules_everybody_out() {
    check(route("x", "sea"), &["routes[x].capability: unknown_capability: no agent offers `sea`"]);
    check(route("x", "weather asia"), &["routes[x].tags: unknown_tag: nobody who offers `weather` has the tag `asia`"]);
    check(route("x", "weather ^9"), &["routes[x]: leads_nowhere: nobody who offers `weather` fits `weather ^9`"]);
    check(
        route("x", "tides"),
        &["routes[x]: leads_nowhere: `tides` would provide `tides`, and none of its replicas is healthy"],
    );
}

#[test]
fn a_route_under_the_name_of_something_else_is_found() {
    check(
        route("tides", "weather"),
        &[
            "routes[tides].name: shadowed_name: the agent `tides` is no longer reached by its name, which leads to `weather`",
        ],
    );
    check(
        route("forecast", "weather"),
        &[
            "routes[forecast].name: shadowed_name: the capability `forecast` is no longer reached by its name, which leads to `weather`",
        ],
    );
}

#[test]
fn every_share_and_mirror_is_judged_where_it_stands() {
    let branches = vec![
        OperatorBranch { when: when(&[("x-track", "next")], &[]), shares: vec![share(1, "sea")] },
        OperatorBranch { when: when(&[], &["desk"]), shares: vec![share(1, "weather"), share(0, "weather ^9")] },
        OperatorBranch { when: When::default(), shares: vec![share(90, "weather"), share(10, "weather asia")] },
    ];
    let mirror = Some(OperatorMirror { requirement: "lake".parse().unwrap(), percent: 5 });
    let traffic = OperatorTraffic { branches, mirror, ..OperatorTraffic::default() };
    check(
        OperatorRoute { traffic, ..route("x", "weather") },
        &[
            "routes[x].match[0].to.capability: unknown_capability: no agent offers `sea`",
            "routes[x].match[1].split[1].weight: zero_weight: it gets no calls",
            "routes[x].match[1].split[1]: leads_nowhere: nobody who offers `weather` fits `weather ^9`",
            "routes[x].split[1].tags: unknown_tag: nobody who offers `weather` has the tag `asia`",
            "routes[x].mirror.capability: unknown_capability: no agent offers `lake`",
        ],
    );
}

#[test]
fn what_never_decides_is_found() {
    let branch = |when| OperatorBranch { when, shares: vec![share(1, "weather")] };
    let with = |branches: Vec<When>| OperatorTraffic {
        branches: branches.into_iter().map(branch).collect(),
        ..OperatorTraffic::default()
    };
    let unreachable = |earlier: usize, at: usize| {
        format!(
            "routes[x].match[{at}]: unreachable: match[{earlier}] takes every call that this is about, and comes first"
        )
    };
    for (branches, expected) in [
        (vec![when(&[("a", "1")], &[]), when(&[("a", "1"), ("b", "2")], &[])], vec![unreachable(0, 1)]),
        (vec![when(&[], &["desk", "bot"]), when(&[("a", "1")], &["bot"])], vec![unreachable(0, 1)]),
        (vec![when(&[("a", "1")], &[]), when(&[("a", "2")], &[])], vec![]),
        (vec![when(&[], &["desk"]), when(&[], &["desk", "bot"])], vec![]),
        (vec![when(&[], &["desk"]), when(&[("a", "1")], &[])], vec![]),
    ] {
        let route = OperatorRoute { traffic: with(branches), ..route("x", "weather") };
        assert_eq!(found(vec![route], vec![]), expected);
    }
    let split = OperatorRoute { traffic: with(vec![When::default()]), ..route("x", "weather ^9") };
    let all = found(vec![split], vec![]);
    assert!(all.len() == 1 && all[0].starts_with("routes[x]: unreachable: with `split`"), "{all:?}");
}

#[test]
fn header_fields_that_may_carry_secrets_are_named_without_their_values() {
    let marker = "hunter2";
    let field = |name: &str| (name.to_owned(), marker.to_owned());
    let headers = HeaderEdits {
        set: vec![field("authorization"), field("x-team")],
        add: vec![field("x-api-key")],
        ..HeaderEdits::default()
    };
    let branches = vec![OperatorBranch { when: when(&[("cookie", marker)], &[]), shares: vec![share(1, "weather")] }];
    let traffic = OperatorTraffic { headers, branches, ..OperatorTraffic::default() };
    let all = found(vec![OperatorRoute { traffic, ..route("x", "weather") }], vec![]);
    let paths: Vec<&str> = all.iter().map(|line| line.split(':').next().unwrap()).collect();
    assert_eq!(
        paths,
        ["routes[x].headers.set.authorization", "routes[x].headers.add.x-api-key", "routes[x].match[0].headers.cookie"]
    );
    assert!(!all.concat().contains(marker), "{all:?}");
}

#[test]
fn pools_of_agents_and_tiers_of_tags_that_nobody_has_are_found() {
    let tiers = |tags: &[&str]| OperatorPool { tiers: vec![TagSet::parse(tags).unwrap()], ..OperatorPool::default() };
    assert_eq!(
        found(vec![], vec![("weather", tiers(&["eu"])), ("sea", tiers(&["eu"]))]),
        ["pools[sea].agent: unknown_agent: no agent `sea` is registered; the rules wait for it"]
    );
    assert_eq!(
        found(vec![], vec![("weather", tiers(&["eu", "gpu"]))]),
        ["pools[weather].tiers[0]: unknown_tag: no replica of `weather` has `eu` and `gpu`"]
    );
}
