//! What is known of one call while it is under way.
//!
//! Invariant: an endpoint counts the call as in flight for exactly as long as [`Attempt`] lives; whatever ends the call drops it.

use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use outrigger_model::revision::Era;
use outrigger_model::route::{Limits, TimeClass, Timeouts};
use outrigger_proxy_core::balance::tried::Tried;
use outrigger_proxy_core::deadline::Deadlines;
use outrigger_proxy_core::live::InFlight;
use outrigger_proxy_core::mcp::facts::{Caller, Verb};
use outrigger_proxy_core::mcp::method::Method;
use outrigger_proxy_core::mcp::table::{AtDrain, Row};
use outrigger_proxy_core::outside;
use outrigger_proxy_core::plan::Plan;
use outrigger_proxy_core::refusal::Refusal;
use outrigger_proxy_core::room::Inside;
use outrigger_proxy_core::session::bind::Binding;
use outrigger_proxy_core::session::key::SessionKey;
use outrigger_proxy_core::session::moving::MOVES_OF_ONE_CALL_MAX;
use outrigger_proxy_core::session::tenure::Held;
use outrigger_proxy_core::site::Site;
use outrigger_proxy_core::world::endpoint::{Endpoint, Pool};
use outrigger_proxy_core::world::table::World;

use crate::session::openings::Opening;
use crate::telemetry::OpenCall;

/// The caller's proxy knows the route and its limits; those of an inbound call only end what nobody waits for any more.
const FIRST_BYTE_INBOUND: Duration = Duration::from_secs(24 * 3_600);

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
    /// It leads out of the mesh, or would.
    pub forwarded: bool,
    pub _open: OpenCall,
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
            forwarded: false,
            _open: open,
        }
    }

    /// Begins an attempt; the one before, if any, is over. `inside` is its place among the calls of the endpoint.
    pub fn attempt(&mut self, endpoint: Arc<Endpoint>, inside: Option<Inside>, began: Instant) {
        self.attempts += 1;
        self.tried.add(&endpoint.replica);
        let in_flight = if self.only_listens() { endpoint.live.enter_stream() } else { endpoint.live.enter() };
        self.attempt = Some(Attempt { endpoint, began, _in_flight: in_flight, _inside: inside });
    }

    /// Whether it is a stream on which the agent may say something some day.
    pub fn only_listens(&self) -> bool {
        self.row.is_some_and(|row| row.time == TimeClass::Stream)
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
    pub fn connect_limit(&self) -> Duration {
        self.timeouts().connect
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
                Deadlines::new(timeouts.of(plan.time_class()), timeouts.keep_alive, self.began)
            }
            Some(Way::In(_) | Way::Elsewhere(..)) | None => {
                let guard = Limits { first_byte: Some(FIRST_BYTE_INBOUND), ..Limits::NONE };
                Deadlines::new(guard, None, self.began)
            }
        }
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
