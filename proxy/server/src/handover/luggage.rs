//! What calls have to know after a change of process: where sessions live, and whose they are.
//!
//! In: sessions and owners. Out: lines that were not packed before; or what such lines say, taken in.
//! Never here: what a later start learns from control or from agents.
//! Invariant: bounded by what memory holds; a line that says nothing is passed over, as an unknown session is asked after.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use outrigger_model::digest::Digest;
use outrigger_proxy_core::mcp::facts::Caller;
use outrigger_proxy_core::session::key::SessionKey;

use crate::session::owners::{Owner, Owners};
use crate::session::redis::value;
use crate::session::sessions::Sessions;

const BINDING: &str = "binding";
const OWNER: &str = "owner";

/// What a process knows of sessions.
#[derive(Clone)]
pub struct Luggage {
    pub sessions: Arc<Sessions>,
    pub owners: Arc<Owners>,
}

/// What was packed already.
#[derive(Default)]
pub struct Packed {
    /// With how often each had moved.
    bindings: HashMap<SessionKey, u32>,
    owners: HashSet<SessionKey>,
}

impl Luggage {
    /// What is new since `packed` was.
    pub fn pack(&self, packed: &mut Packed) -> Vec<String> {
        let mut lines = Vec::new();
        for (key, binding, kept) in self.sessions.carried() {
            if packed.bindings.insert(key, binding.moves) != Some(binding.moves) {
                let value = hex::encode(value::write(&binding));
                lines.push(format!("{BINDING} {} {} {value}", key.digest(), kept.as_millis()));
            }
        }
        for (key, owner) in self.owners.held() {
            if packed.owners.insert(key) {
                let peer = hex::encode(owner.peer.as_str());
                lines.push(format!("{OWNER} {} {} {peer}", key.digest(), owner.began));
            }
        }
        lines
    }

    /// Takes in one line; whether it said something.
    pub fn unpack(&self, line: &str) -> bool {
        self.read(line).is_some()
    }

    fn read(&self, line: &str) -> Option<()> {
        let mut parts = line.split(' ');
        let mut next = || parts.next();
        let (what, key, number, value) = (next()?, next()?, next()?.parse().ok()?, hex::decode(next()?).ok()?);
        let key = SessionKey::from_digest(Digest::from_bytes(&hex::decode(key).ok()?)?);
        match what {
            BINDING => self.sessions.carry(key, value::read(&value)?, Duration::from_millis(number)),
            OWNER => {
                let peer = Caller::new(std::str::from_utf8(&value).ok().filter(|peer| !peer.is_empty())?);
                self.owners.accepted(key, Owner { peer, began: number });
            }
            _ => return None,
        }
        Some(())
    }
}

#[cfg(test)]
mod tests;
