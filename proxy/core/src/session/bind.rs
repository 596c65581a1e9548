//! Which replica holds a session, whether a caller may follow it, and what an answer teaches about it.
//!
//! In: a [`Binding`], the world, the caller; or the head of an answer. Out: a [`Standing`]; or a [`Lesson`] for the store.
//! Source: 2025-11-25 `basic/transports`, session management; python servers put a useless id on a 400, hence the 2xx rule.
//! Invariant: a binding is made only for a session that a replica accepted, and followed only by the caller that opened it.

use std::sync::Arc;
use std::time::Duration;

use http::StatusCode;
use outrigger_model::name::{AgentName, ReplicaId};
use outrigger_model::replica::Generation;
use outrigger_model::revision::Era;

use crate::mcp::facts::{Caller, Verb};
use crate::session::key::{KeyKind, SessionKey};
use crate::world::endpoint::Endpoint;
use crate::world::table::World;

/// Where a session lives, or other state that a key stands for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Binding {
    pub kind: KeyKind,
    pub agent: AgentName,
    pub replica: ReplicaId,
    pub generation: Generation,
    /// How often it moved. Of two bindings of one key the one counts that moved more often, and of equals the first.
    pub moves: u32,
    pub caller: Caller,
    /// Seconds since 1970; stores on several machines share them.
    pub created: u64,
    pub last_seen: u64,
    /// The id by which the replica knows the session; none where it is the one that the caller sends.
    pub upstream: Option<Arc<[u8]>>,
    /// The body of the `initialize` that opened the session; none where it is never opened again.
    pub opening: Option<Arc<[u8]>>,
}

/// What a binding is worth in one world.
#[derive(Debug, Clone)]
pub enum Standing {
    Bound(Arc<Endpoint>),
    /// The replica left the world, or is not the process it was.
    Gone,
    NotYours,
}

/// What a store is to do after an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Lesson {
    Nothing,
    /// Before the head of the answer is released: the next call of the session may come in elsewhere.
    Learn(SessionKey, Binding),
    /// The session was used, and that was not noted for a while.
    Touch(SessionKey),
    Forget(SessionKey),
}

/// The call that was answered.
#[derive(Debug, Clone, Copy)]
pub struct Asked<'a> {
    pub verb: Verb,
    pub era: Option<Era>,
    pub caller: &'a Caller,
    /// The key of the session id it carried.
    pub key: Option<SessionKey>,
    /// When the session was last seen, in seconds since 1970, if the store knew it.
    pub last_seen: Option<u64>,
    /// How long a session lives without use.
    pub idle: Duration,
}

/// Whether `caller` may follow the binding, and where to.
pub fn judge(binding: &Binding, world: &World, caller: &Caller) -> Standing {
    if binding.caller != *caller {
        return Standing::NotYours;
    }
    match world.replica(binding.replica.as_str()) {
        Some(endpoint) if endpoint.generation == binding.generation => Standing::Bound(Arc::clone(endpoint)),
        Some(_) | None => Standing::Gone,
    }
}

/// What the head of an answer teaches. `minted` is the session id on it, `unix` the time in seconds since 1970.
pub fn lesson(asked: Asked<'_>, endpoint: &Endpoint, status: StatusCode, minted: Option<&[u8]>, unix: u64) -> Lesson {
    if asked.era == Some(Era::Modern) {
        return Lesson::Nothing;
    }
    let bind = |key| Lesson::Learn(key, Binding::new(KeyKind::Session, endpoint, asked.caller, unix));
    match (asked.key, minted) {
        (Some(key), _) if status == StatusCode::NOT_FOUND => Lesson::Forget(key),
        (Some(key), _) if asked.verb == Verb::Delete && status.is_success() => Lesson::Forget(key),
        (Some(key), _) if let Some(last_seen) = asked.last_seen => match is_due(last_seen, asked.idle, unix) {
            true => Lesson::Touch(key),
            false => Lesson::Nothing,
        },
        // The store lost it or is younger than the session; the replica knows it.
        (Some(key), _) if status.is_success() => bind(key),
        (None, Some(id)) if asked.verb == Verb::Post && status.is_success() => {
            bind(SessionKey::of(&endpoint.agent, id))
        }
        _ => Lesson::Nothing,
    }
}

impl Binding {
    /// A binding that begins now.
    pub fn new(kind: KeyKind, endpoint: &Endpoint, caller: &Caller, unix: u64) -> Self {
        Self {
            kind,
            agent: endpoint.agent.clone(),
            replica: endpoint.replica.clone(),
            generation: endpoint.generation,
            moves: 0,
            caller: caller.clone(),
            created: unix,
            last_seen: unix,
            upstream: None,
            opening: None,
        }
    }

    /// Whether `offered` takes the place of this one in a store: it moved more often, or it is this one, seen later.
    pub fn gives_way_to(&self, offered: &Self) -> bool {
        let place = |binding: &Self| (binding.replica.clone(), binding.generation, binding.upstream.clone());
        let same_place = place(self) == place(offered);
        offered.moves > self.moves || offered.moves == self.moves && same_place
    }
}

/// Whether the time of a session in the stores should be renewed: at most once in a tenth of its idle time.
pub fn is_due(last_seen: u64, idle: Duration, unix: u64) -> bool {
    unix.saturating_sub(last_seen) >= (idle.as_secs() / 10).max(1)
}

#[cfg(test)]
mod tests;
