//! The key under which a session is remembered.
//!
//! In: the agent called and the session id as it came. Out: a digest.
//! Why a digest: the id is a bearer secret and must not lie in a store. Why the agent: two agents may mint the same id, and
//! a call for one must never follow a session of the other.

use outrigger_model::digest::Digest;
use outrigger_model::name::AgentName;

/// SHA-256 over agent and session id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct SessionKey(Digest);

impl SessionKey {
    pub fn of(agent: &AgentName, id: &[u8]) -> Self {
        Self(Digest::of_parts([agent.as_str().as_bytes(), id]))
    }

    /// Lower-case hex of it is what stores use.
    pub const fn digest(&self) -> &Digest {
        &self.0
    }
}
