//! Whether the session of a call may be used: asked before anything is sent, and again while an answer streams.
//!
//! In: a call and what is known of its session, on both sides of the gateway. Out: a refusal, or what the end of the call needs.
//! Never here: the rule; it is the core's. Invariant: each refused use is told to auditors once, with the name of the session and not its id.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use http::StatusCode;
use outrigger_model::name::AgentName;
use outrigger_model::revision::Era;
use outrigger_model::route::TimeClass;
use outrigger_proxy_core::http1::field::Name;
use outrigger_proxy_core::mcp::facts::{Caller, Verb};
use outrigger_proxy_core::plan::Aim;
use outrigger_proxy_core::refusal::Refusal;
use outrigger_proxy_core::session::bind::Binding;
use outrigger_proxy_core::session::carried::Carried;
use outrigger_proxy_core::session::key::{KeyKind, SessionKey};
use outrigger_proxy_core::session::tenure::{Held, Over, idle_left};
use outrigger_proxy_core::world::endpoint::Endpoint;
use outrigger_proxy_core::world::table::World;

use super::call::{Call, Visitor, Way, unix_seconds};
use super::downstream::Downstream;
use super::parts::GatewayParts;
use crate::session::owners::Owner;
use crate::snapshot::worlds::Worlds;
use crate::telemetry::{Direction, RefusedUse};

type Turn = Pin<Box<dyn Future<Output = ()> + Send>>;

/// A call of the own agents: refuses the use of a session that is over or another's, and what opens one too many.
/// `found` is what the stores know under the first of its keys; a handle that is too old is forgotten, and begins anew.
pub fn settle(
    parts: &GatewayParts,
    call: &mut Call,
    aim: &Aim,
    found: &mut [Option<Arc<Binding>>],
) -> Result<(), Refusal> {
    let (unix, caller) = (unix_seconds(), &parts.caller);
    let tell =
        |session: SessionKey, decision| refused(parts, Direction::Outbound, caller, aim.agent(), session, decision);
    // A stream of 2024-11-05 is a session without a name.
    let nameless = call.era != Some(Era::Modern) && aim.row().time == TimeClass::Stream;
    call.held = nameless.then_some(Held { name: None, kind: KeyKind::Session, began: Some(unix) });
    let mut is_known = false;
    for (Carried { kind, key }, binding) in aim.keys().iter().copied().zip(found) {
        if binding.as_ref().is_some_and(|it| it.caller != *caller) {
            tell(key, ANOTHER_CALLER);
            return Err(Refusal::SessionOfAnotherCaller);
        }
        let held = Held { name: Some(key.name()), kind, began: binding.as_ref().map(|it| it.created) };
        match held.over(&call.world, aim.agent(), Some(caller), unix) {
            Some(Over::Aged) if kind == KeyKind::Handle => {
                parts.sessions.forget(key);
                *binding = None;
            }
            Some(over) => {
                parts.sessions.forget(key);
                tell(key, label(over));
                return Err(over.refusal());
            }
            None => {}
        }
        // The first that a store knows is what holds the call, else the first.
        if !is_known && (binding.is_some() || call.held.is_none_or(|held| held.name.is_none())) {
            is_known = binding.is_some();
            call.held = Some(Held { began: binding.as_ref().map(|it| it.created).or(Some(unix)), ..held });
        }
    }
    if aim.opens_session() && call.opening.is_none() {
        let limits = &call.world.settings().session_limits;
        let entered = parts.openings.enter(&parts.sessions, limits, caller, aim.agent());
        call.opening = entered.map_err(|limit| {
            parts.events.session_limited(limit.key());
            limit.refusal()
        })?;
    }
    Ok(())
}

/// A call of a peer: refuses the use of a session that another peer holds, or that is over.
pub fn visit(parts: &GatewayParts, down: &Downstream<'_>, call: &mut Call, agent: &AgentName) -> Result<(), Refusal> {
    let (unix, peer) = (unix_seconds(), down.place.peer());
    let mut named = None;
    // Each of them: which one counts where there are several is for the agent to say.
    for id in down.head.fields.all(Name::McpSessionId) {
        let key = SessionKey::of(agent, id);
        let owner = parts.owners.of(&key);
        let caller = peer.cloned().unwrap_or_else(|| Caller::new(""));
        let tell = |decision| refused(parts, Direction::Inbound, &caller, agent, key, decision);
        if owner.as_ref().is_some_and(|owner| peer.is_some_and(|peer| owner.peer != *peer)) {
            tell(ANOTHER_CALLER);
            return Err(Refusal::SessionOfAnotherCaller);
        }
        let began = owner.map(|owner| owner.began);
        let held = Held { name: Some(key.name()), kind: KeyKind::Session, began };
        if let Some(over) = held.over(&call.world, agent, peer, unix) {
            parts.owners.forget(&key);
            tell(label(over));
            return Err(over.refusal());
        }
        call.held = Some(Held { began: began.or(Some(unix)), ..held });
        named = Some(key);
    }
    let verb = Verb::of(down.head.method());
    call.visitor = peer.map(|peer| Visitor { peer: peer.clone(), verb, key: named });
    Ok(())
}

/// What the head of an own agent's answer teaches about who holds a session. `minted` is the session id on it.
pub fn learn(parts: &GatewayParts, call: &Call, agent: &AgentName, status: StatusCode, minted: Option<&[u8]>) {
    let Some(Visitor { peer, verb, key }) = &call.visitor else { return };
    let owner = || Owner { peer: peer.clone(), began: unix_seconds() };
    match (key, minted) {
        (Some(key), _) if status == StatusCode::NOT_FOUND => parts.owners.forget(key),
        (Some(key), _) if *verb == Verb::Delete && status.is_success() => parts.owners.forget(key),
        (Some(key), _) if status.is_success() => parts.owners.accepted(*key, owner()),
        (None, Some(id)) if *verb == Verb::Post && status.is_success() => {
            parts.owners.opened(SessionKey::of(agent, id), owner());
        }
        _ => {}
    }
}

/// For how long without use stores keep the session of a call.
pub fn idle(world: &World, held: Option<Held>, unix: u64) -> Duration {
    let settings = world.settings();
    let began = held.and_then(|held| held.began).unwrap_or(unix);
    idle_left(settings.session_idle, settings.session_lifetime, began, unix)
}

/// Watches while an answer streams whether its session is revoked. It looks at nothing unless something is.
pub struct Revocable {
    worlds: Arc<Worlds>,
    held: Held,
    endpoint: Arc<Endpoint>,
    caller: Option<Caller>,
    /// Ends when something else is revoked.
    turn: Option<Turn>,
}

impl Revocable {
    pub fn of(parts: &GatewayParts, call: &Call) -> Option<Self> {
        let caller = match &call.way {
            Some(Way::Out(_)) => Some(parts.caller.clone()),
            _ => call.visitor.as_ref().map(|visitor| visitor.peer.clone()),
        };
        Some(Self {
            worlds: Arc::clone(&parts.worlds),
            held: call.held?,
            endpoint: call.endpoint()?,
            caller,
            turn: None,
        })
    }

    /// Ready once the session is revoked.
    pub fn poll_revoked(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        loop {
            let turn = match &mut self.turn {
                Some(turn) => turn,
                None => {
                    let mut changes = self.worlds.revocations();
                    let world = self.worlds.current();
                    let over = self.held.over(&world, &self.endpoint.agent, self.caller.as_ref(), unix_seconds());
                    if over == Some(Over::Revoked) {
                        return Poll::Ready(());
                    }
                    self.turn.insert(Box::pin(async move {
                        // The one who sends lives as long as we hold the worlds.
                        let _ = changes.changed().await;
                    }))
                }
            };
            ready!(turn.as_mut().poll(cx));
            self.turn = None;
        }
    }
}

// The words of auditors.
pub const ANOTHER_CALLER: &str = "another_caller";
pub const REVOKED: &str = "revoked";
pub const AGED: &str = "aged";

const fn label(over: Over) -> &'static str {
    match over {
        Over::Revoked => REVOKED,
        Over::Aged => AGED,
    }
}

fn refused(
    parts: &GatewayParts,
    direction: Direction,
    caller: &Caller,
    agent: &AgentName,
    session: SessionKey,
    decision: &'static str,
) {
    let (caller, agent) = (caller.as_str(), agent.as_str());
    parts.events.session_refused(&RefusedUse { direction, caller, agent, session: session.name(), decision });
}
