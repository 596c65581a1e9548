//! One call through the core, as the shell takes it: dest, aim, plan, pick, outcome, record, judge.
//!
//! In: a request as it is written, a world, what the store knows, and what becomes of an attempt at an endpoint. Out: how the call ended.
//! Never here: what is expected. This is the seam: what the core is asked, and in what order, stands here and nowhere else.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use http::StatusCode;
use outrigger_model::name::AgentName;
use outrigger_proxy_core::balance::tried::Tried;
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
use outrigger_proxy_core::world::table::World;

use crate::stage::AGENT;

const IDLE: Duration = Duration::from_secs(3_600);

pub type Store = HashMap<SessionKey, Arc<Binding>>;

/// A request as it is written.
pub struct Written {
    head: RequestHead,
    body: &'static str,
    session: Option<SessionKey>,
}

/// How a call ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum End {
    /// The answer of an agent, or of what is before it, passed.
    Passed(StatusCode),
    Refused(Refusal),
}

/// What an attempt led to, when, and the id that its answer carries.
pub struct Attempted {
    pub outcome: Outcome,
    pub at: Instant,
    pub minted: Option<Vec<u8>>,
}

impl Written {
    pub fn new(fields: &str, body: &'static str) -> Self {
        let text = format!("POST /{AGENT}/mcp HTTP/1.1\r\nContent-Type: application/json\r\n{fields}\r\n");
        let session = fields.strip_prefix("Mcp-Session-Id: ").map(|rest| rest.trim_end().as_bytes());
        let session = session.map(|id| SessionKey::of(&AgentName::new(AGENT).expect("a name"), id));
        Self { head: RequestHead::parse(text.into_bytes()).expect("a head"), body, session }
    }

    pub fn drive(
        &self,
        world: &World,
        store: &mut Store,
        mut now: Instant,
        mut attempt: impl FnMut(&Arc<Endpoint>) -> Attempted,
    ) -> End {
        let plan = match self.plan(world, store) {
            Ok(plan) => plan,
            Err(refusal) => return End::Refused(refusal),
        };
        let (mut tried, mut fallback) = (Tried::default(), None);
        loop {
            let endpoint = match plan.pick(&tried, now) {
                Ok(picked) => picked.endpoint,
                Err(refusal) => return fallback.unwrap_or(End::Refused(refusal)),
            };
            tried.add(&endpoint.replica);
            let Attempted { outcome, at, minted } = attempt(&endpoint);
            now = at;
            endpoint.live.record(outcome, now);
            match (plan.judge(outcome, false, &endpoint, now), outcome) {
                (Verdict::Done, Outcome::Answered(status)) => {
                    learn(store, plan.lesson(&endpoint, status, minted.as_deref(), IDLE, 0));
                    return End::Passed(status);
                }
                (Verdict::Again, _) => {
                    let instead = end_of(judge::instead(outcome, plan.name()), outcome);
                    if fallback.as_ref().is_none_or(reached_nobody) {
                        fallback = Some(instead);
                    }
                }
                (Verdict::Forget(refusal), _) => {
                    plan.session().map(|key| store.remove(&key));
                    return End::Refused(refusal);
                }
                (verdict, _) => return end_of(verdict, outcome),
            }
        }
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
