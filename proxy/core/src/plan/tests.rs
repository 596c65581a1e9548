mod keys;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::{Duration, Instant};

use http::StatusCode;
use outrigger_model::endpoint::EndpointState;
use outrigger_model::key::OnLoss;
use outrigger_model::route::Affinity;

use super::{Aim, Plan, Rung, aim, dest, plan};
use crate::balance::tried::Tried;
use crate::http1::field::Fields;
use crate::http1::written::fields;
use crate::mcp::envelope::Scanner;
use crate::mcp::facts::{CallFacts, Caller, Verb};
use crate::outcome::{NotReached, Outcome};
use crate::refusal::Refusal;
use crate::retry::judge::Verdict;
use crate::session::bind::{Binding, Lesson};
use crate::session::key::KeyKind;
use crate::target::Target;
use crate::tests::Mesh;
use crate::world::judged::Ended;
use crate::world::table::World;

const HOUR: Duration = Duration::from_secs(3_600);
const INITIALIZE: &str = r#"{"jsonrpc":"2.0","id":1,"method":"initialize"}"#;
const LEGACY: (&str, &str) = ("mcp-protocol-version", "2025-11-25");
const MODERN: (&str, &str) = ("mcp-protocol-version", "2026-07-28");
const SESSION: (&str, &str) = ("mcp-session-id", "s-1");

/// A call as a test writes it.
struct Call {
    path: &'static str,
    lines: Vec<(&'static str, &'static str)>,
    headers: Fields,
    body: &'static str,
    caller: Caller,
    verb: Verb,
}

impl Call {
    fn to(path: &'static str) -> Self {
        let (headers, caller, verb) = (fields::<&str, &str>(&[]), Caller::new("me"), Verb::Post);
        Self { path, lines: Vec::new(), headers, body: "", caller, verb }
    }

    fn with(mut self, line: (&'static str, &'static str)) -> Self {
        self.lines.push(line);
        self.headers = fields(&self.lines);
        self
    }

    fn body(mut self, body: &'static str) -> Self {
        self.body = body;
        self
    }

    fn by(mut self, caller: &str) -> Self {
        self.caller = Caller::new(caller);
        self
    }

    /// With what is known of its first key.
    fn plan(&self, world: &World, binding: Option<&Binding>) -> Result<Plan, Refusal> {
        self.plan_with(world, &[binding.cloned().map(Arc::new)])
    }

    fn plan_with(&self, world: &World, found: &[Option<Arc<Binding>>]) -> Result<Plan, Refusal> {
        plan(world, self.aim(world)?, found)
    }

    fn aim(&self, world: &World) -> Result<Aim, Refusal> {
        let target = Target::from_path(self.path).unwrap();
        let facts = CallFacts::read(self.verb, &self.headers, target, self.caller.clone()).unwrap();
        let dest = dest(world, facts.target)?;
        if self.body.is_empty() {
            return Ok(aim(dest, &facts, None, None));
        }
        let mut scanner = Scanner::wanting(dest.wants(&facts));
        scanner.read_on(self.body.as_bytes()).unwrap();
        let envelope = scanner.envelope(self.body.as_bytes());
        Ok(aim(dest, &facts.with_envelope(&envelope, true).unwrap(), Some(&envelope), None))
    }

    fn first(&self, world: &World, binding: Option<&Binding>, now: Instant) -> String {
        let plan = self.plan(world, binding).unwrap();
        plan.pick(&Tried::default(), now).unwrap().endpoint.replica.to_string()
    }
}

fn held_by(world: &World, replica: &str, caller: &str) -> Binding {
    Binding::new(KeyKind::Session, world.replica(replica).unwrap(), &Caller::new(caller), 0)
}

#[test]
fn a_call_goes_to_whom_its_path_names() {
    let now = Instant::now();
    let world = Mesh::of("weather", 2).and("maps", 1).world(now);
    for (path, expected) in [
        ("/maps/mcp", Ok(Rung::Agent)),
        ("/agents/maps/mcp", Ok(Rung::Agent)),
        ("/agents/weather-2/mcp", Ok(Rung::Named)),
        ("/weather-2/mcp", Err("no_route")),
        ("/agents/nobody/mcp", Err("no_route")),
        ("/nobody/mcp", Err("no_route")),
        ("/mcp", Err("no_such_path")),
    ] {
        let got = Call::to(path).with(LEGACY).plan(&world, None);
        assert_eq!(got.map(|plan| plan.rung()).map_err(|refusal| refusal.label()), expected, "{path}");
    }
    assert_eq!(Call::to("/agents/weather-2/mcp").first(&world, None, now), "weather-2");
}

#[test]
fn a_route_without_providers_is_said_to_have_none() {
    let world = Mesh::of("weather", 0).world(Instant::now());
    let refusal = Call::to("/weather/mcp").plan(&world, None).unwrap_err();
    assert_eq!(refusal, Refusal::NoProvider { route: "weather".into() });
}

#[test]
fn a_session_goes_where_its_state_is_even_if_that_one_drains() {
    let now = Instant::now();
    let mesh = Mesh::of("weather", 4).state("weather-3", EndpointState::Draining);
    let world = mesh.world(now);
    let binding = held_by(&world, "weather-3", "me");
    let call = Call::to("/weather/mcp").with(SESSION);
    assert_eq!(call.first(&world, Some(&binding), now), "weather-3");
    assert_eq!(call.plan(&world, Some(&binding)).unwrap().rung(), Rung::Key(KeyKind::Session));
    let thief = Call::to("/weather/mcp").with(SESSION).by("other");
    assert_eq!(thief.plan(&world, Some(&binding)).unwrap_err(), Refusal::SessionOfAnotherCaller);
    let restarted = mesh.generation("weather-3", 2).world(now);
    assert_eq!(call.plan(&restarted, Some(&binding)).unwrap_err(), Refusal::SessionGone);
}

#[test]
fn keys_are_looked_up_only_where_the_route_follows_them() {
    let now = Instant::now();
    for (affinity, header, looks) in [
        (Affinity::Auto, SESSION, true),
        (Affinity::Keys, SESSION, true),
        (Affinity::Agent, SESSION, false),
        (Affinity::None, SESSION, false),
        (Affinity::Auto, MODERN, false),
    ] {
        let world = Mesh::of("weather", 1).affinity(affinity).world(now);
        let call = Call::to("/weather/mcp").with(header);
        assert_eq!(call.aim(&world).unwrap().session().is_some(), looks, "{affinity:?} {header:?}");
    }
}

#[test]
fn without_a_key_the_affinity_of_the_route_decides() {
    let now = Instant::now();
    for (affinity, rung) in [
        (Affinity::Auto, Rung::Agent),
        (Affinity::Agent, Rung::Agent),
        (Affinity::Keys, Rung::Balance),
        (Affinity::None, Rung::Balance),
    ] {
        let world = Mesh::of("weather", 3).affinity(affinity).world(now);
        let call = Call::to("/weather/mcp").with(MODERN);
        let homes: BTreeSet<_> = (0..9).map(|_| call.first(&world, None, now)).collect();
        assert_eq!(homes.len(), if rung == Rung::Agent { 1 } else { 3 }, "{affinity:?}");
        assert_eq!(call.plan(&world, None).unwrap().rung(), rung);
    }
}

#[test]
fn new_sessions_spread_once_the_pool_is_seen_to_mint_ids() {
    let now = Instant::now();
    let mesh = Mesh::of("weather", 3);
    let world = mesh.world(now);
    let open = Call::to("/weather/mcp").body(INITIALIZE);
    let homes = |world: &World| (0..9).map(|_| open.first(world, None, now)).collect::<BTreeSet<_>>().len();
    assert_eq!(homes(&world), 1, "it might hold state without ids");
    let plan = open.plan(&world, None).unwrap();
    let endpoint = plan.pick(&Tried::default(), now).unwrap().endpoint;
    let lesson = plan.lesson(&endpoint, StatusCode::OK, Some(b"new"), HOUR, 0);
    assert!(matches!(lesson, Lesson::Learn(..)));
    assert_eq!(homes(&world), 3);
    assert_eq!(homes(&mesh.after(&world, now).unwrap()), 3, "the next world remembers");
    let listing = Call::to("/weather/mcp").body(r#"{"jsonrpc":"2.0","id":1,"method":"tools/list"}"#);
    assert_eq!(listing.plan(&world, None).unwrap().rung(), Rung::Agent, "what carries no key stays together");
}

#[test]
fn what_reached_nobody_is_tried_elsewhere_until_three_were_tried() {
    let now = Instant::now();
    let world = Mesh::of("weather", 5).world(now);
    let plan = Call::to("/weather/mcp").with(MODERN).plan(&world, None).unwrap();
    let mut tried = Tried::default();
    for _ in 0..3 {
        let picked = plan.pick(&tried, now).unwrap();
        tried.add(&picked.endpoint.replica);
        picked.endpoint.live.record(Outcome::ConnectFailed, now);
        assert_eq!(plan.judge(Outcome::ConnectFailed, false, &picked.endpoint, now), Verdict::Again);
    }
    assert_eq!(plan.pick(&tried, now).unwrap_err(), Refusal::NoEndpoint { route: "weather".into() });
}

#[test]
fn a_session_is_never_silently_taken_elsewhere() {
    let now = Instant::now();
    let world = Mesh::of("weather", 3).world(now);
    let binding = held_by(&world, "weather-1", "me");
    let plan = Call::to("/weather/mcp").with(SESSION).plan(&world, Some(&binding)).unwrap();
    let endpoint = plan.pick(&Tried::default(), now).unwrap().endpoint;
    endpoint.live.record(Outcome::ConnectFailed, now);
    let judged = |outcome, seconds| plan.judge(outcome, false, &endpoint, now + Duration::from_secs(seconds));
    assert_eq!(judged(Outcome::ConnectFailed, 0), Verdict::Refuse(Refusal::SessionUnreachable));
    assert_eq!(judged(Outcome::ConnectFailed, 5), Verdict::Forget(Refusal::SessionGone));
    let closed = Outcome::NotReached(NotReached::AgentUnreachable);
    assert_eq!(judged(closed, 0), Verdict::Forget(Refusal::SessionGone));
}

#[test]
fn a_session_of_an_own_agent_is_gone_as_soon_as_its_port_is_closed() {
    let now = Instant::now();
    let world = Mesh::of("weather", 2).own("weather-1", 1, true).world(now);
    let binding = held_by(&world, "weather-1", "me");
    let plan = Call::to("/weather/mcp").with(SESSION).plan(&world, Some(&binding)).unwrap();
    let endpoint = plan.pick(&Tried::default(), now).unwrap().endpoint;
    endpoint.live.record(Outcome::ConnectFailed, now);
    assert_eq!(plan.judge(Outcome::ConnectFailed, false, &endpoint, now), Verdict::Forget(Refusal::SessionGone));
}

#[test]
fn an_unknown_session_goes_on_and_is_learned_where_it_is_accepted() {
    let now = Instant::now();
    let world = Mesh::of("weather", 3).world(now);
    let call = Call::to("/weather/mcp").with(SESSION);
    let plan = call.plan(&world, None).unwrap();
    assert_eq!(plan.rung(), Rung::Agent);
    let endpoint = plan.pick(&Tried::default(), now).unwrap().endpoint;
    let key = plan.session().unwrap();
    assert_eq!(plan.lesson(&endpoint, StatusCode::NOT_FOUND, None, HOUR, 0), Lesson::Forget(key));
    let learned = Lesson::Learn(key, Binding::new(KeyKind::Session, &endpoint, &Caller::new("me"), 0));
    assert_eq!(plan.lesson(&endpoint, StatusCode::OK, None, HOUR, 0), learned);
}

/// (method, what became of the attempt, whether another replica is asked)
#[test]
fn reads_are_asked_elsewhere_when_their_answer_is_lost_and_what_may_act_is_not() {
    let now = Instant::now();
    let world = Mesh::of("weather", 3).world(now);
    let unavailable = Outcome::Answered(StatusCode::SERVICE_UNAVAILABLE);
    for (method, outcome, again) in [
        ("tools/list", Outcome::Lost, true),
        ("tools/list", unavailable, true),
        ("tools/list", Outcome::Answered(StatusCode::INTERNAL_SERVER_ERROR), false),
        ("tools/list", Outcome::Answered(StatusCode::TOO_MANY_REQUESTS), false),
        ("tools/list", Outcome::TimedOut, true),
        ("tools/call", Outcome::TimedOut, false),
        ("tools/list", Outcome::BrokeOff, false),
        ("tools/call", Outcome::Lost, false),
        ("tools/call", unavailable, false),
        ("tools/call", Outcome::ConnectFailed, true),
    ] {
        let call = Call::to("/weather/mcp").with(MODERN).with(("mcp-method", method));
        let plan = call.plan(&world, None).unwrap();
        let endpoint = plan.pick(&Tried::default(), now).unwrap().endpoint;
        assert_eq!(plan.judge(outcome, false, &endpoint, now) == Verdict::Again, again, "{method} {outcome:?}");
    }
    let held = held_by(&world, "weather-1", "me");
    let plan = Call::to("/weather/mcp").with(SESSION).body(INITIALIZE).plan(&world, Some(&held)).unwrap();
    let endpoint = plan.pick(&Tried::default(), now).unwrap().endpoint;
    assert_eq!(
        plan.judge(Outcome::Lost, false, &endpoint, now),
        Verdict::Refuse(Refusal::UpstreamLost),
        "it lives there"
    );
}

const KEPT: &[u8] = b"{}";

fn may_move(binding: Binding) -> Binding {
    Binding { opening: Some(KEPT.into()), ..binding }
}

#[test]
fn a_search_asks_every_replica_once_and_those_that_drain_last() {
    let now = Instant::now();
    let world = Mesh::of("weather", 5).state("weather-2", EndpointState::Draining).world(now);
    let plan = Call::to("/weather/mcp").with(SESSION).plan(&world, None).unwrap();
    assert!(plan.searches());
    let (mut tried, mut asked) = (Tried::default(), Vec::new());
    while let Ok(picked) = plan.pick(&tried, now) {
        tried.add(&picked.endpoint.replica);
        asked.push(picked.endpoint.replica.to_string());
        assert_eq!(plan.judge(Outcome::Answered(StatusCode::NOT_FOUND), false, &picked.endpoint, now), Verdict::Again);
    }
    assert_eq!(asked.last().map(String::as_str), Some("weather-2"));
    assert_eq!(asked.iter().collect::<BTreeSet<_>>().len(), 5, "{asked:?}");
}

#[test]
fn a_search_leaves_open_circuits_alone_but_for_what_ends_a_session() {
    let now = Instant::now();
    let world = Mesh::of("weather", 2).world(now);
    let endpoint = world.replica("weather-1").unwrap();
    for _ in 0..endpoint.terms.policy.breaker.failure_threshold {
        endpoint.record(&Ended { outcome: Outcome::TimedOut, began: now, tool: None, tool_failed: false }, now);
    }
    let asked = |verb, now| {
        let plan = Call { verb, ..Call::to("/weather/mcp").with(SESSION) }.plan(&world, None).unwrap();
        let (mut tried, mut count) = (Tried::default(), 0);
        loop {
            match plan.pick(&tried, now) {
                Ok(picked) => tried.add(&picked.endpoint.replica),
                Err(refusal) => return (count, refusal.shape(None).label),
            }
            count += 1;
        }
    };
    assert_eq!(asked(Verb::Post, now), (1, "circuit_open"), "nobody knows that it is gone");
    assert_eq!(asked(Verb::Delete, now), (2, "no_endpoint"));
    let later = now + Duration::from_secs(30);
    assert_eq!(asked(Verb::Post, later), (2, "no_endpoint"), "one call tries");
    assert_eq!(asked(Verb::Post, later), (1, "circuit_open"));
}

#[test]
fn only_a_legacy_session_that_nobody_knows_is_searched_for() {
    let world = Mesh::of("weather", 2).world(Instant::now());
    let known = held_by(&world, "weather-1", "me");
    for (call, binding, searches) in [
        (Call::to("/weather/mcp").with(SESSION), None, true),
        (Call::to("/weather/mcp").with(SESSION), Some(&known), false),
        (Call::to("/weather/mcp").with(LEGACY), None, false),
        (Call::to("/weather/mcp").with(SESSION).with(MODERN), None, false),
        (Call::to("/agents/weather-1/mcp").with(SESSION), None, false),
    ] {
        assert_eq!(call.plan(&world, binding).unwrap().searches(), searches, "{} {:?}", call.path, call.lines);
    }
}

#[test]
fn a_session_moves_only_where_the_route_says_so_and_its_opening_is_kept() {
    let now = Instant::now();
    for (on_loss, kept, verdict) in [
        (OnLoss::Reestablish, true, Verdict::Move),
        (OnLoss::Reestablish, false, Verdict::Refuse(Refusal::SessionUnreachable)),
        (OnLoss::NotFound, true, Verdict::Refuse(Refusal::SessionUnreachable)),
    ] {
        let mut mesh = Mesh::of("weather", 2);
        mesh.resources.routes.values_mut().for_each(|route| route.policy.sessions.on_loss = on_loss);
        let world = mesh.world(now);
        let held = held_by(&world, "weather-1", "me");
        let binding = if kept { may_move(held) } else { held };
        let plan = Call::to("/weather/mcp").with(SESSION).plan(&world, Some(&binding)).unwrap();
        let endpoint = plan.pick(&Tried::default(), now).unwrap().endpoint;
        assert!(!plan.moves_at_once(now));
        endpoint.live.record(Outcome::ConnectFailed, now);
        assert_eq!(plan.judge(Outcome::ConnectFailed, false, &endpoint, now), verdict, "{on_loss:?} {kept}");
        assert_eq!(plan.moves_at_once(now), verdict == Verdict::Move, "the next call does not even try");
        world.replica("weather-2").unwrap().live.record(Outcome::ConnectFailed, now);
        assert!(!plan.moves_at_once(now), "there is no better place");
    }
}
