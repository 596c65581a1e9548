//! Who is called, how much of the body that needs, and which keys the call carries.
//!
//! In: the world, the facts of a call, and what was read of its body. Out: a [`Dest`], then an [`Aim`] whose keys are to be looked up.
//! Never here: where a key leads.

use std::borrow::Cow;
use std::sync::Arc;

use outrigger_model::key::{KeySource, OnLoss};
use outrigger_model::name::AgentName;
use outrigger_model::revision::Era;
use outrigger_model::route::Affinity;
use outrigger_model::traffic::HeaderEdits;

use crate::mcp::envelope::Envelope;
use crate::mcp::envelope::probe::Wants;
use crate::mcp::facts::{CallFacts, Caller, Message, Reading, Verb};
use crate::mcp::method::Method;
use crate::mcp::minted::Mints;
use crate::mcp::table::{Retry, Row, Stick};
use crate::mcp::wanted;
use crate::refusal::Refusal;
use crate::route::{self, Lot};
use crate::session::bind::{self, Binding, Standing};
use crate::session::carried::{self, Carried};
use crate::session::key::{KeyKind, SessionKey};
use crate::target::Target;
use crate::world::endpoint::{Endpoint, Pool, Route, Shaping};
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
    /// When it may be sent once more: what its row says, or its route of its tool.
    pub(super) retry: Retry,
    /// One of its keys is the id of a legacy session that it goes on with.
    pub(super) in_session: bool,
    /// What its answer may mint beside a session.
    pub(super) mints: Option<Mints>,
    /// The pool that it goes to, where that is not the route's own.
    pub(super) pool: Option<Arc<Pool>>,
    /// What holds it under the keys that it has with further agents of the route.
    others: Vec<(Arc<Pool>, Vec<Carried>)>,
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

/// Settles what of the call decides where it goes. `envelope` is what was read of its body, if anything was. `lot` is what was drawn for
/// it; a call that [`Dest::draws`] needs one.
pub fn aim(dest: Dest, facts: &CallFacts<'_>, envelope: Option<&Envelope<'_>>, lot: Option<Lot>) -> Aim {
    let (row, follows) = (Row::of(facts), dest.affinity().follows_keys());
    let pool = lot.and_then(|lot| route::pool(dest.route()?, facts, row, lot));
    let keys = |agent: &AgentName| carried::carried(agent, dest.keys(), facts, envelope);
    let agent = pool.as_ref().map_or_else(|| dest.agent(), |pool| &pool.agent);
    let keys_here = if follows { keys(agent) } else { Vec::new() };
    let others = match dest.route().filter(|route| route.shaping.is_some() && !keys_here.is_empty()) {
        Some(route) => {
            let pools = route::elsewhere(route, agent).into_iter();
            pools.map(|pool| (Arc::clone(&pool), keys(&pool.agent))).collect()
        }
        None => Vec::new(),
    };
    let retry = retry(&dest, facts, envelope);
    let mints = mints(facts, envelope).filter(|_| follows && facts.verb == Verb::Post);
    Aim {
        in_session: follows && facts.session.is_some() && facts.part.is_endpoint() && facts.verb != Verb::Other,
        keys: keys_here,
        pool,
        others,
        dest,
        verb: facts.verb,
        era: facts.era,
        method: facts.method,
        caller: facts.caller.clone(),
        row,
        retry,
        mints,
    }
}

/// A call of a tool that may run twice is repeated as a read is; never into a session, and not one that goes on from an answer or asks for a
/// task, which only one replica would know of.
fn retry(dest: &Dest, facts: &CallFacts<'_>, envelope: Option<&Envelope<'_>>) -> Retry {
    let row = Row::of(facts).retry;
    let Dest::Route(route) = dest else { return row };
    let is_call = facts.method == Some(Method::ToolsCall) && facts.verb == Verb::Post && facts.part.is_endpoint();
    if !is_call || !route.has_repeatable() || facts.session.is_some() {
        return row;
    }
    let goes_on = facts.message == Message::Continued || envelope.is_some_and(Envelope::asks_for_task);
    let tool = match facts.era {
        Some(Era::Modern) => facts.name().map(Cow::Borrowed),
        _ => envelope.and_then(Envelope::name),
    };
    if !goes_on && facts.message != Message::Batch && tool.is_some_and(|tool| route.may_repeat(&tool)) {
        return Retry::RepeatableTool;
    }
    row
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
    /// Whether something is drawn for its calls.
    pub fn draws(&self) -> bool {
        self.shaping().is_some()
    }

    pub(super) fn shaping(&self) -> Option<&Shaping> {
        self.route()?.shaping.as_deref()
    }

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
        self.pool.as_ref().map_or_else(|| self.dest.agent(), |pool| &pool.agent)
    }

    /// What its head becomes on the way to a replica.
    pub fn edits(&self) -> Option<&Arc<HeaderEdits>> {
        self.dest.shaping()?.edits.as_ref()
    }

    /// Begins with the agent under whose keys something is known already, if that is so of any that may hold the call.
    pub fn prefer(&mut self, is_known: impl Fn(&Carried) -> bool) {
        if self.others.is_empty() || self.keys.iter().any(&is_known) {
            return;
        }
        let known = self.others.iter().position(|(_, keys)| keys.iter().any(&is_known));
        for _ in 0..known.map_or(0, |at| at + 1) {
            self.turn();
        }
    }

    /// Goes on to the next agent of the route that may hold the call, once nothing is known under [`Self::keys`]; `asked` says how many
    /// were asked beside the first. Whether there is one left; where not, it is the first again.
    pub fn ask_elsewhere(&mut self, asked: usize) -> bool {
        self.turn();
        asked < self.others.len()
    }

    fn turn(&mut self) {
        let Dest::Route(route) = &self.dest else { return };
        if self.others.is_empty() {
            return;
        }
        let (pool, keys) = self.others.remove(0);
        let before = self.pool.replace(pool).unwrap_or_else(|| Arc::clone(&route.pool));
        self.others.push((before, std::mem::replace(&mut self.keys, keys)));
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

    /// When it may be sent once more.
    pub const fn retry(&self) -> Retry {
        self.retry
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
            Dest::Route(route) => Some(self.pool.as_ref().unwrap_or(&route.pool)),
            Dest::Replica(_) => None,
        }
    }

    pub(super) fn stays_with_caller(&self, route: &Route) -> bool {
        let stays = match self.row.stick {
            Stick::Caller => true,
            // A new session need not start where the caller's others are: its id will hold it. Known only of pools that mint ids.
            Stick::Opens => {
                let pool = self.pool.as_ref().unwrap_or(&route.pool);
                !(route.policy.affinity.follows_keys() && pool.live.mints_sessions())
            }
            Stick::Nowhere => false,
        };
        stays && route.policy.affinity.follows_agent()
    }
}
