//! The key under which a session, or other state at one replica, is remembered.
//!
//! In: the agent called, what kind of key it is, and its value as it came. Out: a digest.
//! Why a digest: the value is a bearer secret and must not lie in a store. Why the agent: two agents may mint the same id, and
//! a call for one must never follow a session of the other.

use std::borrow::Cow;

use outrigger_model::digest::Digest;
use outrigger_model::key::KeySource;
use outrigger_model::name::AgentName;
use outrigger_model::revocation::SessionName;

use crate::mcp::facts::Caller;

/// What holds a call at a replica. The order is that in which they decide.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum KeyKind {
    /// The id of a legacy session; the agent mints it.
    Session,
    /// The id of a task; the agent mints it.
    Task,
    /// What a call goes on from; the agent mints it.
    State,
    /// A value that an operator named; the caller chooses it.
    Handle,
}

/// SHA-256 over agent, kind and value, and for a handle over its caller and place too.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct SessionKey(Digest);

impl KeyKind {
    pub const ALL: [Self; 4] = [Self::Session, Self::Task, Self::State, Self::Handle];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Session => "session",
            Self::Task => "task",
            Self::State => "state",
            Self::Handle => "handle",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == text)
    }
}

impl SessionKey {
    /// The key of a legacy session.
    pub fn of(agent: &AgentName, id: &[u8]) -> Self {
        Self(Digest::of_parts([agent.as_str().as_bytes(), id]))
    }

    /// The key that a store named by its digest.
    pub const fn from_digest(digest: Digest) -> Self {
        Self(digest)
    }

    /// The key of what an agent minted beside sessions, by the digest of its text.
    pub fn of_minted(agent: &AgentName, kind: KeyKind, value: &Digest) -> Self {
        Self(Digest::of_parts([agent.as_str().as_bytes(), kind.as_str().as_bytes(), value.as_bytes()]))
    }

    /// The key of a handle, by the digest of its text. Which tools it is limited to does not count, so that limits can change.
    pub fn of_handle(agent: &AgentName, caller: &Caller, source: &KeySource, value: &Digest) -> Self {
        let kind = KeyKind::Handle.as_str().as_bytes();
        let (place, name) = match source {
            KeySource::Header(name) => ("header", Cow::Borrowed(name)),
            KeySource::Param(name) => ("param", Cow::Borrowed(name)),
            KeySource::Cookie(name) => ("cookie", Cow::Borrowed(name)),
            KeySource::Argument(key) => ("argument", Cow::Owned(key.path().join("."))),
        };
        let parts = [agent.as_str(), caller.as_str(), place, &name].map(str::as_bytes);
        Self(Digest::of_parts([kind].into_iter().chain(parts).chain([&value.as_bytes()[..]])))
    }

    /// Lower-case hex of it is what stores use.
    pub const fn digest(&self) -> &Digest {
        &self.0
    }

    /// What operators call it.
    pub fn name(&self) -> SessionName {
        SessionName::of(&self.0)
    }
}
