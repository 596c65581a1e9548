use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use http::StatusCode;
use outrigger_model::name::{PoolName, RouteName};
use outrigger_model::route::Affinity;
use outrigger_model::traffic::{Branch, Faults, Mirror, Share, Traffic, When};

use super::Lot;
use super::split::mix;
use crate::balance::tried::Tried;
use crate::http1::written::fields;
use crate::mcp::envelope::Scanner;
use crate::mcp::facts::{CallFacts, Caller, Verb};
use crate::plan::{self, Aim, Plan};
use crate::refusal::Refusal;
use crate::session::bind::Binding;
use crate::session::key::KeyKind;
use crate::target::Target;
use crate::tests::Mesh;
use crate::world::table::World;

const MODERN: (&str, &str) = ("mcp-protocol-version", "2026-07-28");
const CALL: (&str, &str) = ("mcp-method", "tools/call");
const LEGACY: (&str, &str) = ("mcp-protocol-version", "2025-11-25");
const SESSION: (&str, &str) = ("mcp-session-id", "s-1");

fn pool(name: &str) -> PoolName {
    PoolName::new(name).unwrap()
}

fn branch(header: Option<&str>, shares: &[(&str, u16)]) -> Branch {
    let headers = header.map(|value| ("x-env".to_owned(), value.to_owned()));
    let share = |(name, weight): &(&str, u16)| Share { pool: pool(name), weight: *weight };
    Branch {
        when: When { headers: headers.into_iter().collect(), callers: Vec::new() },
        shares: shares.iter().map(share).collect(),
    }
}

/// Agents `one`, `two` and `test` of two replicas each; the route `one` has this traffic.
fn world(affinity: Affinity, traffic: Traffic) -> World {
    let mut mesh = Mesh::of("one", 2).and("two", 2).and("test", 2).affinity(affinity);
    mesh.resources.routes.get_mut(&RouteName::new("one").unwrap()).unwrap().policy.traffic = traffic;
    mesh.world(Instant::now())
}

fn split(weights: [u16; 2]) -> Traffic {
    let shares = [("one", weights[0]), ("two", weights[1])];
    Traffic { branches: vec![branch(Some("test"), &[("test", 1)]), branch(None, &shares)], ..Traffic::default() }
}

fn aim(world: &World, lines: &[(&str, &str)], body: &str, caller: &str, chance: u64) -> Aim {
    let fields = fields(lines);
    let target = Target::from_path("/one/mcp").unwrap();
    let facts = CallFacts::read(Verb::Post, &fields, target, Caller::new(caller)).unwrap();
    let dest = plan::dest(world, facts.target).unwrap();
    let lot = Some(Lot { chance, now: Instant::now() });
    if body.is_empty() {
        return plan::aim(dest, &facts, None, lot);
    }
    let mut scanner = Scanner::wanting(dest.wants(&facts));
    scanner.read_on(body.as_bytes()).unwrap();
    let envelope = scanner.envelope(body.as_bytes());
    plan::aim(dest, &facts.with_envelope(&envelope, true).unwrap(), Some(&envelope), lot)
}

fn modern(world: &World, env: Option<&str>, caller: &str, chance: u64) -> Result<Plan, Refusal> {
    let env = env.map(|env| ("X-Env", env));
    let lines: Vec<_> = [MODERN, CALL].into_iter().chain(env).collect();
    plan::plan(world, aim(world, &lines, "", caller, chance), &[])
}

fn agent_of(plan: &Plan) -> String {
    plan.pick(&Tried::default(), Instant::now()).unwrap().endpoint.agent.to_string()
}

#[test]
fn the_first_branch_that_matches_decides_and_without_one_the_route_itself() {
    let world = world(Affinity::None, split([0, 1]));
    assert_eq!(agent_of(&modern(&world, Some("test"), "me", 1).unwrap()), "test");
    assert_eq!(agent_of(&modern(&world, Some("other"), "me", 1).unwrap()), "two");
    let only = Traffic { branches: vec![branch(Some("test"), &[("test", 1)])], ..Traffic::default() };
    let world = self::world(Affinity::None, only);
    assert_eq!(agent_of(&modern(&world, None, "me", 1).unwrap()), "one");
    assert_eq!(agent_of(&modern(&world, Some("test"), "me", 1).unwrap()), "test");
}

#[test]
fn by_chance_where_no_affinity_holds_callers_and_else_one_caller_sees_one_version() {
    for (affinity, stays) in
        [(Affinity::None, false), (Affinity::Keys, false), (Affinity::Auto, true), (Affinity::Agent, true)]
    {
        let world = world(affinity, split([70, 30]));
        let mut seen: BTreeMap<String, u32> = BTreeMap::new();
        for call in 0..10_000 {
            *seen.entry(agent_of(&modern(&world, None, "me", mix(call)).unwrap())).or_default() += 1;
        }
        match stays {
            true => assert_eq!(seen.len(), 1, "{affinity:?}: {seen:?}"),
            false => assert!((2_700..=3_300).contains(&seen["two"]), "{affinity:?}: {seen:?}"),
        }
    }
}

/// What a match leads to is meant for those calls alone; nobody who asks for staging gets production.
#[test]
fn calls_of_a_branch_that_nobody_provides_are_refused_and_go_nowhere_else() {
    let mut mesh = Mesh::of("one", 2).and("two", 2).and("test", 2).without("test-1").without("test-2");
    mesh.resources.routes.get_mut(&RouteName::new("one").unwrap()).unwrap().policy.traffic = split([1, 1]);
    let world = mesh.world(Instant::now());
    let refused = modern(&world, Some("test"), "me", 1).unwrap_err();
    assert_eq!(refused, Refusal::NoProvider { route: "one".to_owned() });
    assert!(modern(&world, None, "me", 1).is_ok());
}

#[test]
fn a_session_stays_where_it_was_opened_whatever_the_weights_and_its_caller_are_now() {
    for affinity in [Affinity::Auto, Affinity::Keys] {
        let world = world(affinity, split([1, 0]));
        // The session lives at `two`, which gets nothing any more.
        let endpoint = world.replica("two-2").unwrap();
        let binding = Arc::new(Binding::new(KeyKind::Session, endpoint, &Caller::new("me"), 1));
        let mut aim = aim(&world, &[LEGACY, SESSION], r#"{"jsonrpc":"2.0","id":1,"method":"tools/list"}"#, "me", 3);
        assert_eq!(aim.agent().as_str(), "one");
        let of_one = aim.session().unwrap();
        let mut asked = Vec::new();
        while aim.ask_elsewhere(asked.len()) {
            asked.push(aim.agent().to_string());
            assert_ne!(aim.session().unwrap(), of_one);
        }
        asked.sort();
        assert_eq!((asked, aim.session().unwrap()), (vec!["test".to_owned(), "two".to_owned()], of_one), "each once");
        // The store knows it under the key of `two`.
        let key = crate::session::key::SessionKey::of(&endpoint.agent, b"s-1");
        aim.prefer(|carried| carried.key == key);
        assert_eq!(aim.session(), Some(key));
        let plan = plan::plan(&world, aim, &[Some(binding)]).unwrap();
        let picked = plan.pick(&Tried::default(), Instant::now()).unwrap();
        assert_eq!(picked.endpoint.replica.as_str(), "two-2");
    }
}

#[test]
fn faults_hit_their_percent_of_the_calls_each_once() {
    let faults = Faults { percent: 10, delay: Some(Duration::from_millis(5)), status: Some(418) };
    let world = world(Affinity::None, Traffic { faults: Some(faults), ..split([1, 1]) });
    let hit = (0..10_000).filter(|call| {
        let plan = modern(&world, None, "me", mix(*call)).unwrap();
        let fault = plan.fault(mix(*call));
        assert_eq!(fault, plan.fault(mix(*call)), "the same lot, the same fate");
        let refusal = Some(Refusal::FaultInjected { status: StatusCode::from_u16(418).unwrap() });
        fault.is_some_and(|fault| fault.delay == faults.delay && fault.refusal == refusal)
    });
    assert!((850..=1_150).contains(&hit.count()));
}

#[test]
fn what_is_part_of_something_is_never_copied() {
    let mirror = Some(Mirror { pool: pool("test"), percent: 100 });
    let world = world(Affinity::Auto, Traffic { mirror, ..Traffic::default() });
    let copied = |lines: &[(&str, &str)], body: &str| {
        let plan = plan::plan(&world, aim(&world, lines, body, "me", 7), &[None]).unwrap();
        plan.copy(7).map(|pool| pool.name.to_string())
    };
    let message = |method: &str| format!(r#"{{"jsonrpc":"2.0","id":1,"method":"{method}"}}"#);
    let to = |method: &'static str| [MODERN, ("mcp-method", method)];
    for method in ["tools/call", "tools/list", "resources/read", "server/discover", "something/new"] {
        assert_eq!(copied(&to(method), "").as_deref(), Some("test"), "{method}");
    }
    assert_eq!(copied(&[LEGACY], &message("tools/call")).as_deref(), Some("test"), "of no session");
    for method in ["subscriptions/listen", "tasks/update", "tasks/get"] {
        assert_eq!(copied(&to(method), ""), None, "{method}");
    }
    assert_eq!(copied(&[], &message("initialize")), None);
    assert_eq!(copied(&[LEGACY, SESSION], &message("tools/list")), None);
}

#[test]
fn a_route_that_says_nothing_draws_nothing() {
    let world = world(Affinity::Auto, Traffic::default());
    assert!(world.route("one").unwrap().shaping.is_none());
    let plan = modern(&world, None, "me", 1).unwrap();
    assert!(plan.fault(1).is_none() && plan.copy(1).is_none());
}
