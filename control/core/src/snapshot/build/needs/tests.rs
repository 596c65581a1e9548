use outrigger_model::name::RouteName;
use outrigger_model::revocation::Revocations;
use outrigger_model::secret::Keyring;

use crate::facts::{Facts, Standing};
use crate::fixture::{registered, standing};
use crate::intent::{Intent, OperatorRoute};
use crate::snapshot::build::{Built, Shared, build};
use crate::snapshot::scope::{Audience, Scope, Sight};

fn built(standings: Vec<Standing>, scope: Scope) -> Built {
    let mut facts = Facts::default();
    standings.into_iter().for_each(|standing| facts.put(standing));
    let shared = Shared { revocations: &Revocations::default(), keyring: &Keyring::default() };
    build(&facts, &Intent::default(), &shared, &scope).unwrap()
}

fn scope(needs: &[&str]) -> Scope {
    Scope::parse(needs).unwrap()
}

/// `replica[=tool]` of each endpoint behind a route.
fn endpoints(built: &Built, route: &str) -> Vec<String> {
    let resources = built.snapshot.resources();
    let pool = &resources.routes[route].pool;
    let shown = |endpoint: &outrigger_model::endpoint::Endpoint| match endpoint.tool.as_str() {
        "" => endpoint.replica.to_string(),
        tool => format!("{}={tool}", endpoint.replica),
    };
    resources.endpoints[pool].endpoints.iter().map(shown).collect()
}

fn three() -> Vec<Standing> {
    vec![
        registered("a-1 healthy", &["greet=greeting 2.0.0"]),
        registered("a-2 healthy", &["greet=greeting 2.0.0"]),
        registered("b-1 healthy", &["salute=greeting 2.0.0"]),
        registered("c-1 healthy", &["greet=greeting 1.0.0"]),
    ]
}

#[test]
fn calls_of_a_dependency_go_to_all_agents_that_tie_under_the_names_of_their_functions() {
    let built = built(three(), scope(&["ties=greeting @reach=ties", "one=greeting", "old=greeting ^1 @reach=ties"]));
    assert_eq!(endpoints(&built, "ties"), ["a-1", "a-2", "b-1=salute"]);
    assert_eq!(endpoints(&built, "one"), ["a-1", "a-2"]);
    assert_eq!(endpoints(&built, "old"), ["c-1"]);
    let resources = built.snapshot.resources();
    let wired: Vec<&str> = resources.wirings.keys().map(RouteName::as_str).collect();
    assert_eq!(wired, ["old", "ties"], "who names no reach is not told");
    assert_eq!(&*resources.wirings["ties"].providers[0].function, "greet");
    assert_eq!(resources.routes["old"].pool.as_str(), "c", "the agent's own pool");
}

#[test]
fn replicas_of_one_agent_with_functions_of_two_names_have_a_pool_of_their_own() {
    let standings =
        vec![registered("a-1 healthy", &["greet=greeting 2.0.0"]), registered("a-2 healthy", &["hi=greeting 2.0.0"])];
    let built = built(standings, scope(&["ties=greeting @reach=ties"]));
    assert_eq!(endpoints(&built, "ties"), ["a-1", "a-2=hi"]);
    assert_eq!(endpoints(&built, "a"), ["a-1", "a-2"], "who calls the agent names the tool himself");
}

#[test]
fn a_dependency_that_nobody_provides_has_a_route_and_is_told_so() {
    let built = built(vec![], scope(&["ties=greeting @reach=ties", "tools=any @reach=every"]));
    for route in ["ties", "tools"] {
        assert_eq!(endpoints(&built, route), [""; 0]);
        assert!(built.snapshot.resources().wirings[route].providers.is_empty());
    }
}

#[test]
fn when_the_best_goes_the_next_best_is_the_pool() {
    let mut standings = three();
    standings[0] = registered("a-1 unhealthy", &["greet=greeting 2.0.0"]);
    standings[1] = registered("a-2 unhealthy", &["greet=greeting 2.0.0"]);
    let ties = || scope(&["ties=greeting @reach=ties"]);
    assert_eq!(endpoints(&built(standings.clone(), ties()), "ties"), ["b-1"]);
    standings[2] = registered("b-1 unhealthy", &["salute=greeting 2.0.0"]);
    assert_eq!(endpoints(&built(standings, ties()), "ties"), ["c-1"]);
}

#[test]
fn a_replica_whose_function_lacks_what_it_requires_gets_no_calls_while_another_works() {
    let both = |second: &str| {
        let functions = ["greet=greeting 1.0.0", second];
        let ids = ["a-1 healthy", "a-2 healthy"];
        ids.iter().zip(functions).map(|(id, function)| registered(id, &[function])).collect::<Vec<_>>()
    };
    let needs = ["ties=greeting @reach=ties", "one=greeting"];
    let rolling = built(both("greet=greeting 2.0.0 <- !nobody"), scope(&needs));
    for route in ["ties", "one"] {
        assert_eq!(endpoints(&rolling, route), ["a-1"]);
    }
    assert_eq!(endpoints(&rolling, "a"), ["a-1", "a-2"], "who calls the agent itself is answered by it");
    assert_eq!(endpoints(&built(both("greet=greeting 2.0.0"), scope(&needs)), "ties"), ["a-1", "a-2"]);
}

#[test]
fn arguments_of_functions_are_for_proxies_only() {
    let kwargs = |scope: Scope| {
        let built = built(three(), scope);
        built.snapshot.resources().wirings["ties"].providers[0].kwargs.to_string()
    };
    let scope = || scope(&["ties=greeting @reach=ties"]);
    assert_eq!(kwargs(scope()), r#"{"function_name":"greet"}"#);
    assert_eq!(kwargs(scope().of(Audience::Observers)), "");
}

/// The same agent in two namespaces.
fn namesakes() -> Vec<Standing> {
    vec![
        registered("prov-1 healthy", &["greet=greeting 1.0.0"]),
        registered("prov-2@team healthy", &["greet=greeting 2.0.0", "own=secret 1.0.0"]),
        standing("plain-1 healthy 1.0.0"),
    ]
}

#[test]
fn a_view_holds_the_agents_and_capabilities_of_its_namespace_only() {
    let told = |scope: Scope| {
        let built = built(namesakes(), scope);
        let resources = built.snapshot.resources();
        let agents: Vec<_> = resources.agents.keys().map(ToString::to_string).collect();
        let capabilities: Vec<_> = resources.capabilities.keys().map(ToString::to_string).collect();
        (agents.join(" "), capabilities.join(" "), endpoints(&built, "prov").join(" "))
    };
    let expected = |texts: [&str; 3]| (texts[0].to_owned(), texts[1].to_owned(), texts[2].to_owned());
    assert_eq!(told(Scope::base()), expected(["plain prov", "forecast greeting plain prov", "prov-1"]));
    let team = Scope::base().within("team".parse().unwrap());
    assert_eq!(told(team), expected(["prov", "greeting prov secret", "prov-2"]));
}

#[test]
fn what_is_asked_of_another_namespace_never_shares_a_pool_with_an_agent_of_that_name() {
    let scope = scope(&["far=greeting @namespace=team @reach=ties", "near=greeting @reach=ties"]);
    let built = built(namesakes(), scope);
    assert_eq!(
        (endpoints(&built, "far"), endpoints(&built, "near")),
        (vec!["prov-2".to_owned()], vec!["prov-1".to_owned()])
    );
    let routes = &built.snapshot.resources().routes;
    assert_ne!(routes["far"].pool, routes["near"].pool);
    assert_eq!(endpoints(&built, "prov"), ["prov-1"]);
}

#[test]
fn a_route_of_an_operator_is_in_the_views_of_the_namespace_that_it_asks() {
    let route = |name: &str, requirement: &str| OperatorRoute {
        name: RouteName::new(name).unwrap(),
        requirement: requirement.parse().unwrap(),
        policy: Default::default(),
        traffic: Default::default(),
    };
    let routes = vec![route("here", "greeting"), route("there", "greeting @namespace=team")];
    let intent = Intent::new(routes, vec![], Default::default()).unwrap();
    let mut facts = Facts::default();
    namesakes().into_iter().for_each(|standing| facts.put(standing));
    let shared = Shared { revocations: &Revocations::default(), keyring: &Keyring::default() };
    let has = |scope: Scope, name: &str| {
        let built = build(&facts, &intent, &shared, &scope).unwrap();
        built.snapshot.resources().routes.contains_key(name).then(|| endpoints(&built, name).join(" "))
    };
    let team = || Scope::base().within("team".parse().unwrap());
    assert_eq!((has(Scope::base(), "here"), has(Scope::base(), "there")), (Some("prov-1".to_owned()), None));
    assert_eq!((has(team(), "here"), has(team(), "there")), (None, Some("prov-2".to_owned())));
}

#[test]
fn a_change_of_what_is_beside_leaves_the_wirings_and_one_of_the_provider_does_not() {
    let scope = || scope(&["ties=greeting @reach=ties", "tools=any +greet @reach=every"]);
    let wirings = |standings: Vec<Standing>| built(standings, scope()).snapshot.resources().wirings.clone();
    let before = wirings(three());
    let changed = |standings: Vec<Standing>| {
        let after = wirings(standings);
        ["ties", "tools"].map(|route| after[route] != before[route])
    };
    let with = |standing: Standing| three().into_iter().chain([standing]).collect::<Vec<_>>();
    assert_eq!(changed(with(registered("other-1@team healthy", &["greet=greeting 9.0.0"]))), [false, false]);
    assert_eq!(changed(with(registered("a-3 healthy", &["greet=greeting 2.0.0"]))), [false, false]);
    assert_eq!(changed(with(standing("plain-1 healthy 1.0.0"))), [false, false]);
    assert_eq!(changed(with(registered("other-1 healthy", &["sing=song 1.0.0"]))), [false, true], "a tool more");
    let again = |function: &str| {
        let mut standings = three();
        standings[0] = registered("a-1 healthy", &[function]);
        standings
    };
    assert_eq!(changed(again("greet=greeting 2.0.1")), [true, true], "another version in place");
    assert_eq!(changed(again("hello=greeting 2.0.1")), [true, true], "another function in place");
}

#[test]
fn who_sees_its_needs_only_is_sent_nothing_of_what_it_does_not_call() {
    let mesh = || ["weather", "clock", "news"].map(|agent| standing(&format!("{agent}-1 healthy 1.0.0"))).to_vec();
    let narrow = |needs: &[&str]| built(mesh(), scope(needs).seeing(Sight::Needs));
    let asked = narrow(&["forecast=weather"]);
    let resources = asked.snapshot.resources();
    assert_eq!(resources.agents.keys().map(|name| name.as_str()).collect::<Vec<_>>(), ["weather"]);
    assert_eq!(resources.routes.keys().map(|name| name.as_str()).collect::<Vec<_>>(), ["forecast", "weather"]);
    assert_eq!((resources.pools.len(), resources.capabilities.len()), (1, 0));
    assert_eq!(narrow(&[]).snapshot.resources().pools.len(), 0);
    assert_eq!(built(mesh(), scope(&[])).snapshot.resources().agents.len(), 3);
    assert_ne!(scope(&[]).seeing(Sight::Needs).key(), scope(&[]).key());
}
