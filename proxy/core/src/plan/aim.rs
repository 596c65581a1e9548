//! Who is called, how much of the body that needs, and which keys the call carries.
//!
//! In: the world, the facts of a call, and what was read of its body. Out: a [`Dest`], then an [`Aim`] whose keys are to be looked up.
//! Never here: where a key leads.

use std::sync::Arc;

use outrigger_model::key::{KeySource, OnLoss};
use outrigger_model::name::AgentName;
use outrigger_model::revision::Era;
use outrigger_model::route::Affinity;

use crate::mcp::envelope::Envelope;
use crate::mcp::envelope::probe::Wants;
use crate::mcp::facts::{CallFacts, Caller, Reading, Verb};
use crate::mcp::method::Method;
use crate::mcp::minted::Mints;
use crate::mcp::table::{Row, Stick};
use crate::mcp::wanted;
use crate::refusal::Refusal;
use crate::session::bind::{self, Binding, Standing};
use crate::session::carried::{self, Carried};
use crate::session::key::{KeyKind, SessionKey};
use crate::target::Target;
use crate::world::endpoint::{Endpoint, Pool, Route};
use crate::world::table::World;

/// Who is called, before keys are asked.
#[derive(Debug, Clone)]
pub struct Aim {
    pub(super) dest: Dest,
    pub(super) keys: Vec<Carried>,
    pub(super) verb: Verb,
    pub(super) era: Option<Era>,
    pub(super) method: Option<Method>,
    pub(super) caller: Caller,
    pub(super) row: &'static Row,
    /// One of its keys is the id of a legacy session that it goes on with.
    pub(super) in_session: bool,
    /// What its answer may mint beside a session.
    pub(super) mints: Option<Mints>,
}

/// What the target of a call names.
#[derive(Debug, Clone)]
pub enum Dest {
    Route(Arc<Route>),
    Replica(Arc<Endpoint>),
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

/// Settles what of the call decides where it goes. `envelope` is what was read of its body, if anything was.
pub fn aim(dest: Dest, facts: &CallFacts<'_>, envelope: Option<&Envelope<'_>>) -> Aim {
    let follows = dest.affinity().follows_keys();
    let keys = match follows {
        true => carried::carried(dest.agent(), dest.keys(), facts, envelope),
        false => Vec::new(),
    };
    let mints = mints(facts, envelope).filter(|_| follows && facts.verb == Verb::Post);
    Aim {
        in_session: follows && facts.session.is_some() && facts.part.is_endpoint() && facts.verb != Verb::Other,
        keys,
        dest,
        verb: facts.verb,
        era: facts.era,
        method: facts.method,
        caller: facts.caller.clone(),
        row: Row::of(facts),
        mints,
    }
}

fn mints(facts: &CallFacts<'_>, envelope: Option<&Envelope<'_>>) -> Option<Mints> {
    match (facts.era, facts.method?) {
        (Some(Era::Modern), Method::ToolsCall | Method::PromptsGet | Method::ResourcesRead) => Some(Mints::Modern),
        (Some(Era::Modern), _) => None,
        // In a session its id names the replica.
        _ => envelope.filter(|envelope| facts.session.is_none() && envelope.asks_for_task()).map(|_| Mints::Legacy),
    }
}

impl Dest {
    /// Whether the bodies of calls are read, whatever their heads say.
    pub fn inspects(&self) -> bool {
        matches!(self, Self::Route(route) if route.policy.inspect)
    }

    /// How much of the body of a call is read.
    pub fn reading(&self, facts: &CallFacts<'_>) -> Reading {
        let reading = facts.reading(self.inspects());
        if facts.is_readable() && self.affinity().follows_keys() {
            return reading.max(carried::reading(self.keys(), facts));
        }
        reading
    }

    /// What is looked for in it beside the outside of the message.
    pub fn wants(&self, facts: &CallFacts<'_>) -> Wants {
        let of_route = match self {
            Self::Route(route) => route.wants.as_ref(),
            Self::Replica(_) => None,
        };
        if !self.affinity().follows_keys() || facts.session.is_some() {
            return Wants::NONE;
        }
        of_route.cloned().unwrap_or_else(|| wanted::of_protocol(facts.era))
    }

    /// The route that was named, if it was one.
    pub fn route(&self) -> Option<&Route> {
        match self {
            Self::Route(route) => Some(route),
            Self::Replica(_) => None,
        }
    }

    pub(super) fn affinity(&self) -> Affinity {
        match self {
            Self::Route(route) => route.policy.affinity,
            Self::Replica(_) => Affinity::default(),
        }
    }

    /// Who names a replica wants that one, and no handle takes it elsewhere.
    fn keys(&self) -> &[KeySource] {
        match self {
            Self::Route(route) => &route.policy.sessions.keys,
            Self::Replica(_) => &[],
        }
    }

    fn agent(&self) -> &AgentName {
        match self {
            Self::Route(route) => &route.pool.agent,
            Self::Replica(endpoint) => &endpoint.agent,
        }
    }

    pub(super) fn name(&self) -> &str {
        match self {
            Self::Route(route) => route.name.as_str(),
            Self::Replica(endpoint) => endpoint.agent.as_str(),
        }
    }
}

impl Aim {
    /// The agent that is called.
    pub fn agent(&self) -> &AgentName {
        self.dest.agent()
    }

    /// What its target names.
    pub const fn dest(&self) -> &Dest {
        &self.dest
    }

    /// Whether it opens a session whose id will be learned.
    pub fn opens_session(&self) -> bool {
        self.row.stick == Stick::Opens && self.dest.affinity().follows_keys()
    }

    /// What is done with calls of its shape.
    pub const fn row(&self) -> &'static Row {
        self.row
    }

    /// What to look up, in this order, until [`Self::is_settled_by`] says that it is enough.
    pub fn keys(&self) -> &[Carried] {
        &self.keys
    }

    /// The key of its session; on [`Refusal::SessionGone`] it is to be forgotten.
    pub fn session(&self) -> Option<SessionKey> {
        self.keys.iter().find(|carried| carried.kind == KeyKind::Session).map(|carried| carried.key)
    }

    /// Whether what is known of a key decides, so that no key behind it has to be looked up.
    pub fn is_settled_by(&self, carried: Carried, binding: &Binding, world: &World) -> bool {
        match bind::judge(binding, world, &self.caller) {
            Standing::Bound(_) | Standing::NotYours => true,
            Standing::Gone => carried.kind == KeyKind::Session,
        }
    }

    /// Whether its session, which was at `binding`, may be opened again on another replica. To end it that would be for nothing.
    pub fn may_move(&self, binding: &Binding) -> bool {
        let Dest::Route(route) = &self.dest else { return false };
        let wants =
            self.in_session && self.verb != Verb::Delete && route.policy.sessions.on_loss == OnLoss::Reestablish;
        wants && binding.kind == KeyKind::Session && binding.opening.is_some()
    }

    /// The replicas that it could go to, where it does not name one.
    pub fn pool(&self) -> Option<&Arc<Pool>> {
        match &self.dest {
            Dest::Route(route) => Some(&route.pool),
            Dest::Replica(_) => None,
        }
    }

    pub(super) fn stays_with_caller(&self, route: &Route) -> bool {
        let stays = match self.row.stick {
            Stick::Caller => true,
            // A new session need not start where the caller's others are: its id will hold it. Known only of pools that mint ids.
            Stick::Opens => !(route.policy.affinity.follows_keys() && route.pool.live.mints_sessions()),
            Stick::Nowhere => false,
        };
        stays && route.policy.affinity.follows_agent()
    }
}
