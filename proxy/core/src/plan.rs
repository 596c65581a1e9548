//! The heart: where a call goes, in what order places are tried, and when to stop.
//!
//! In: the world, the facts of a call, what the stores know of its keys. Out: a [`Plan`], or a [`Refusal`].
//! Order: the target names a route or a replica; the first key that leads to a replica decides before anything else; then the replica that
//! was named; then the caller's affinity; then the pool's balance. What each kind of key does is in `session::rules`.
//! Three steps, because the body and the store of sessions lie between them: [`dest`] says who is called and how much of the body is read,
//! [`aim`] which keys to look up, [`plan`] decides.
//! Invariant: a handle is held by a replica before a call that carries it is sent there ([`Plan::claim`]).

mod aim;
mod rung;
mod wired;
mod shaped;
mod search;
mod settled;

use std::sync::Arc;
use std::time::{Duration, Instant};

use http::StatusCode;
use outrigger_model::endpoint::EndpointState;
use outrigger_model::key::OnLoss;
use outrigger_model::retries::Retries;
use outrigger_model::revision::Era;
use outrigger_model::route::{TimeClass, Timeouts};
use outrigger_model::settings::Settings;

use crate::balance::pick::{Missed, Picked, pick};
use crate::balance::tried::{ATTEMPTS_MAX, Tried};
use crate::health::circuit::State;
use crate::health::tools::Tool;
use crate::http1::head::ResponseHead;
use crate::mcp::facts::Verb;
use crate::mcp::method::Method;
use crate::mcp::minted::{Mint, Minting, Written};
use crate::mcp::table::{Row, Stick};
use crate::outcome::{NotReached, Outcome};
use crate::refusal::Refusal;
use crate::retry::judge::{self, Case, Hold, Verdict};
use crate::session::bind::{self, Asked, Binding, Lesson, Standing};
use crate::session::key::{KeyKind, SessionKey};
use crate::session::rules::{Gone, MadeBy, Rule};
use crate::world::endpoint::{Endpoint, Pool};
use crate::world::table::World;
pub use aim::{Aim, Dest, aim, dest};
pub use rung::Rung;

/// What will be done with a call.
#[derive(Debug, Clone)]
pub struct Plan {
    aim: Aim,
    /// A key holds the call here.
    held: Option<Held>,
    below: Below,
    /// What will be held by the replica that the call goes to, and what is known of it so far.
    handles: Vec<(SessionKey, Option<Arc<Binding>>)>,
    /// The session may be opened again elsewhere.
    movable: bool,
    /// The tool that is called, once somebody asked for it.
    tool: Option<Tool>,
}

/// What a key leads to.
#[derive(Debug, Clone)]
struct Held {
    endpoint: Arc<Endpoint>,
    kind: KeyKind,
    key: SessionKey,
    /// In seconds since 1970.
    last_seen: u64,
}

/// Where a call goes that no key holds.
#[derive(Debug, Clone)]
enum Below {
    Named(Arc<Endpoint>),
    Agent,
    Balance,
}

/// Something minted, for the stores.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Learned {
    pub key: SessionKey,
    pub binding: Binding,
    pub kept: Duration,
}

/// Decides. `found` is what the stores know under the first of [`Aim::keys`], in their order.
pub fn plan(world: &World, aim: Aim, found: &[Option<Arc<Binding>>]) -> Result<Plan, Refusal> {
    let (mut held, mut handles, mut movable) = (None, Vec::new(), false);
    for (carried, binding) in aim.keys.iter().zip(found) {
        let standing = binding.as_deref().map(|binding| bind::judge(binding, world, &aim.caller));
        if Rule::of(carried.kind).made_by == MadeBy::Caller {
            handles.push((carried.key, binding.clone()));
        }
        movable |= binding.as_ref().is_some_and(|binding| aim.may_move(binding));
        match standing {
            Some(Standing::NotYours) => return Err(Refusal::SessionOfAnotherCaller),
            Some(Standing::Gone) if Rule::of(carried.kind).gone == Gone::Told => return Err(Refusal::SessionGone),
            Some(Standing::Bound(endpoint)) => {
                let last_seen = binding.as_ref().map_or(0, |binding| binding.last_seen);
                held = Some(Held { endpoint, kind: carried.kind, key: carried.key, last_seen });
                break;
            }
            Some(Standing::Gone) | None => {}
        }
    }
    let below = match &aim.dest {
        Dest::Replica(endpoint) => Below::Named(Arc::clone(endpoint)),
        Dest::Route(route) if held.is_none() && aim.pool().is_none_or(|pool| pool.endpoints.is_empty()) => {
            return Err(Refusal::NoProvider { route: route.name.as_str().to_owned() });
        }
        Dest::Route(route) if aim.stays_with_caller(route) => Below::Agent,
        Dest::Route(_) => Below::Balance,
    };
    Ok(Plan { aim, held, below, handles, movable, tool: None })
}

impl Plan {
    /// The endpoint of the next attempt; note it in `tried`.
    pub fn pick(&self, tried: &Tried, now: Instant) -> Result<Picked, Refusal> {
        if let Some(pool) = self.pool().filter(|_| tried.count() == 0) {
            pool.live.retries().saw_call(now);
        }
        let nothing_left = || Refusal::NoEndpoint { route: self.name().to_owned() };
        let only = |endpoint: &Arc<Endpoint>| match tried.has(&endpoint.replica) {
            true => Err(nothing_left()),
            false => Ok(Picked { endpoint: Arc::clone(endpoint), panic: false }),
        };
        if let Some(Held { endpoint, kind, .. }) = &self.held
            && (Rule::of(*kind).gone == Gone::Told || !tried.has(&endpoint.replica))
        {
            self.pass_circuit(endpoint, now)?;
            return only(endpoint);
        }
        if let Below::Named(endpoint) = &self.below {
            return only(endpoint);
        }
        let searches = self.searches();
        let is_over = if searches { tried.is_exhausted() } else { tried.count() >= self.attempts_max() };
        let pool = self.pool().filter(|_| !is_over).ok_or_else(nothing_left)?;
        pick(pool, self.by(pool), tried, self.tool, now).or_else(|missed| match missed {
            _ if searches => self.search_on(pool, tried, now).unwrap_or_else(|| Err(nothing_left())),
            // Once one was asked, what it said is said.
            Missed::Open(left) if tried.count() == 0 => Err(self.circuit_open(left)),
            Missed::Open(_) | Missed::Nothing => Err(nothing_left()),
        })
    }

    /// Whether it matters which tool is called, because some tool is known to fail at some of its endpoints.
    pub fn asks_for_tool(&self) -> bool {
        let fails = |endpoint: &Arc<Endpoint>| endpoint.live.tools.is_any_failing();
        let saw = self.pool().filter(|pool| pool.live.saw_tools_fail() && self.held.is_none() && self.tool.is_none());
        saw.is_some_and(|pool| pool.endpoints.iter().any(fails))
    }

    /// This is the tool that it calls.
    pub const fn calls(&mut self, tool: Option<Tool>) {
        self.tool = tool;
    }

    /// What a key holds at an endpoint can be nowhere else; if that one answers badly, its calls fail at once as long as its circuit is
    /// open, but for those that end a stream or a session.
    fn pass_circuit(&self, endpoint: &Endpoint, now: Instant) -> Result<(), Refusal> {
        if self.aim.verb != Verb::Post || endpoint.live.passes_circuit(&endpoint.terms.policy.breaker, now) {
            return Ok(());
        }
        match endpoint.live.circuit_state(now) {
            State::Open(left) => Err(self.circuit_open(left)),
            State::Closed | State::HalfOpen => Ok(()),
        }
    }

    fn circuit_open(&self, left: Duration) -> Refusal {
        let seconds = u32::try_from(left.as_secs()).unwrap_or(u32::MAX).saturating_add(1);
        Refusal::CircuitOpen { route: self.name().to_owned(), seconds }
    }

    /// Whether its session moves before anything is tried: its replica refused the last connection, and another one takes calls.
    pub fn moves_at_once(&self, now: Instant) -> bool {
        let Some(endpoint) = self
            .held
            .as_ref()
            .map(|held| &held.endpoint)
            .filter(|endpoint| self.movable && endpoint.live.is_ejected(now))
        else {
            return false;
        };
        let takes_calls = |other: &Arc<Endpoint>| {
            other.replica != endpoint.replica && other.state == EndpointState::Up && !other.live.is_ejected(now)
        };
        self.pool().is_some_and(|pool| pool.endpoints.iter().any(takes_calls))
    }

    /// Whether it belongs to a session of which nobody knows where it lives.
    pub fn searches(&self) -> bool {
        self.aim.in_session && self.held.is_none() && !matches!(self.below, Below::Named(_))
    }

    /// The next handle that `endpoint` does not hold yet, to be offered to the stores before anything is sent there.
    pub fn claim(&self, endpoint: &Endpoint, unix: u64) -> Option<(SessionKey, Binding)> {
        self.handles.iter().find_map(|(key, known)| {
            let moves = match known {
                None => 0,
                Some(known) if is_at(known, endpoint) => return None,
                Some(known) => known.moves.saturating_add(1),
            };
            let binding = Binding::new(KeyKind::Handle, endpoint, &self.aim.caller, unix);
            Some((*key, Binding { moves, ..binding }))
        })
    }

    /// The stores answered an offer for `endpoint` with `known`. If that is another replica, which can be asked, the call goes there.
    pub fn claimed(
        &mut self,
        key: SessionKey,
        known: &Arc<Binding>,
        endpoint: &Endpoint,
        world: &World,
        tried: &Tried,
    ) -> Option<Arc<Endpoint>> {
        if let Some((_, place)) = self.handles.iter_mut().find(|(handle, _)| *handle == key) {
            *place = Some(Arc::clone(known));
        }
        let Standing::Bound(other) = bind::judge(known, world, &self.aim.caller) else { return None };
        // A call that a key holds already is not moved by one that was looked up later.
        let is_free =
            self.held.as_ref().is_none_or(|held| held.key == key || held.endpoint.replica != endpoint.replica);
        if is_at(known, endpoint) || tried.has(&other.replica) || !is_free {
            return None;
        }
        let held = Held { endpoint: Arc::clone(&other), kind: KeyKind::Handle, key, last_seen: known.last_seen };
        self.held = Some(held);
        Some(other)
    }

    /// What follows an attempt at `endpoint`. Its live state must have recorded the outcome before. `asks_later`: the answer says when to ask
    /// again.
    pub fn judge(&self, outcome: Outcome, asks_later: bool, endpoint: &Endpoint, now: Instant) -> Verdict {
        let key = self.held.as_ref().filter(|held| held.endpoint.replica == endpoint.replica).map(|held| held.kind);
        let hold = match key {
            Some(_) => Hold::Session { failing_since: endpoint.live.failing_since(), movable: self.movable },
            None => self.hold_below(),
        };
        let case = Case { hold, retry: self.aim.retry, asks_later, route: self.name() };
        // Between us and our own agent there is no proxy that could be the one that is gone.
        let outcome = match outcome {
            Outcome::ConnectFailed if endpoint.is_own() => Outcome::NotReached(NotReached::AgentUnreachable),
            outcome => outcome,
        };
        match (judge::judge(outcome, case, now), key) {
            // The protocol has no word for it, and nothing was sent: the ladder goes on.
            (Verdict::Forget(_), Some(kind)) if Rule::of(kind).gone != Gone::Told => Verdict::Again,
            (verdict, _) => verdict,
        }
    }

    /// What the head of an answer teaches the store of sessions, which live for `idle` without use. `unix` is in seconds since 1970.
    pub fn lesson(
        &self,
        endpoint: &Endpoint,
        status: StatusCode,
        minted: Option<&[u8]>,
        idle: Duration,
        unix: u64,
    ) -> Lesson {
        if !self.aim.dest.affinity().follows_keys() {
            return Lesson::Nothing;
        }
        let Aim { verb, era, ref caller, .. } = self.aim;
        let (key, held) = (self.aim.session(), self.held.as_ref());
        let last_seen = held.filter(|held| held.kind == KeyKind::Session).map(|held| held.last_seen);
        let lesson = bind::lesson(Asked { verb, era, caller, key, last_seen, idle }, endpoint, status, minted, unix);
        match (&lesson, held, self.pool()) {
            (Lesson::Learn(..), _, Some(pool)) if key.is_none() => pool.live.saw_session_minted(),
            (Lesson::Nothing, Some(held), _)
                if held.kind != KeyKind::Session
                    && Rule::of(held.kind).is_renewed()
                    && bind::is_due(held.last_seen, idle, unix) =>
            {
                return Lesson::Touch(held.key);
            }
            _ => {}
        }
        lesson
    }

    /// Reads the body of an answer for what it mints, if it may mint anything.
    pub fn minting(&self, answer: &ResponseHead) -> Option<Minting> {
        let mints = self.aim.mints.filter(|_| answer.status.is_success())?;
        Some(Minting::new(mints, Written::of(&answer.fields)?))
    }

    /// What is kept of something that the answer of `endpoint` minted.
    pub fn learned(&self, mint: Mint, endpoint: &Endpoint, settings: &Settings, unix: u64) -> Learned {
        let (kind, value, told) = match mint {
            Mint::Task { id, life } => (KeyKind::Task, id, life),
            Mint::State(value) => (KeyKind::State, value, None),
        };
        Learned {
            key: SessionKey::of_minted(&endpoint.agent, kind, &value),
            binding: Binding::new(kind, endpoint, &self.aim.caller, unix),
            kept: Rule::of(kind).kept(told, settings.session_idle, settings.session_lifetime),
        }
    }

    /// The name for refusals and metric labels: always one of the world's.
    pub fn name(&self) -> &str {
        self.aim.dest.name()
    }

    pub fn timeouts(&self) -> Timeouts {
        match &self.aim.dest {
            Dest::Route(route) => route.policy.timeouts,
            Dest::Replica(_) => Timeouts::default(),
        }
    }

    /// How patient the call is; its limits are those of this class.
    pub const fn time_class(&self) -> TimeClass {
        self.aim.row.time
    }

    pub fn rung(&self) -> Rung {
        match (&self.held, &self.below) {
            (Some(held), _) => Rung::Key(held.kind),
            (None, Below::Named(_)) => Rung::Named,
            (None, Below::Agent) => Rung::Agent,
            (None, Below::Balance) => Rung::Balance,
        }
    }

    pub const fn era(&self) -> Option<Era> {
        self.aim.era
    }

    pub const fn method(&self) -> Option<Method> {
        self.aim.method
    }

    /// The key of its session.
    pub fn session(&self) -> Option<SessionKey> {
        self.aim.session()
    }

    /// Whether the `initialize` that opens a session here is kept with it.
    pub fn keeps_opening(&self) -> bool {
        let reestablishes =
            matches!(&self.aim.dest, Dest::Route(route) if route.policy.sessions.on_loss == OnLoss::Reestablish);
        reestablishes && self.aim.method == Some(Method::Initialize) && self.aim.session().is_none()
    }

    /// Where no key holds it.
    fn hold_below(&self) -> Hold {
        match &self.below {
            Below::Named(_) => Hold::Named,
            Below::Agent | Below::Balance if self.searches() => Hold::Searching,
            Below::Agent | Below::Balance => Hold::Free,
        }
    }

    /// Most attempts, the first included.
    pub(crate) fn attempts_max(&self) -> usize {
        self.retries().map_or(ATTEMPTS_MAX, |retries| retries.attempts.into())
    }

    /// Whether nothing holds it at one replica, and running it twice changes nothing.
    pub(crate) fn may_run_twice(&self) -> bool {
        self.aim.retry.may_repeat() && self.held.is_none() && self.hold_below() == Hold::Free
    }

    /// Whether it may be under way at two replicas. What opens a session would open two, and a handle is held by one.
    pub(crate) fn may_go_to_two(&self) -> bool {
        let Row { stick, time, .. } = self.aim.row;
        *stick != Stick::Opens && *time != TimeClass::Stream && self.handles.is_empty()
    }

    /// What the route says of sending it again; nobody says it of a replica that was named.
    pub(crate) fn retries(&self) -> Option<&Retries> {
        match &self.aim.dest {
            Dest::Route(route) => Some(&route.policy.retries),
            Dest::Replica(_) => None,
        }
    }

    pub(crate) fn pool(&self) -> Option<&Arc<Pool>> {
        self.aim.pool()
    }
}

fn is_at(binding: &Binding, endpoint: &Endpoint) -> bool {
    binding.replica == endpoint.replica && binding.generation == endpoint.generation
}

#[cfg(test)]
mod tests;
