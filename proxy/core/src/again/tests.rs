//! Which calls may run twice, how often they are tried, and what that costs a pool in which all fails.

use std::time::{Duration, Instant};

use http::StatusCode;
use outrigger_model::retries::{Backoff, Budget};
use outrigger_model::route::Affinity;

use super::{Repetition, Spent};
use crate::balance::tried::Tried;
use crate::http1::written::fields;
use crate::mcp::envelope::Scanner;
use crate::mcp::facts::{CallFacts, Caller, Verb};
use crate::outcome::{Limit, NotReached, Outcome};
use crate::plan::{Plan, aim, dest, plan};
use crate::refusal::Refusal;
use crate::retry::judge::Verdict;
use crate::target::Target;
use crate::tests::Mesh;
use crate::world::judged::Ended;
use crate::world::table::World;

const MODERN: (&str, &str) = ("mcp-protocol-version", "2026-07-28");
const SESSION: (&str, &str) = ("mcp-session-id", "s-1");

/// A POST as a test writes it.
struct Call {
    path: &'static str,
    lines: Vec<(&'static str, &'static str)>,
    body: &'static str,
}

impl Call {
    fn to(path: &'static str) -> Self {
        Self { path, lines: Vec::new(), body: "" }
    }

    fn with(mut self, line: (&'static str, &'static str)) -> Self {
        self.lines.push(line);
        self
    }

    fn body(mut self, body: &'static str) -> Self {
        self.body = body;
        self
    }

    fn plan(&self, world: &World) -> Result<Plan, Refusal> {
        let (target, written) = (Target::from_path(self.path).unwrap(), fields(&self.lines));
        let facts = CallFacts::read(Verb::Post, &written, target, Caller::new("me")).unwrap();
        let dest = dest(world, facts.target)?;
        if self.body.is_empty() {
            return plan(world, aim(dest, &facts, None, None), &[None]);
        }
        let mut scanner = Scanner::wanting(dest.wants(&facts));
        scanner.read_on(self.body.as_bytes()).unwrap();
        let envelope = scanner.envelope(self.body.as_bytes());
        plan(world, aim(dest, &facts.with_envelope(&envelope, true).unwrap(), Some(&envelope), None), &[None])
    }
}

const LOST: &str = r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"get_it"}}"#;
const TASK: &str = r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"get_it","task":{}}}"#;
const GOES_ON: &str = r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"get_it","requestState":"x"}}"#;
const BATCH: &str = r#"[{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"get_it"}}]"#;

fn call(method: &'static str, tool: &'static str) -> Call {
    Call::to("/weather/mcp").with(MODERN).with(("mcp-method", method)).with(("mcp-name", tool))
}

/// Whether the route asks another replica for a call whose answer was lost.
fn again_after_a_loss(call: &Call, world: &World) -> bool {
    let now = Instant::now();
    let plan = call.plan(world).unwrap();
    let endpoint = plan.pick(&Tried::default(), now).unwrap().endpoint;
    plan.judge(Outcome::Lost, false, &endpoint, now) == Verdict::Again
}

#[test]
fn a_tool_may_run_twice_where_the_operator_says_so_and_never_into_a_session() {
    let named = Mesh::of("weather", 3).retries(|retries| retries.tools = vec!["get_*".parse().unwrap()]);
    let world = named.world(Instant::now());
    let legacy = |body| Call::to("/weather/mcp").body(body);
    for (what, call, again) in [
        ("modern", call("tools/call", "get_it"), true),
        ("another tool", call("tools/call", "pay"), false),
        ("a tool is no task", call("tasks/cancel", "get_it"), false),
        ("legacy", legacy(LOST), true),
        ("in a session", legacy(LOST).with(SESSION), false),
        ("asks for a task", legacy(TASK), false),
        ("one of many", legacy(BATCH), false),
        ("goes on from an answer", call("tools/call", "get_it").body(GOES_ON), false),
    ] {
        assert_eq!(again_after_a_loss(&call, &world), again, "{what}");
    }
    let usual = Mesh::of("weather", 3).world(Instant::now());
    assert!(!again_after_a_loss(&call("tools/call", "get_it"), &usual), "nobody said so");
    let mut named_replica = call("tools/call", "get_it");
    named_replica.path = "/agents/weather-1/mcp";
    assert!(!again_after_a_loss(&named_replica, &world), "who names a replica wants that one");
}

#[test]
fn what_an_agent_says_of_its_tools_counts_where_the_operator_trusts_it() {
    for (trusts, again) in [(true, true), (false, false)] {
        let mesh = Mesh::of("weather", 3).repeatable(&["get_it", "search"]);
        let world = mesh.retries(|retries| retries.trust_hints = trusts).world(Instant::now());
        assert_eq!(again_after_a_loss(&call("tools/call", "get_it"), &world), again);
        assert!(!again_after_a_loss(&call("tools/call", "pay"), &world));
    }
}

fn repetition(outcome: Outcome, attempts: u32, left: Option<Duration>, chance: u64) -> Repetition {
    Repetition { outcome, attempts, left, chance }
}

#[test]
fn who_takes_no_calls_is_passed_by_at_once_and_costs_nothing() {
    let now = Instant::now();
    let world =
        Mesh::of("weather", 3).retries(|retries| retries.budget = Budget { percent: 0, per_second_min: 0 }).world(now);
    let plan = call("tools/list", "").plan(&world).unwrap();
    let mut tried = Tried::default();
    tried.add(&plan.pick(&tried, now).unwrap().endpoint.replica);
    for (outcome, expected) in [
        (Outcome::ConnectFailed, Ok(Duration::ZERO)),
        (Outcome::NotReached(NotReached::AgentUnreachable), Ok(Duration::ZERO)),
        (Outcome::NotReached(NotReached::Draining), Ok(Duration::ZERO)),
        (Outcome::NotReached(NotReached::Overloaded), Err(Spent::Budget)),
        (Outcome::Lost, Err(Spent::Budget)),
    ] {
        assert_eq!(plan.repeat(repetition(outcome, 1, None, u64::MAX), &tried, now), expected, "{outcome:?}");
    }
}

#[test]
fn a_pause_that_the_call_has_no_time_for_is_not_made() {
    let now = Instant::now();
    let backoff = Backoff { first: Duration::from_millis(100), longest: Duration::from_millis(100) };
    let world = Mesh::of("weather", 3).retries(|retries| retries.backoff = backoff).world(now);
    let plan = call("tools/list", "").plan(&world).unwrap();
    let mut tried = Tried::default();
    tried.add(&plan.pick(&tried, now).unwrap().endpoint.replica);
    let after = |left| plan.repeat(repetition(Outcome::Lost, 1, left, u64::MAX), &tried, now);
    assert_eq!(after(None), Ok(Duration::from_millis(100)));
    assert_eq!(after(Some(Duration::from_millis(101))), Ok(Duration::from_millis(100)));
    assert_eq!(after(Some(Duration::from_millis(100))), Err(Spent::Time));
}

#[test]
fn one_try_is_limited_only_while_another_one_may_follow() {
    let now = Instant::now();
    let per_try = Duration::from_secs(1);
    let mesh = |replicas| {
        Mesh::of("weather", replicas).retries(|retries| (retries.per_try, retries.attempts) = (Some(per_try), 2))
    };
    let limits = |replicas, method| {
        let world = mesh(replicas).world(now);
        let plan = call(method, "x").plan(&world).unwrap();
        let mut tried = Tried::default();
        let mut limits = Vec::new();
        while let Ok(picked) = plan.pick(&tried, now) {
            tried.add(&picked.endpoint.replica);
            limits.push(plan.per_try(&tried, now));
        }
        limits
    };
    assert_eq!(limits(3, "tools/list"), [Some(per_try), None]);
    assert_eq!(limits(1, "tools/list"), [None], "there is nobody else");
    assert_eq!(limits(3, "tools/call"), [None, None], "it may act");
}

/// Opens the circuit of one replica of the agent.
fn open(world: &World, replica: &str, now: Instant) {
    let endpoint = world.replica(replica).unwrap();
    for _ in 0..endpoint.terms.policy.breaker.failure_threshold {
        let ended = Ended { outcome: Outcome::TimedOut, began: now, tool: None, tool_failed: false };
        endpoint.record(&ended, now);
    }
}

#[test]
fn a_replica_whose_circuit_is_open_is_no_reason_to_pause_or_to_end_a_try_early() {
    let now = Instant::now();
    let mesh = Mesh::of("weather", 2).affinity(Affinity::None);
    let world = mesh.retries(|retries| retries.per_try = Some(Duration::from_secs(1))).world(now);
    open(&world, "weather-2", now);
    let plan = call("tools/list", "").plan(&world).unwrap();
    let mut tried = Tried::default();
    tried.add(&plan.pick(&tried, now).unwrap().endpoint.replica);
    let budget = Budget { percent: 0, per_second_min: 10 };
    let left = || plan.pool().unwrap().live.retries().left(budget, now);
    assert_eq!(plan.per_try(&tried, now), None);
    assert_eq!(plan.repeat(repetition(Outcome::Lost, 1, None, 0), &tried, now), Err(Spent::Endpoints));
    assert_eq!(left(), 10, "it costs no budget");
    let later = now + Duration::from_secs(30);
    assert_eq!(plan.per_try(&tried, later), Some(Duration::from_secs(1)), "one call may try by then");
}

struct Chance(u64);

impl Chance {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn below(&mut self, limit: u64) -> u64 {
        (self.next() >> 16) % limit
    }
}

/// How one call went: what became of each attempt.
fn played(plan: &Plan, now: Instant, mut outcome: impl FnMut() -> Outcome, chance: &mut Chance) -> Vec<Outcome> {
    let (mut tried, mut outcomes) = (Tried::default(), Vec::new());
    while let Ok(picked) = plan.pick(&tried, now) {
        tried.add(&picked.endpoint.replica);
        let outcome = outcome();
        outcomes.push(outcome);
        let again = plan.judge(outcome, false, &picked.endpoint, now) == Verdict::Again;
        let repetition = repetition(outcome, tried.count() as u32, None, chance.next());
        if !again || plan.repeat(repetition, &tried, now).is_err() {
            break;
        }
    }
    outcomes
}

/// (method, whether it may run twice)
const METHODS: [(&str, bool); 4] =
    [("tools/list", true), ("tools/call", false), ("resources/read", true), ("tasks/update", false)];

#[test]
fn whatever_happens_what_may_act_reaches_one_agent_at_most_and_no_call_is_tried_more_often_than_its_route_says() {
    let outcomes = [
        Outcome::ConnectFailed,
        Outcome::NotReached(NotReached::AgentUnreachable),
        Outcome::NotReached(NotReached::Overloaded),
        Outcome::Lost,
        Outcome::TimedOut,
        Outcome::Answered(StatusCode::OK),
        Outcome::Answered(StatusCode::BAD_GATEWAY),
        Outcome::Answered(StatusCode::TOO_MANY_REQUESTS),
        Outcome::CutOff(Limit::Idle),
        Outcome::BrokeOff,
    ];
    for seed in 1..=2_000 {
        let mut chance = Chance(u64::wrapping_mul(seed, 0x9e37_79b9_7f4a_7c15));
        let began = Instant::now();
        let (attempts, replicas) = (1 + chance.below(10) as u8, 1 + chance.below(6) as u16);
        let world = Mesh::of("weather", replicas).retries(|retries| retries.attempts = attempts).world(began);
        for turn in 0..25 {
            let (method, is_safe) = METHODS[chance.below(4) as usize];
            let plan = call(method, "x").plan(&world).unwrap();
            let mut choices = Chance(chance.next());
            let outcome = || outcomes[choices.below(outcomes.len() as u64) as usize];
            let went = played(&plan, began + Duration::from_millis(turn * 40), outcome, &mut chance);
            let reached = went.iter().filter(|outcome| outcome.reached_agent()).count();
            assert!(went.len() <= usize::from(attempts), "seed {seed}: {method} {went:?}");
            assert!(is_safe || reached <= 1, "seed {seed}: {method} {went:?}");
        }
    }
}

#[test]
fn in_a_total_outage_agents_get_a_fifth_more_than_without_retries_at_most() {
    for outcome in [Outcome::Lost, Outcome::Answered(StatusCode::SERVICE_UNAVAILABLE), Outcome::TimedOut] {
        let began = Instant::now();
        let world =
            Mesh::of("weather", 5).affinity(Affinity::None).retries(|retries| retries.attempts = 10).world(began);
        let plan = call("tools/list", "").plan(&world).unwrap();
        let (mut sent, mut chance) = (0, Chance(7));
        for turn in 0..6_000 {
            sent += played(&plan, began + Duration::from_millis(turn * 5), || outcome, &mut chance).len();
        }
        let amplification = sent as f64 / 6_000.0;
        assert!(amplification <= 1.2, "{outcome:?}: {amplification}");
        assert!(amplification > 1.15, "{outcome:?}: the budget is used, {amplification}");
    }
}
