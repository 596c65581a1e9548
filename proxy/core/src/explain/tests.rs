use std::sync::Arc;
use std::time::Instant;

use outrigger_model::name::{PoolName, RouteName};
use outrigger_model::retries::Budget;
use outrigger_model::route::Affinity;
use outrigger_model::traffic::{Branch, Share, Traffic, When};

use super::{Explanation, Question, Repeats, explain};
use crate::mcp::facts::Caller;
use crate::plan::Rung;
use crate::refusal::Refusal;
use crate::session::bind::Binding;
use crate::session::key::KeyKind;
use crate::tests::Mesh;
use crate::world::table::World;

type Headers<'a> = &'a [(&'a str, &'a str)];

fn asked(
    world: &World,
    name: &str,
    (method, tool): (&str, Option<&str>),
    headers: Headers<'_>,
    binding: Option<&Binding>,
) -> Result<Explanation, Refusal> {
    let named = tool.map(|tool| format!(r#","params":{{"name":"{tool}"}}"#)).unwrap_or_default();
    let body = format!(r#"{{"jsonrpc":"2.0","id":1,"method":"{method}"{named}}}"#);
    let headers: Vec<_> = headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    let caller = Caller::new("me");
    let question = Question { name, method, tool, headers: &headers, body: body.as_bytes(), caller: &caller };
    explain(world, question, |_| binding.cloned().map(Arc::new), Instant::now())
}

fn row(world: &World, call: (&str, Option<&str>), headers: Headers<'_>) -> (u8, Repeats) {
    let told = asked(world, "weather", call, headers, None).unwrap();
    (told.aim.row().number, told.repeats)
}

#[test]
fn a_call_says_its_row_and_why_it_may_run_twice_or_not() {
    let now = Instant::now();
    let mesh = Mesh::of("weather", 2);
    let world = mesh.world(now);
    let call = ("tools/call", Some("increment"));
    assert_eq!(row(&world, ("tools/list", None), &[]), (2, Repeats::Read));
    assert_eq!(row(&world, ("initialize", None), &[]), (11, Repeats::Read));
    assert_eq!(row(&world, call, &[]), (4, Repeats::ToolNotNamed));
    assert_eq!(row(&world, ("tools/call", None), &[]), (4, Repeats::NoTool));
    assert_eq!(row(&world, ("tasks/update", None), &[]).1, Repeats::MayAct);
    assert_eq!(row(&world, call, &[("mcp-session-id", "s-1")]), (12, Repeats::InSession));
    let legacy = [("mcp-protocol-version", "2025-06-18")];
    assert_eq!(row(&world, call, &legacy), (19, Repeats::ToolNotNamed));
    assert_eq!(row(&world, ("GET", None), &[]).0, 17);
    assert_eq!(row(&world, ("DELETE", None), &[]).0, 18);
    let named = mesh.clone().retries(|retries| retries.tools = vec!["inc*".parse().unwrap()]).world(now);
    assert_eq!(row(&named, call, &[]), (4, Repeats::ToolByName));
    assert_eq!(row(&named, call, &legacy), (19, Repeats::ToolByName));
    let trusting = mesh.retries(|retries| retries.trust_hints = true);
    assert_eq!(row(&trusting.world(now), call, &[]), (4, Repeats::ToolNotHinted));
    assert_eq!(row(&trusting.repeatable(&["increment"]).world(now), call, &[]), (4, Repeats::ToolByHint));
    let replica = asked(&world, "weather-2", call, &[], None).unwrap();
    assert_eq!((replica.repeats, replica.plan.unwrap().rung()), (Repeats::NoRoute, Rung::Named));
    assert_eq!(replica.only.unwrap().replica.as_str(), "weather-2");
}

#[test]
fn what_holds_a_call_at_one_replica_is_said() {
    let world = Mesh::of("weather", 3).world(Instant::now());
    let binding = Binding::new(KeyKind::Session, world.replica("weather-3").unwrap(), &Caller::new("me"), 0);
    let told = asked(&world, "weather", ("tools/list", None), &[("mcp-session-id", "s-1")], Some(&binding)).unwrap();
    assert_eq!(told.only.unwrap().replica.as_str(), "weather-3");
    assert_eq!(told.plan.unwrap().rung(), Rung::Key(KeyKind::Session));
    assert!(told.prospects[0].preview.is_none(), "the balance of the pool is not asked");
}

#[test]
fn the_branch_that_fits_says_who_shares_the_call_and_a_caller_that_stays_knows_its_pool() {
    let shares = |weights: [u16; 2]| {
        let pools = ["weather", "next"].map(|name| PoolName::new(name).unwrap());
        pools.into_iter().zip(weights).map(|(pool, weight)| Share { pool, weight }).collect::<Vec<_>>()
    };
    let when = When { headers: vec![("x-env".into(), "test".into())], callers: Vec::new() };
    let branches = vec![
        Branch { when: when.clone(), shares: shares([0, 100]) },
        Branch { when: When::default(), shares: shares([90, 10]) },
    ];
    let mut mesh = Mesh::of("weather", 2).and("next", 1);
    let route = mesh.resources.routes.get_mut(&RouteName::new("weather").unwrap()).unwrap();
    route.policy.traffic = Traffic { branches, ..Traffic::default() };
    let call = ("tools/call", Some("increment"));
    let chosen = |world: &World, headers: Headers<'_>| {
        let told = asked(world, "weather", call, headers, None).unwrap();
        let pools = told.prospects.iter().map(|it| (it.pool.name.to_string(), it.weight, it.is_chosen));
        (told.branch, pools.collect::<Vec<_>>())
    };
    let world = mesh.world(Instant::now());
    let (branch, pools) = chosen(&world, &[("x-env", "test")]);
    assert_eq!(branch, Some(when));
    assert_eq!(pools, [("weather".into(), 0, false), ("next".into(), 100, true)]);
    let (_, pools) = chosen(&mesh.affinity(Affinity::Keys).world(Instant::now()), &[]);
    assert_eq!(pools, [("weather".into(), 90, false), ("next".into(), 10, false)], "it is drawn for each call");
}

#[test]
fn an_unknown_name_is_told_with_the_known_ones_and_a_line_too_many_is_refused() {
    let world = Mesh::of("weather", 1).and("maps", 1).world(Instant::now());
    let unknown = asked(&world, "wether", ("ping", None), &[], None).unwrap_err();
    assert!(unknown.label() == "no_route" && unknown.hint().contains("maps"), "{}", unknown.hint());
    let smuggled = asked(&world, "weather", ("ping", None), &[("x-a", "1\r\nmcp-session-id: s-1")], None);
    assert_eq!(smuggled.unwrap_err().label(), "malformed");
}

#[test]
fn to_ask_uses_nothing_of_the_budget_and_counts_no_call() {
    let now = Instant::now();
    let world = Mesh::of("weather", 2).world(now);
    let pool = &world.route("weather").unwrap().pool;
    let (budget, turn) = (Budget { percent: 100, per_second_min: 0 }, pool.live.turn());
    pool.live.retries().saw_call(now);
    for _ in 0..9 {
        asked(&world, "weather", ("tools/list", None), &[], None).unwrap();
    }
    assert_eq!((pool.live.retries().left(budget, now), pool.live.turn()), (1, turn));
    assert!(pool.endpoints.iter().all(|endpoint| endpoint.live.in_flight() == 0));
}
