//! Session ids of the mesh's own: made for a session that begins, opened when one comes back.
//!
//! In: the id on a request, or on the answer that opened a session. Out: the binding that it stands for; or the id for the client.
//! Never here: what is in an id, and whether it is fit; the core's `ticket` knows.
//! Invariant: an id that is not fit is answered like one whose replica is gone, asks no store, and makes no store forget anything.

use std::sync::Arc;

use http::StatusCode;
use outrigger_model::name::AgentName;
use outrigger_model::settings::SessionMode;
use outrigger_proxy_core::http1::field::Name;
use outrigger_proxy_core::mcp::facts::Verb;
use outrigger_proxy_core::refusal::Refusal;
use outrigger_proxy_core::session::bind::{Binding, Lesson};
use outrigger_proxy_core::session::key::{KeyKind, SessionKey};
use outrigger_proxy_core::session::ticket::{self, Presented, Unfit};
use outrigger_proxy_core::world::endpoint::Endpoint;

use super::call::{Call, unix_seconds};
use super::downstream::Downstream;
use super::parts::GatewayParts;
use super::tenure::{AGED, ANOTHER_CALLER, REVOKED};
use crate::session::seals;
use crate::telemetry::{Direction, RefusedUse};

/// The binding of the session that a request names; of a sealed id, whatever the stores know.
pub async fn find(
    parts: &GatewayParts,
    down: &Downstream<'_>,
    call: &Call,
    agent: &AgentName,
    key: SessionKey,
) -> Result<Option<Arc<Binding>>, Refusal> {
    let idle = call.world.settings().session_idle;
    let Some(id) = down.head.fields.first(Name::McpSessionId).filter(|id| ticket::is_sealed(id)) else {
        return Ok(parts.sessions.find(&key, idle).await);
    };
    let presented = Presented { world: &call.world, agent, caller: &parts.caller, key, unix: unix_seconds() };
    let unfit = |unfit: Unfit| {
        parts.events.sealed_id_refused(unfit);
        if let Some(decision) = decision(unfit) {
            let (direction, caller, agent) = (Direction::Outbound, parts.caller.as_str(), agent.as_str());
            parts.events.session_refused(&RefusedUse { direction, caller, agent, session: key.name(), decision });
        }
        Refusal::SessionGone
    };
    if let Some(known) = parts.sessions.recall(&key) {
        return ticket::judge(&known, presented).map(|()| Some(known)).map_err(unfit);
    }
    let opened = ticket::open(parts.seals.opening(&call.world), id, presented).map_err(unfit)?;
    // A store knows better than the id where the session is, if it moved.
    let moved = parts.sessions.find(&key, idle).await.filter(|found| opened.gives_way_to(found));
    match moved {
        Some(moved) => ticket::judge(&moved, presented).map(|()| Some(moved)).map_err(unfit),
        None => Ok(Some(parts.sessions.remember(key, opened, idle))),
    }
}

/// Gives the client of a session that `minted` begins a sealed id instead, where the mesh wants that; what is to be learned then.
pub fn mint(
    parts: &GatewayParts,
    down: &mut Downstream<'_>,
    call: &Call,
    endpoint: &Endpoint,
    answered: (StatusCode, Option<&[u8]>),
    lesson: Lesson,
) -> Lesson {
    let (status, Some(minted)) = answered else { return lesson };
    if down.ids.agents.as_deref() == Some(minted) {
        return lesson;
    }
    let begun = match (&lesson, &down.ids.agents) {
        (Lesson::Learn(_, binding), None) if !down.head.fields.has(Name::McpSessionId) => Some(binding.clone()),
        // The agent began another session in answer to a call of one that the client knows under a sealed id.
        (_, Some(_)) if status.is_success() && Verb::of(down.head.method()) == Verb::Post => {
            Some(Binding::new(KeyKind::Session, endpoint, &parts.caller, unix_seconds()))
        }
        _ => None,
    };
    // An id of the agent's that is not the session's goes to the client as it is.
    down.ids.callers = None;
    let settings = call.world.settings();
    let Some(begun) = begun.filter(|_| settings.session_mode == SessionMode::Sealed) else { return lesson };
    let binding = Binding { upstream: Some(Arc::from(minted)), ..begun };
    let ends = binding.created.saturating_add(settings.session_lifetime.as_secs());
    let sealed =
        seals::chance().and_then(|chance| ticket::write(parts.seals.sealing(&call.world), &binding, ends, chance));
    let Some(sealed) = sealed else {
        parts.events.session_not_sealed(endpoint.agent.as_str());
        return lesson;
    };
    let key = SessionKey::of(&endpoint.agent, &sealed);
    down.ids.callers = Some(sealed);
    Lesson::Learn(key, binding)
}

/// What auditors are told; nothing of garbage, which is nobody's session.
const fn decision(unfit: Unfit) -> Option<&'static str> {
    match unfit {
        Unfit::Unreadable => None,
        Unfit::Expired => Some(AGED),
        Unfit::OtherCaller => Some(ANOTHER_CALLER),
        Unfit::Revoked => Some(REVOKED),
    }
}
