//! One call through the core, as the gateway takes it: dest, aim, plan, then pick, attempt, record, judge, repeat.
//!
//! In: a request as it is written, a world, what the store knows, and a [`Shell`] that makes attempts. Out: how the call ended.
//! Never here: what is expected. This is the seam: what the core is asked, and in what order, stands here and nowhere else.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use http::StatusCode;
use outrigger_model::name::AgentName;
use outrigger_proxy_core::again::{Repetition, Spent};
use outrigger_proxy_core::balance::tried::Tried;
use outrigger_proxy_core::deadline::Deadlines;
use outrigger_proxy_core::health::tools::Tool;
use outrigger_proxy_core::http1::head::RequestHead;
use outrigger_proxy_core::mcp::envelope::Envelope;
use outrigger_proxy_core::mcp::facts::{CallFacts, Caller, Verb};
use outrigger_proxy_core::outcome::Outcome;
use outrigger_proxy_core::plan::{self, Plan};
use outrigger_proxy_core::refusal::Refusal;
use outrigger_proxy_core::retry::judge::{self, Verdict};
use outrigger_proxy_core::session::bind::{Binding, Lesson};
use outrigger_proxy_core::session::key::SessionKey;
use outrigger_proxy_core::target::Target;
use outrigger_proxy_core::world::endpoint::Endpoint;
use outrigger_proxy_core::world::judged::Ended;
use outrigger_proxy_core::world::table::World;

use crate::stage::AGENT;

const IDLE: Duration = Duration::from_secs(3_600);

pub type Store = HashMap<SessionKey, Arc<Binding>>;

/// A request as it is written.
pub struct Written {
    head: RequestHead,
    body: &'static str,
    session: Option<SessionKey>,
    tool: Option<Tool>,
}

/// How a call ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum End {
    /// The answer of an agent, or of what is before it, passed.
    Passed(StatusCode),
    Refused(Refusal),
}

/// What an attempt led to, when it began, and the id that its answer carries.
pub struct Attempted {
    pub outcome: Outcome,
    pub asks_later: bool,
    pub tool_failed: bool,
    pub began: Instant,
    pub minted: Option<Vec<u8>>,
}

/// What is around the core.
pub trait Shell {
    fn now(&self) -> Instant;
    fn chance(&mut self) -> u64;
    fn attempt(&mut self, endpoint: &Arc<Endpoint>) -> Attempted;
    /// The endpoint has learned from the attempt.
    fn recorded(&mut self, endpoint: &Endpoint);
    /// Another attempt was wished for; `counts`: it may need budget.
    fn goes_on(&mut self, outcome: Outcome, next: Result<Duration, Spent>, counts: bool);
}

impl Written {
    pub fn new(fields: &str, body: &'static str, tool: Option<&str>) -> Self {
        let text = format!("POST /{AGENT}/mcp HTTP/1.1\r\nContent-Type: application/json\r\n{fields}\r\n");
        let session = fields.strip_prefix("Mcp-Session-Id: ").map(|rest| rest.trim_end().as_bytes());
        let session = session.map(|id| SessionKey::of(&AgentName::new(AGENT).expect("a name"), id));
        Self { head: RequestHead::parse(text.into_bytes()).expect("a head"), body, session, tool: tool.map(Tool::of) }
    }

    pub fn drive(&self, world: &World, store: &mut Store, shell: &mut impl Shell) -> End {
        let began = shell.now();
        let mut plan = match self.plan(world, store) {
            Ok(plan) => plan,
            Err(refusal) => return End::Refused(refusal),
        };
        let (mut tried, mut fallback, mut attempts) = (Tried::default(), None, 0);
        loop {
            if plan.asks_for_tool() {
                plan.calls(self.tool);
            }
            let endpoint = match (plan.pick(&tried, shell.now()), &fallback) {
                (Ok(picked), _) => picked.endpoint,
                (Err(Refusal::NoEndpoint { .. }), Some(_)) => break,
                (Err(refusal), _) => return End::Refused(refusal),
            };
            tried.add(&endpoint.replica);
            attempts += 1;
            let Attempted { outcome, asks_later, tool_failed, began: sent, minted } = shell.attempt(&endpoint);
            let now = shell.now();
            let ended = Ended { outcome, began: sent, tool: self.blamed(outcome, tool_failed, &endpoint), tool_failed };
            endpoint.record(&ended, now);
            shell.recorded(&endpoint);
            match (plan.judge(outcome, asks_later, &endpoint, now), outcome) {
                (Verdict::Done, Outcome::Answered(status)) => {
                    learn(store, plan.lesson(&endpoint, status, minted.as_deref(), IDLE, 0));
                    return End::Passed(status);
                }
                (Verdict::Again, _) => {
                    let instead = end_of(judge::instead(outcome, plan.name()), outcome);
                    let (timeouts, chance) = (plan.timeouts(), shell.chance());
                    let deadlines = Deadlines::new(timeouts.of(plan.time_class()), timeouts.keep_alive, began);
                    let repetition = Repetition { outcome, attempts, left: deadlines.left(now), chance };
                    let next = plan.repeat(repetition, &tried, now);
                    shell.goes_on(outcome, next, !plan.searches());
                    match next {
                        Ok(_) | Err(Spent::Endpoints) if fallback.as_ref().is_none_or(reached_nobody) => {
                            fallback = Some(instead);
                        }
                        Ok(_) | Err(Spent::Endpoints) => {}
                        // An attempt before may have run it, and that is to be said.
                        Err(Spent::Budget | Spent::Time) if reached_nobody(&instead) && fallback.is_some() => break,
                        Err(Spent::Budget | Spent::Time) => return instead,
                    }
                }
                (Verdict::Forget(refusal), _) => {
                    plan.session().map(|key| store.remove(&key));
                    return End::Refused(refusal);
                }
                (verdict, _) => return end_of(verdict, outcome),
            }
        }
        fallback.expect("an attempt was made")
    }

    /// A tool is named only where it matters.
    fn blamed(&self, outcome: Outcome, tool_failed: bool, endpoint: &Endpoint) -> Option<Tool> {
        let matters = match outcome {
            Outcome::Answered(status) => {
                tool_failed || status.is_server_error() || endpoint.live.tools.is_any_failing()
            }
            _ => true,
        };
        self.tool.filter(|_| matters)
    }

    /// Whether the store knows where its session lives.
    pub fn is_known(&self, store: &Store) -> bool {
        self.session.is_some_and(|key| store.contains_key(&key))
    }

    fn plan(&self, world: &World, store: &Store) -> Result<Plan, Refusal> {
        let target = Target::from_path(self.head.path()).expect("a target");
        let facts = CallFacts::read(Verb::Post, &self.head.fields, target, Caller::new("me"))?;
        let dest = plan::dest(world, facts.target)?;
        let aim = if self.body.is_empty() {
            plan::aim(dest, &facts, None, None)
        } else {
            let envelope = Envelope::read(self.body.as_bytes()).expect("a message");
            plan::aim(dest, &facts.with_envelope(&envelope, true)?, Some(&envelope), None)
        };
        let found: Vec<_> = aim.keys().iter().map(|carried| store.get(&carried.key).cloned()).collect();
        plan::plan(world, aim, &found)
    }
}

fn learn(store: &mut Store, lesson: Lesson) {
    match lesson {
        Lesson::Learn(key, binding) => drop(store.insert(key, Arc::new(binding))),
        Lesson::Forget(key) => drop(store.remove(&key)),
        Lesson::Touch(_) | Lesson::Nothing => {}
    }
}

fn reached_nobody(end: &End) -> bool {
    matches!(end, End::Refused(Refusal::NoEndpoint { .. }))
}

fn end_of(verdict: Verdict, outcome: Outcome) -> End {
    match (verdict, outcome) {
        (Verdict::Done, Outcome::Answered(status)) => End::Passed(status),
        (Verdict::Refuse(refusal), _) => End::Refused(refusal),
        (verdict, outcome) => panic!("{verdict:?} after {outcome:?}"),
    }
}
