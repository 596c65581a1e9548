//! The heart: where a call goes, in what order places are tried, and when to stop.
//!
//! In: the world, the facts of a call, the binding of its session if it has one. Out: a [`Plan`], or a [`Refusal`].
//! Order: the target names a route or a replica; a session decides before anything else; then the replica that was named;
//! then the caller's affinity; then the pool's balance.
//! Two steps, because the store of sessions lies between them: [`aim`] says which session to look up, [`plan`] decides.

use std::sync::Arc;
use std::time::{Duration, Instant};

use http::StatusCode;
use outrigger_model::revision::Era;
use outrigger_model::route::{Affinity, Timeouts};

use crate::balance::pick::{By, Picked, pick};
use crate::balance::tried::Tried;
use crate::mcp::facts::{CallFacts, Caller, Verb};
use crate::mcp::method::{Class, Method};
use crate::outcome::{NotReached, Outcome};
use crate::refusal::Refusal;
use crate::retry::judge::{self, Hold, Patience, Verdict};
use crate::session::bind::{self, Asked, Binding, Lesson, Standing};
use crate::session::key::SessionKey;
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
}

#[derive(Debug, Clone)]
enum Dest {
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
}

/// Settles the route or the replica of a call.
pub fn aim(world: &World, facts: &CallFacts<'_>) -> Result<Aim, Refusal> {
    let unknown = |name: &str| Refusal::NoRoute { name: name.to_owned(), routes: world.route_names() };
    let dest = match facts.target {
        // Answered before a plan is made; no single agent is everything.
        Target::Everything => return Err(Refusal::NoSuchPath),
        Target::Route(name) => Dest::Route(Arc::clone(world.route(name).ok_or_else(|| unknown(name))?)),
        Target::Agent(id) => match (world.replica(id), world.agent(id)) {
            (Some(replica), _) => Dest::Replica(Arc::clone(replica)),
            (None, Some(agent)) => Dest::Route(Arc::clone(agent)),
            (None, None) => return Err(unknown(id)),
        },
    };
    let session = facts.session.filter(|_| dest.affinity().follows_keys());
    Ok(Aim {
        key: session.map(|id| SessionKey::of(dest.agent(), id)),
        dest,
        verb: facts.verb,
        era: facts.era,
        method: facts.method,
        caller: facts.caller.clone(),
    })
}

/// Decides. `binding` is what the store knows under [`Aim::key`].
pub fn plan(world: &World, aim: Aim, binding: Option<&Binding>) -> Result<Plan, Refusal> {
    let last_seen = binding.map(|binding| binding.last_seen);
    if let Some(binding) = binding {
        return match bind::judge(binding, world, &aim.caller) {
            Standing::NotYours => Err(Refusal::SessionOfAnotherCaller),
            Standing::Gone => Err(Refusal::SessionGone),
            Standing::Bound(endpoint) => Ok(Plan { aim, fixed: Some(endpoint), rung: Rung::Session, last_seen }),
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
    Ok(Plan { aim, fixed, rung, last_seen })
}

impl Dest {
    fn affinity(&self) -> Affinity {
        match self {
            Self::Route(route) => route.affinity,
            Self::Replica(_) => Affinity::default(),
        }
    }

    fn agent(&self) -> &outrigger_model::name::AgentName {
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
    /// The session to look up before [`plan`]; on [`Refusal::SessionGone`] it is to be forgotten.
    pub const fn key(&self) -> Option<SessionKey> {
        self.key
    }

    /// A new session need not start where the caller's others are: its id will hold it. Known only of pools that mint ids.
    fn stays_with_caller(&self, route: &Route) -> bool {
        let opens = self.method == Some(Method::Initialize) && self.key.is_none();
        let id_will_hold = opens && route.affinity.follows_keys() && route.pool.live.mints_sessions();
        route.affinity.follows_agent() && !id_will_hold
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
        let pool = self.pool().filter(|_| !tried.is_full()).ok_or_else(nothing_left)?;
        pick(pool, by, tried, now).ok_or_else(nothing_left)
    }

    /// What follows an attempt at `endpoint`. Its live state must have recorded the outcome before.
    pub fn judge(&self, outcome: Outcome, endpoint: &Endpoint, now: Instant) -> Verdict {
        let hold = match self.rung {
            Rung::Session => Hold::Session { failing_since: endpoint.live.failing_since() },
            Rung::Named => Hold::Named,
            Rung::Agent | Rung::Balance => Hold::Free,
        };
        // Between us and our own agent there is no proxy that could be the one that is gone.
        let outcome = match outcome {
            Outcome::ConnectFailed if endpoint.is_own() => Outcome::NotReached(NotReached::AgentUnreachable),
            outcome => outcome,
        };
        judge::judge(outcome, hold, self.name(), now)
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

    fn pool(&self) -> Option<&Arc<Pool>> {
        match &self.aim.dest {
            Dest::Route(route) => Some(&route.pool),
            Dest::Replica(_) => None,
        }
    }
}

/// Whether a refusal is said at once; `server/discover` of the modern era waits. `began` is when the call came.
pub fn patience(refusal: &Refusal, facts: &CallFacts<'_>, began: Instant, now: Instant) -> Patience {
    let discovers = facts.method.map(Method::class) == Some(Class::Discover);
    judge::patience(refusal, discovers && facts.era == Some(Era::Modern), began, now)
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
