//! The heart: where a call goes, in what order places are tried, and when to stop.
//!
//! In: the world, the facts of a call, the binding of its session if it has one. Out: a [`Plan`], or a [`Refusal`].
//! Order: the target names a route or a replica; a session decides before anything else; then the replica that was named;
//! then the caller's affinity; then the pool's balance.
//! Three steps, because the body and the store of sessions lie between them: [`dest`] says who is called and whether the body is read,
//! [`aim`] which session to look up, [`plan`] decides.

use std::sync::Arc;
use std::time::{Duration, Instant};

use http::StatusCode;
use outrigger_model::key::OnLoss;
use outrigger_model::name::AgentName;
use outrigger_model::revision::Era;
use outrigger_model::route::{Affinity, TimeClass, Timeouts};

use crate::balance::pick::{By, Picked, pick};
use crate::balance::tried::Tried;
use crate::mcp::facts::{CallFacts, Caller, Verb};
use crate::mcp::method::Method;
use crate::mcp::table::{Row, Stick};
use crate::outcome::{NotReached, Outcome};
use crate::refusal::Refusal;
use crate::retry::judge::{self, Hold, Verdict};
use crate::session::bind::{self, Asked, Binding, Lesson, Standing};
use crate::session::key::{KeyKind, SessionKey};
use crate::target::Target;
use crate::world::endpoint::{Endpoint, Pool, Route};
use crate::world::table::World;

/// Who is called, before sessions are asked.
#[derive(Debug, Clone)]
pub struct Aim {
    dest: Dest,
    key: Option<SessionKey>,
    verb: Verb,
    era: Option<Era>,
    method: Option<Method>,
    caller: Caller,
    row: &'static Row,
    /// Its key is the id of a legacy session that it goes on with.
    in_session: bool,
}

/// What the target of a call names.
#[derive(Debug, Clone)]
pub enum Dest {
    Route(Arc<Route>),
    Replica(Arc<Endpoint>),
}

/// Which rung of the ladder decided.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Rung {
    Session,
    Named,
    Agent,
    Balance,
}

/// What will be done with a call.
#[derive(Debug, Clone)]
pub struct Plan {
    aim: Aim,
    /// A session or a name holds the call here.
    fixed: Option<Arc<Endpoint>>,
    rung: Rung,
    /// When the session was last seen, if the store knew it.
    last_seen: Option<u64>,
    /// The session may be opened again elsewhere.
    movable: bool,
}

/// Settles the route or the replica of a call.
pub fn dest(world: &World, target: Target<'_>) -> Result<Dest, Refusal> {
    let unknown = |name: &str| Refusal::NoRoute { name: name.to_owned(), routes: world.route_names() };
    match target {
        // Answered before a plan is made; no single agent is everything.
        Target::Everything => Err(Refusal::NoSuchPath),
        Target::Route(name) => {
            world.route(name).map(|route| Dest::Route(Arc::clone(route))).ok_or_else(|| unknown(name))
        }
        Target::Agent(id) => match (world.replica(id), world.agent(id)) {
            (Some(replica), _) => Ok(Dest::Replica(Arc::clone(replica))),
            (None, Some(agent)) => Ok(Dest::Route(Arc::clone(agent))),
            (None, None) => Err(unknown(id)),
        },
    }
}

/// Settles what of the call decides where it goes.
pub fn aim(dest: Dest, facts: &CallFacts<'_>) -> Aim {
    let session = facts.session.filter(|_| dest.affinity().follows_keys());
    Aim {
        in_session: session.is_some() && facts.part.is_endpoint() && facts.verb != Verb::Other,
        key: session.map(|id| SessionKey::of(dest.agent(), id)),
        dest,
        verb: facts.verb,
        era: facts.era,
        method: facts.method,
        caller: facts.caller.clone(),
        row: Row::of(facts),
    }
}

/// Decides. `binding` is what the store knows under [`Aim::key`].
pub fn plan(world: &World, aim: Aim, binding: Option<&Binding>) -> Result<Plan, Refusal> {
    let last_seen = binding.map(|binding| binding.last_seen);
    let movable = binding.is_some_and(|binding| aim.may_move(binding));
    if let Some(binding) = binding {
        return match bind::judge(binding, world, &aim.caller) {
            Standing::NotYours => Err(Refusal::SessionOfAnotherCaller),
            Standing::Gone => Err(Refusal::SessionGone),
            Standing::Bound(endpoint) => {
                Ok(Plan { aim, fixed: Some(endpoint), rung: Rung::Session, last_seen, movable })
            }
        };
    }
    let (fixed, rung) = match &aim.dest {
        Dest::Replica(endpoint) => (Some(Arc::clone(endpoint)), Rung::Named),
        Dest::Route(route) if route.pool.endpoints.is_empty() => {
            return Err(Refusal::NoProvider { route: route.name.as_str().to_owned() });
        }
        Dest::Route(route) if aim.stays_with_caller(route) => (None, Rung::Agent),
        Dest::Route(_) => (None, Rung::Balance),
    };
    Ok(Plan { aim, fixed, rung, last_seen, movable })
}

impl Dest {
    /// Whether the bodies of calls are read, whatever their heads say.
    pub fn inspects(&self) -> bool {
        matches!(self, Self::Route(route) if route.inspect)
    }

    fn affinity(&self) -> Affinity {
        match self {
            Self::Route(route) => route.affinity,
            Self::Replica(_) => Affinity::default(),
        }
    }

    fn agent(&self) -> &AgentName {
        match self {
            Self::Route(route) => &route.pool.agent,
            Self::Replica(endpoint) => &endpoint.agent,
        }
    }

    fn name(&self) -> &str {
        match self {
            Self::Route(route) => route.name.as_str(),
            Self::Replica(endpoint) => endpoint.agent.as_str(),
        }
    }
}

impl Aim {
    /// What is done with calls of its shape.
    pub const fn row(&self) -> &'static Row {
        self.row
    }

    /// Whose sessions are looked up.
    pub fn agent(&self) -> &AgentName {
        self.dest.agent()
    }

    /// The session to look up before [`plan`]; on [`Refusal::SessionGone`] it is to be forgotten.
    pub const fn key(&self) -> Option<SessionKey> {
        self.key
    }

    /// Whether its session, which was at `binding`, may be opened again on another replica. To end it that would be for nothing.
    pub fn may_move(&self, binding: &Binding) -> bool {
        let Dest::Route(route) = &self.dest else { return false };
        let wants = self.in_session && self.verb != Verb::Delete && route.sessions.on_loss == OnLoss::Reestablish;
        wants && binding.kind == KeyKind::Session && binding.opening.is_some()
    }

    /// The replicas that it could go to, where it does not name one.
    pub fn pool(&self) -> Option<&Arc<Pool>> {
        match &self.dest {
            Dest::Route(route) => Some(&route.pool),
            Dest::Replica(_) => None,
        }
    }

    fn stays_with_caller(&self, route: &Route) -> bool {
        let stays = match self.row.stick {
            Stick::Caller => true,
            // A new session need not start where the caller's others are: its id will hold it. Known only of pools that mint ids.
            Stick::Opens => !(route.affinity.follows_keys() && route.pool.live.mints_sessions()),
            Stick::Nowhere => false,
        };
        stays && route.affinity.follows_agent()
    }
}

impl Plan {
    /// The endpoint of the next attempt; note it in `tried`.
    pub fn pick(&self, tried: &Tried, now: Instant) -> Result<Picked, Refusal> {
        let nothing_left = || Refusal::NoEndpoint { route: self.name().to_owned() };
        if let Some(endpoint) = &self.fixed {
            return if tried.has(&endpoint.replica) {
                Err(nothing_left())
            } else {
                Ok(Picked { endpoint: Arc::clone(endpoint), panic: false })
            };
        }
        let by = if self.rung == Rung::Agent { By::Caller(&self.aim.caller) } else { By::Balance };
        let searches = self.searches();
        let is_over = if searches { tried.is_exhausted() } else { tried.is_full() };
        let pool = self.pool().filter(|_| !is_over).ok_or_else(nothing_left)?;
        let draining = || pool.endpoints.iter().find(|endpoint| searches && !tried.has(&endpoint.replica));
        // Those that drain get nothing new, and may hold what is searched for.
        let last = || draining().map(|endpoint| Picked { endpoint: Arc::clone(endpoint), panic: false });
        pick(pool, by, tried, now).or_else(last).ok_or_else(nothing_left)
    }

    /// Whether it belongs to a session of which nobody knows where it lives.
    pub fn searches(&self) -> bool {
        self.aim.in_session && self.last_seen.is_none() && self.fixed.is_none()
    }

    /// What follows an attempt at `endpoint`. Its live state must have recorded the outcome before.
    pub fn judge(&self, outcome: Outcome, endpoint: &Endpoint, now: Instant) -> Verdict {
        let hold = match self.rung {
            Rung::Session => Hold::Session { failing_since: endpoint.live.failing_since(), movable: self.movable },
            Rung::Named => Hold::Named,
            Rung::Agent | Rung::Balance if self.searches() => Hold::Searching,
            Rung::Agent | Rung::Balance => Hold::Free,
        };
        // Between us and our own agent there is no proxy that could be the one that is gone.
        let outcome = match outcome {
            Outcome::ConnectFailed if endpoint.is_own() => Outcome::NotReached(NotReached::AgentUnreachable),
            outcome => outcome,
        };
        judge::judge(outcome, hold, self.aim.row.retry, self.name(), now)
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
        let affinity = self.aim.dest.affinity();
        if !affinity.follows_keys() {
            return Lesson::Nothing;
        }
        let Aim { verb, era, key, ref caller, .. } = self.aim;
        let asked = Asked { verb, era, caller, key, last_seen: self.last_seen, idle };
        let lesson = bind::lesson(asked, endpoint, status, minted, unix);
        if let (Lesson::Learn(..), None, Some(pool)) = (&lesson, key, self.pool()) {
            pool.live.saw_session_minted();
        }
        lesson
    }

    /// The name for refusals and metric labels: always one of the world's.
    pub fn name(&self) -> &str {
        self.aim.dest.name()
    }

    pub fn timeouts(&self) -> Timeouts {
        match &self.aim.dest {
            Dest::Route(route) => route.timeouts,
            Dest::Replica(_) => Timeouts::default(),
        }
    }

    /// How patient the call is; its limits are those of this class.
    pub const fn time_class(&self) -> TimeClass {
        self.aim.row.time
    }

    pub const fn rung(&self) -> Rung {
        self.rung
    }

    pub const fn era(&self) -> Option<Era> {
        self.aim.era
    }

    pub const fn method(&self) -> Option<Method> {
        self.aim.method
    }

    pub const fn key(&self) -> Option<SessionKey> {
        self.aim.key
    }

    /// Whether the `initialize` that opens a session here is kept with it.
    pub fn keeps_opening(&self) -> bool {
        let reestablishes =
            matches!(&self.aim.dest, Dest::Route(route) if route.sessions.on_loss == OnLoss::Reestablish);
        reestablishes && self.aim.method == Some(Method::Initialize) && self.aim.key.is_none()
    }

    fn pool(&self) -> Option<&Arc<Pool>> {
        self.aim.pool()
    }
}

impl Rung {
    pub const fn label(self) -> &'static str {
        match self {
            Self::Session => "session",
            Self::Named => "named",
            Self::Agent => "agent",
            Self::Balance => "balance",
        }
    }
}

#[cfg(test)]
mod tests;
