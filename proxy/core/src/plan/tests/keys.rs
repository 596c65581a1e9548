//! Keys beside the session id: which decides, what becomes of those that do not, and what is claimed before a call is sent.

use std::sync::Arc;
use std::time::{Duration, Instant};

use http::StatusCode;
use outrigger_model::digest::Digest;
use outrigger_model::endpoint::EndpointState;
use outrigger_model::key::{ArgumentKey, KeySource};
use outrigger_model::settings::Settings;

use super::{Call, HOUR, LEGACY, MODERN, SESSION};
use crate::balance::tried::Tried;
use crate::http1::head::ResponseHead;
use crate::mcp::facts::Caller;
use crate::mcp::minted::Mint;
use crate::outcome::{NotReached, Outcome};
use crate::plan::{Plan, Rung};
use crate::refusal::Refusal;
use crate::retry::judge::Verdict;
use crate::session::bind::{Binding, Lesson};
use crate::session::key::KeyKind;
use crate::tests::Mesh;
use crate::world::table::World;

const CART: (&str, &str) = ("x-cart", "c-1");
const SHELF: (&str, &str) = ("x-shelf", "s-1");
const TOOL: (&str, &str) = ("mcp-method", "tools/call");

fn mesh() -> Mesh {
    Mesh::of("weather", 3).keys(&[
        KeySource::header("X-Cart").unwrap(),
        KeySource::header("X-Shelf").unwrap(),
        KeySource::Argument(ArgumentKey::new("session_id", vec![]).unwrap()),
    ])
}

fn call() -> Call {
    Call::to("/weather/mcp").with(MODERN).with(TOOL)
}

fn held(world: &World, kind: KeyKind, replica: &str, caller: &str) -> Option<Arc<Binding>> {
    Some(Arc::new(Binding::new(kind, world.replica(replica).unwrap(), &Caller::new(caller), 0)))
}

fn picked(plan: &Plan) -> String {
    plan.pick(&Tried::default(), Instant::now()).unwrap().endpoint.replica.to_string()
}

#[test]
fn keys_decide_in_the_order_of_their_kinds_and_then_of_the_route() {
    let world = mesh().world(Instant::now());
    let body = r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"add","arguments":{"session_id":7},"requestState":"s"}}"#;
    let call = call().with(("mcp-name", "add")).with(SHELF).with(CART).body(body);
    let kinds: Vec<KeyKind> = call.aim(&world).unwrap().keys().iter().map(|carried| carried.kind).collect();
    assert_eq!(kinds, [KeyKind::State, KeyKind::Handle, KeyKind::Handle, KeyKind::Handle]);
    let (state, handle) = (KeyKind::State, KeyKind::Handle);
    for (found, rung, replica) in [
        (vec![held(&world, state, "weather-2", "me")], Rung::Key(state), Some("weather-2")),
        (vec![None, held(&world, handle, "weather-3", "me")], Rung::Key(handle), Some("weather-3")),
        (vec![None, None, None, held(&world, handle, "weather-1", "me")], Rung::Key(handle), Some("weather-1")),
        (vec![None, None, None, None], Rung::Agent, None),
    ] {
        let plan = call.plan_with(&world, &found).unwrap();
        assert_eq!(plan.rung(), rung);
        assert!(replica.is_none_or(|replica| picked(&plan) == replica), "{replica:?}");
    }
}

#[test]
fn a_session_holds_its_calls_whatever_other_keys_they_carry() {
    let world = mesh().world(Instant::now());
    let body =
        r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"add","arguments":{"session_id":"a"}}}"#;
    let call = Call::to("/weather/mcp").with(LEGACY).with(SESSION).with(CART).body(body);
    let aim = call.aim(&world).unwrap();
    let kinds: Vec<KeyKind> = aim.keys().iter().map(|carried| carried.kind).collect();
    assert_eq!(kinds, [KeyKind::Session, KeyKind::Handle], "arguments are not asked");
    let session = held(&world, KeyKind::Session, "weather-2", "me");
    assert!(aim.is_settled_by(aim.keys()[0], session.as_ref().unwrap(), &world), "the handle is not looked up");
    let plan = call.plan_with(&world, &[session]).unwrap();
    assert_eq!(picked(&plan), "weather-2");
    assert_eq!(plan.claim(world.replica("weather-2").unwrap(), 0), None);
}

#[test]
fn what_an_agent_minted_for_one_caller_is_refused_to_others() {
    let world = mesh().world(Instant::now());
    let poll = Call::to("/weather/mcp").with(MODERN).with(("mcp-method", "tasks/get")).with(("mcp-name", "t-1"));
    let task = held(&world, KeyKind::Task, "weather-2", "me");
    assert_eq!(picked(&poll.plan_with(&world, std::slice::from_ref(&task)).unwrap()), "weather-2");
    let refused = poll.by("other").plan_with(&world, &[task]).unwrap_err();
    assert_eq!(refused, Refusal::SessionOfAnotherCaller);
}

#[test]
fn a_handle_of_another_caller_is_another_handle() {
    let world = mesh().world(Instant::now());
    let key = |caller: &str| call().with(CART).by(caller).aim(&world).unwrap().keys()[0].key;
    assert_ne!(key("me"), key("other"));
    assert_eq!(key("me"), key("me"));
    let other_place = call().with(("x-shelf", "c-1")).aim(&world).unwrap().keys()[0].key;
    assert_ne!(key("me"), other_place);
}

#[test]
fn a_task_whose_replica_is_gone_is_asked_for_on_the_next_rung_and_never_told_404() {
    let mesh = mesh();
    let world = mesh.world(Instant::now());
    let task = held(&world, KeyKind::Task, "weather-2", "me");
    let without = mesh.without("weather-2").world(Instant::now());
    let poll = Call::to("/weather/mcp").with(MODERN).with(("mcp-method", "tasks/get")).with(("mcp-name", "t-1"));
    let plan = poll.plan_with(&without, &[task]).unwrap();
    assert_eq!(plan.rung(), Rung::Agent);
    assert_eq!(plan.claim(without.replica("weather-1").unwrap(), 0), None, "nobody else holds it from now on");
}

#[test]
fn an_unknown_handle_is_claimed_for_the_replica_that_the_ladder_picks() {
    let world = mesh().world(Instant::now());
    let mut plan = call().with(CART).with(SHELF).plan_with(&world, &[None, None]).unwrap();
    let endpoint = plan.pick(&Tried::default(), Instant::now()).unwrap().endpoint;
    for _ in 0..2 {
        let (key, binding) = plan.claim(&endpoint, 5).unwrap();
        assert_eq!((binding.kind, &binding.replica, binding.moves), (KeyKind::Handle, &endpoint.replica, 0));
        assert!(plan.claimed(key, &Arc::new(binding), &endpoint, &world, &Tried::default()).is_none());
    }
    assert_eq!(plan.claim(&endpoint, 5), None, "both are held now");
}

#[test]
fn who_comes_second_goes_where_the_first_went() {
    let world = mesh().world(Instant::now());
    let mut plan = call().with(CART).plan_with(&world, &[None]).unwrap();
    let endpoint = plan.pick(&Tried::default(), Instant::now()).unwrap().endpoint;
    let other = ["weather-1", "weather-2"].into_iter().find(|name| *name != endpoint.replica.as_str()).unwrap();
    let (key, _) = plan.claim(&endpoint, 0).unwrap();
    let known = held(&world, KeyKind::Handle, other, "me").unwrap();
    let moved = plan.claimed(key, &known, &endpoint, &world, &Tried::default()).unwrap();
    assert_eq!(moved.replica.as_str(), other);
    assert_eq!((plan.rung(), plan.claim(&moved, 0)), (Rung::Key(KeyKind::Handle), None));
}

#[test]
fn a_handle_whose_replica_is_gone_moves_at_once() {
    let mesh = mesh();
    let world = mesh.world(Instant::now());
    let known = held(&world, KeyKind::Handle, "weather-2", "me");
    let without = mesh.clone().without("weather-2").world(Instant::now());
    let plan = call().with(CART).plan_with(&without, std::slice::from_ref(&known)).unwrap();
    let endpoint = plan.pick(&Tried::default(), Instant::now()).unwrap().endpoint;
    assert_eq!(plan.claim(&endpoint, 0).unwrap().1.moves, 1);
    let restarted = mesh.clone().generation("weather-2", 2).world(Instant::now());
    let plan = call().with(CART).plan_with(&restarted, std::slice::from_ref(&known)).unwrap();
    assert_eq!(plan.claim(restarted.replica("weather-2").unwrap(), 0).unwrap().1.moves, 1, "another process");
    let draining = mesh.state("weather-2", EndpointState::Draining).world(Instant::now());
    let plan = call().with(CART).plan_with(&draining, &[known]).unwrap();
    assert_eq!(picked(&plan), "weather-2", "who drains keeps what it holds");
}

#[test]
fn a_replica_that_cannot_be_reached_keeps_its_handles_for_a_while_and_then_loses_them() {
    let now = Instant::now();
    let world = mesh().world(now);
    let plan = call().with(CART).plan_with(&world, &[held(&world, KeyKind::Handle, "weather-2", "me")]).unwrap();
    let endpoint = plan.pick(&Tried::default(), now).unwrap().endpoint;
    endpoint.live.record(Outcome::ConnectFailed, now);
    let judged = |outcome, seconds| plan.judge(outcome, false, &endpoint, now + Duration::from_secs(seconds));
    assert_eq!(judged(Outcome::ConnectFailed, 0), Verdict::Refuse(Refusal::SessionUnreachable));
    assert_eq!(judged(Outcome::ConnectFailed, 5), Verdict::Again);
    assert_eq!(judged(Outcome::NotReached(NotReached::AgentUnreachable), 0), Verdict::Again);
    assert_eq!(judged(Outcome::Lost, 0), Verdict::Refuse(Refusal::UpstreamLost), "it may have run");
    let mut tried = Tried::default();
    tried.add(&endpoint.replica);
    let other = plan.pick(&tried, now).unwrap().endpoint;
    assert_ne!(other.replica, endpoint.replica);
    assert_eq!(plan.claim(&other, 0).unwrap().1.moves, 1);
    assert_eq!(plan.claim(&endpoint, 0), None);
}

#[test]
fn use_renews_what_may_be_renewed() {
    let world = mesh().world(Instant::now());
    let lesson = |call: Call, kind| {
        let plan = call.plan_with(&world, &[held(&world, kind, "weather-2", "me")]).unwrap();
        plan.lesson(world.replica("weather-2").unwrap(), StatusCode::OK, None, HOUR, 3_600)
    };
    let poll = || Call::to("/weather/mcp").with(MODERN).with(("mcp-method", "tasks/get")).with(("mcp-name", "t-1"));
    assert!(matches!(lesson(call().with(CART), KeyKind::Handle), Lesson::Touch(_)));
    assert!(matches!(lesson(poll(), KeyKind::Task), Lesson::Touch(_)));
    let body = r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"add","requestState":"s"}}"#;
    assert_eq!(lesson(call().with(("mcp-name", "add")).body(body), KeyKind::State), Lesson::Nothing);
}

fn answer(lines: &str) -> ResponseHead {
    ResponseHead::take(&mut format!("HTTP/1.1 200 OK\r\n{lines}\r\n\r\n").into_bytes()).unwrap().unwrap()
}

/// (call, head of the answer, whether its body is read)
#[test]
fn answers_are_read_only_where_they_may_mint_something() {
    let world = mesh().world(Instant::now());
    let json = "Content-Type: application/json; charset=utf-8";
    let with_task = r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"add","task":{}}}"#;
    let without = r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"add"}}"#;
    let legacy = |body| Call::to("/weather/mcp").with(LEGACY).body(body);
    let list = Call::to("/weather/mcp").with(MODERN).with(("mcp-method", "tools/list"));
    for (call, head, reads) in [
        (call(), json, true),
        (call(), "Content-Type: text/event-stream", true),
        (call(), "Content-Type: text/html", false),
        (call(), "Content-Type: application/json\r\nContent-Encoding: gzip", false),
        (list, json, false),
        (legacy(with_task), json, true),
        (legacy(without), json, false),
        (legacy(with_task).with(SESSION), json, false),
    ] {
        let plan = call.plan(&world, None).unwrap();
        assert_eq!(plan.minting(&answer(head)).is_some(), reads, "{:?} {head}", call.lines);
    }
}

#[test]
fn what_was_minted_is_found_by_who_asks_for_it() {
    let world = mesh().world(Instant::now());
    let plan = call().plan(&world, None).unwrap();
    let endpoint = world.replica("weather-2").unwrap();
    let id = Digest::of("tä-1".as_bytes());
    let learned = plan.learned(Mint::Task { id, life: Some(HOUR * 2) }, endpoint, &Settings::default(), 9);
    assert_eq!((learned.binding.kind, learned.kept), (KeyKind::Task, HOUR * 2));
    let poll = Call::to("/weather/mcp").with(MODERN).with(("mcp-method", "tasks/get"));
    let poll = poll.with(("mcp-name", "=?base64?dMOkLTE=?="));
    assert_eq!(poll.aim(&world).unwrap().keys()[0].key, learned.key);
    let legacy = r#"{"jsonrpc":"2.0","id":1,"method":"tasks/result","params":{"taskId":"t\u00e4-1"}}"#;
    let legacy = Call::to("/weather/mcp").with(LEGACY).body(legacy);
    assert_eq!(legacy.aim(&world).unwrap().keys()[0].key, learned.key);
}

#[test]
fn who_calls_the_agent_itself_is_held_by_its_keys_and_who_names_a_replica_is_not() {
    let world = mesh().world(Instant::now());
    let body =
        r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"add","arguments":{"session_id":"a"}}}"#;
    let keys = |path| Call::to(path).with(LEGACY).body(body).aim(&world).unwrap().keys().to_vec();
    assert_eq!(keys("/agents/weather/mcp"), keys("/weather/mcp"));
    assert_eq!(keys("/weather/mcp").len(), 1);
    assert_eq!(keys("/agents/weather-2/mcp"), []);
}
