//! What is known of one call while it is under way.
//!
//! Invariant: an endpoint counts the call as in flight for exactly as long as [`Attempt`] lives; whatever ends the call drops it.

use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use outrigger_model::retries::Retries;
use outrigger_model::revision::Era;
use outrigger_model::route::{Limits, TimeClass, Timeouts};
use outrigger_model::traffic::Priority;
use outrigger_proxy_core::again::{Repetition, Spent};
use outrigger_proxy_core::balance::tried::Tried;
use outrigger_proxy_core::deadline::{self, Deadlines};
use outrigger_proxy_core::http1::field::{Fields, Name};
use outrigger_proxy_core::limit::subject::Subject;
use outrigger_proxy_core::live::InFlight;
use outrigger_proxy_core::mcp::facts::{Caller, Verb};
use outrigger_proxy_core::mcp::method::Method;
use outrigger_proxy_core::mcp::table::{AtDrain, Row};
use outrigger_proxy_core::outcome::Outcome;
use outrigger_proxy_core::outside;
use outrigger_proxy_core::plan::Plan;
use outrigger_proxy_core::refusal::Refusal;
use outrigger_proxy_core::room::Inside;
use outrigger_proxy_core::route::Lot;
use outrigger_proxy_core::session::bind::Binding;
use outrigger_proxy_core::session::key::SessionKey;
use outrigger_proxy_core::session::moving::MOVES_OF_ONE_CALL_MAX;
use outrigger_proxy_core::session::tenure::Held;
use outrigger_proxy_core::site::Site;
use outrigger_proxy_core::world::endpoint::{Endpoint, Pool};
use outrigger_proxy_core::world::table::World;

use tracing::{Level, enabled};

use crate::session::openings::Opening;
use crate::telemetry::OpenCall;

/// The caller's proxy knows the route and its limits; those of an inbound call only end what nobody waits for any more.
const GUARD: Limits = Limits { first_byte: Some(Duration::from_secs(24 * 3_600)), ..Limits::NONE };

/// One call, from its head to its last byte.
pub struct Call {
    pub began: Instant,
    /// Taken once; a call that waits for a better world takes that one.
    pub world: Arc<World>,
    pub way: Option<Way>,
    /// The binding of its session, if a store knew it.
    pub bound: Option<Bound>,
    /// How often it moved its session.
    pub moves: u32,
    /// What was drawn for it, once its route wanted something drawn.
    pub lot: Option<Lot>,
    pub tried: Tried,
    pub attempts: u32,
    pub attempt: Option<Attempt>,
    /// Its place among the calls of its pool, where their number is limited; kept to its end.
    pub inside: Option<Inside>,
    pub era: Option<Era>,
    pub method: Option<Method>,
    /// What is done with calls of its shape; none before its head was found good.
    pub row: Option<&'static Row>,
    /// The session that it is of, if any.
    pub held: Option<Held>,
    /// The place of the session that it opens.
    pub opening: Option<Opening>,
    /// Who brought it to an own agent, if that was proved.
    pub visitor: Option<Visitor>,
    pub first_byte: Option<Duration>,
    pub entrance: Entrance,
    /// It leads out of the mesh, or would.
    pub forwarded: bool,
    /// How long its caller waits for it, if it said so.
    pub patience: Option<Duration>,
    /// Attempts before the last and how they ended, for the log; empty where nobody reads it.
    pub trail: String,
    pub _open: OpenCall,
}

/// How far a call was let in; each door asks once, however often the call is planned.
#[derive(Debug, Default)]
pub struct Entrance {
    pub priority: Priority,
    /// There is not too much to do for it.
    pub admitted: bool,
    /// Counted by the limits of its route.
    pub at_route: bool,
    /// Counted by the limits of the own agent that it reaches.
    pub at_agent: bool,
    /// What it is to limits, once one of them had to know.
    pub subject: Option<Subject>,
}

/// The session of a call, as the stores know it.
#[derive(Debug, Clone)]
pub struct Bound {
    pub key: SessionKey,
    pub binding: Arc<Binding>,
    /// It may be opened again on another replica of the pool.
    pub movable: bool,
    pub pool: Option<Arc<Pool>>,
}

/// Where a call goes.
pub enum Way {
    /// From an own agent into the mesh.
    Out(Plan),
    /// From a peer to an own agent.
    In(Arc<Endpoint>),
    /// From an own agent to a site that is none of the mesh's.
    Elsewhere(Site, Arc<Endpoint>),
}

/// A peer that calls an own agent.
#[derive(Debug, Clone)]
pub struct Visitor {
    pub peer: Caller,
    pub verb: Verb,
    /// The key of the session that it names.
    pub key: Option<SessionKey>,
}

/// The endpoint that is being tried.
pub struct Attempt {
    pub endpoint: Arc<Endpoint>,
    pub began: Instant,
    _in_flight: InFlight,
    /// Of those that are under way there, where their number is limited.
    _inside: Option<Inside>,
}

/// How a call ends without an answer of an agent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ending {
    Refuse(Refusal),
    /// The connection is closed without a word.
    Close,
    /// An answer began and its source broke off.
    Broken,
    /// The caller left.
    Abandoned,
}

impl Call {
    pub fn new(world: Arc<World>, open: OpenCall) -> Self {
        Self {
            began: Instant::now(),
            world,
            way: None,
            bound: None,
            moves: 0,
            lot: None,
            tried: Tried::default(),
            attempts: 0,
            attempt: None,
            inside: None,
            era: None,
            method: None,
            row: None,
            held: None,
            opening: None,
            visitor: None,
            first_byte: None,
            entrance: Entrance::default(),
            forwarded: false,
            patience: None,
            trail: String::new(),
            _open: open,
        }
    }

    /// Begins an attempt; the one before, if any, is over. `inside` is its place among the calls of the endpoint.
    pub fn attempt(&mut self, endpoint: Arc<Endpoint>, inside: Option<Inside>, began: Instant) {
        self.attempt = Some(self.begin(endpoint, inside, began));
    }

    /// The same beside the one that is under way.
    pub fn begin(&mut self, endpoint: Arc<Endpoint>, inside: Option<Inside>, began: Instant) -> Attempt {
        self.attempts += 1;
        self.tried.add(&endpoint.replica);
        let in_flight = if self.only_listens() { endpoint.live.enter_stream() } else { endpoint.live.enter() };
        Attempt { endpoint, began, _in_flight: in_flight, _inside: inside }
    }

    /// The attempt under way ended like this, and another one follows.
    pub fn note(&mut self, outcome: Outcome) {
        let Some(attempt) = self.attempt.as_ref().filter(|_| enabled!(Level::DEBUG)) else { return };
        let separator = if self.trail.is_empty() { "" } else { ", " };
        self.trail.extend([separator, attempt.endpoint.replica.as_str(), " ", outcome.label()]);
    }

    /// Hears how long the caller waits. A stream is open for as long as its caller wants.
    pub fn hear_patience(&mut self, fields: &Fields) {
        if fields.has(Name::MeshTimeout) && self.row.is_none_or(|row| row.time != TimeClass::Stream) {
            self.patience = fields.once(Name::MeshTimeout).ok().flatten().and_then(deadline::patience);
        }
    }

    /// What is left of the time that the caller gave it, for the next one; none where it gave none.
    pub fn seconds_left(&self, now: Instant) -> Option<u64> {
        let is_ours = matches!(self.way, Some(Way::Out(_) | Way::In(_)));
        let left = self.patience.filter(|_| is_ours).and_then(|_| self.deadlines().left(now));
        left.map(deadline::seconds_left)
    }

    /// Whether it may be sent again after `outcome`, and after which pause.
    pub fn repeat(&self, outcome: Outcome, now: Instant) -> Result<Duration, Spent> {
        let Some(Way::Out(plan)) = &self.way else { return Ok(Duration::ZERO) };
        let (attempts, left) = (self.attempts, self.deadlines().left(now));
        plan.repeat(Repetition { outcome, attempts, left, chance: fastrand::u64(..) }, &self.tried, now)
    }

    /// Whether it is a stream on which the agent may say something some day.
    pub fn only_listens(&self) -> bool {
        self.row.is_some_and(|row| row.time == TimeClass::Stream)
    }

    /// Whether its route stands for one function, which has a name of its own at each endpoint.
    pub fn is_wired(&self) -> bool {
        matches!(&self.way, Some(Way::Out(plan)) if plan.wired().is_some())
    }

    /// The session of the call, if it may be opened again elsewhere and has not been too often.
    pub fn movable(&self) -> Option<&Bound> {
        self.bound.as_ref().filter(|bound| bound.movable && self.moves < MOVES_OF_ONE_CALL_MAX)
    }

    /// Whether its session moves before anything is tried.
    pub fn moves_at_once(&self, now: Instant) -> bool {
        let Some(Way::Out(plan)) = &self.way else { return false };
        self.movable().is_some() && plan.moves_at_once(now)
    }

    pub fn endpoint(&self) -> Option<Arc<Endpoint>> {
        self.attempt.as_ref().map(|attempt| Arc::clone(&attempt.endpoint))
    }

    /// Waits for an endpoint rather than being refused.
    pub fn is_patient(&self) -> bool {
        self.row.is_some_and(|row| row.patient)
    }

    /// What becomes of its answer when the listener drains; on both sides of the gateway.
    pub fn at_drain(&self) -> AtDrain {
        self.row.map_or(AtDrain::GoesOn, |row| row.at_drain)
    }

    /// For connecting to an endpoint.
    pub fn connect_limit(&self, now: Instant) -> Duration {
        let connect = self.timeouts().connect;
        self.deadlines().left(now).map_or(connect, |left| left.min(connect))
    }

    /// Whether its time has passed. A connection that was not made in what was left of it says nothing about its endpoint.
    pub fn is_over(&self, now: Instant) -> bool {
        self.deadlines().left(now).is_some_and(|left| left.is_zero())
    }

    /// For metrics: a name of the world; none if nothing matched.
    pub fn route(&self) -> Option<&str> {
        let forwarded = self.forwarded.then_some(outside::LABEL);
        self.way.as_ref().map(Way::name).or(forwarded)
    }

    pub fn deadlines(&self) -> Deadlines {
        match &self.way {
            Some(Way::Out(plan)) => {
                let timeouts = plan.timeouts();
                let limits = timeouts.of(plan.time_class());
                Deadlines::new(limits, timeouts.keep_alive, self.began).within(self.patience, self.began)
            }
            Some(Way::In(_)) => Deadlines::new(GUARD, None, self.began).within(self.patience, self.began),
            Some(Way::Elsewhere(..)) | None => Deadlines::new(GUARD, None, self.began),
        }
    }

    /// After how long without an answer another endpoint is asked as well.
    pub fn hedge_after(&self) -> Option<Duration> {
        match &self.way {
            Some(Way::Out(plan)) => plan.hedge_after(&self.tried, self.began_of_try()),
            Some(Way::In(_) | Way::Elsewhere(..)) | None => None,
        }
    }

    /// How much of its body is kept for another attempt.
    pub fn body_bytes_kept(&self) -> usize {
        match &self.way {
            Some(Way::Out(plan)) => plan.body_bytes_kept(),
            Some(Way::In(_) | Way::Elsewhere(..)) | None => Retries::BODY_BYTES_USUAL as usize,
        }
    }

    /// Those of the attempt under way.
    pub fn deadlines_of_try(&self) -> Deadlines {
        let per_try = match &self.way {
            Some(Way::Out(plan)) => plan.per_try(&self.tried, self.began_of_try()),
            Some(Way::In(_) | Way::Elsewhere(..)) | None => None,
        };
        self.deadlines().trying_for(per_try)
    }

    fn began_of_try(&self) -> Instant {
        self.attempt.as_ref().map_or(self.began, |attempt| attempt.began)
    }

    fn timeouts(&self) -> Timeouts {
        match &self.way {
            Some(Way::Out(plan)) => plan.timeouts(),
            Some(Way::In(_) | Way::Elsewhere(..)) | None => Timeouts::default(),
        }
    }
}

impl Way {
    /// For metrics: a name of the world.
    pub fn name(&self) -> &str {
        match self {
            Self::Out(plan) => plan.name(),
            Self::In(endpoint) => endpoint.agent.as_str(),
            Self::Elsewhere(..) => outside::LABEL,
        }
    }
}

/// Seconds since 1970, for what stores keep.
pub fn unix_seconds() -> u64 {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_secs()
}
