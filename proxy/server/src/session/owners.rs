//! Whose sessions the own agents hold, by the identities that peers proved.
//!
//! In: sessions that an agent opened or accepted, and for which peer. Out: the peer that may go on with one.
//! Why here: the proxy that calls may not know the session; the one beside the agent sees every call of it.
//! Never here: bindings; an own agent is one replica. Invariant: bounded; what an agent did not accept is not remembered, so that guesses
//! push nobody's session out.

use outrigger_proxy_core::mcp::facts::Caller;
use outrigger_proxy_core::session::key::SessionKey;
use quick_cache::sync::{Cache, EntryAction, EntryResult};

/// Who holds a session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Owner {
    pub peer: Caller,
    /// When it was opened, or first seen here, in seconds since 1970.
    pub began: u64,
}

/// What the inbound listener knows of sessions.
pub struct Owners {
    entries: Cache<SessionKey, Owner>,
}

impl Owners {
    pub fn new(entries_max: usize) -> Self {
        Self { entries: Cache::new(entries_max.max(1)) }
    }

    pub fn of(&self, key: &SessionKey) -> Option<Owner> {
        self.entries.get(key)
    }

    /// The agent minted it for `owner`; whoever had one of that id before has it no more.
    pub fn opened(&self, key: SessionKey, owner: Owner) {
        self.entries.insert(key, owner);
    }

    /// The agent accepted it from `owner`. The first one stays.
    pub fn accepted(&self, key: SessionKey, owner: Owner) {
        let seen = self.entries.entry(&key, None, |_, _| EntryAction::Retain(()));
        if let EntryResult::Vacant(guard) = seen {
            // It fails only if somebody took the entry out meanwhile, who wanted it gone.
            let _ = guard.insert(owner);
        }
    }

    /// All of them, in no order.
    pub fn held(&self) -> Vec<(SessionKey, Owner)> {
        self.entries.iter().collect()
    }

    pub fn forget(&self, key: &SessionKey) {
        self.entries.remove(key);
    }
}

#[cfg(test)]
mod tests;
