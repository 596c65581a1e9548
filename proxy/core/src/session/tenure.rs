//! Whether a session may still be used: nobody ended it, and it is not older than sessions may become.
//!
//! In: what names it, whose it is, when it began, the world, the time. Out: why it is over, or nothing.
//! Never here: whether `caller` may use it at all; that is judged where its binding is.
//! Invariant: what an operator revoked stays over for as long as the revocation is kept, also where no store knows the session any more.

use std::time::Duration;

use outrigger_model::name::AgentName;
use outrigger_model::revocation::SessionName;

use crate::mcp::facts::Caller;
use crate::refusal::Refusal;
use crate::session::key::KeyKind;
use crate::world::table::World;

/// Why a session is over before anybody ended it in the protocol.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Over {
    /// An operator ended it.
    Revoked,
    /// It is older than sessions may become.
    Aged,
}

/// What is held, and since when.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Held {
    /// None for a stream that no session names.
    pub name: Option<SessionName>,
    pub kind: KeyKind,
    /// In seconds since 1970; none where no store knows it.
    pub began: Option<u64>,
}

impl Over {
    pub const fn refusal(self) -> Refusal {
        match self {
            Self::Revoked => Refusal::SessionRevoked,
            Self::Aged => Refusal::SessionAged,
        }
    }
}

impl Held {
    /// Why it is over at `unix`, in seconds since 1970. `caller` is none where nobody proved who calls.
    pub fn over(&self, world: &World, agent: &AgentName, caller: Option<&Caller>, unix: u64) -> Option<Over> {
        if self.is_revoked(world, agent, caller) {
            return Some(Over::Revoked);
        }
        let ends = self.began?.saturating_add(world.settings().session_lifetime.as_secs());
        (ends <= unix).then_some(Over::Aged)
    }

    fn is_revoked(&self, world: &World, agent: &AgentName, caller: Option<&Caller>) -> bool {
        let all = world.revocations();
        if all.is_empty() {
            return false;
        }
        // The one that was revoked by name began before, whatever a store says that learned of it later.
        if self.name.is_some_and(|name| all.sessions.contains_key(&name)) {
            return true;
        }
        let began = match self.began {
            Some(began) => began,
            // The caller chose the value, and it means nothing yet: it begins with this call.
            None if self.kind == KeyKind::Handle => return false,
            // An agent minted it, nobody knows when, and so perhaps before the revocation.
            None => 0,
        };
        let since = [caller.and_then(|caller| all.callers.get(caller.as_str())), all.agents.get(agent)];
        since.into_iter().flatten().any(|at| began <= *at)
    }
}

/// For how long without use a store keeps a session that began at `began`: for `idle`, but not beyond its end. Stores keep a tenth more than
/// they are asked for.
pub fn idle_left(idle: Duration, lifetime: Duration, began: u64, unix: u64) -> Duration {
    let left = began.saturating_add(lifetime.as_secs()).saturating_sub(unix);
    let left = Duration::from_secs(left).mul_f64(10.0 / 11.0);
    idle.min(left).max(Duration::from_secs(1))
}

#[cfg(test)]
mod tests;
