//! The sessions that legacy clients hold here.
//!
//! In: new sessions, ids as clients send them. Out: the session of an id; those that have to end.
//! Invariant: ids are 128 bits of a secure source and are kept as digests only; at most [`SESSIONS_MAX`] are held.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use outrigger_model::digest::Digest;
use rustls::crypto::ring;

use super::session::Session;

const SESSIONS_MAX: usize = 1_024;

#[derive(Default)]
pub struct Sessions(Mutex<HashMap<Digest, Arc<Session>>>);

impl Sessions {
    /// Keeps a session; its id, and the one that had to go for it. None if there is no secure chance.
    pub fn add(&self, session: Arc<Session>, now: Instant) -> Option<(String, Option<Arc<Session>>)> {
        let mut bytes = [0u8; 16];
        ring::default_provider().secure_random.fill(&mut bytes).ok()?;
        let id = hex::encode(bytes);
        let mut held = self.held();
        let oldest = held.iter().max_by_key(|(_, session)| session.idle(now)).map(|(key, _)| *key);
        let gone = oldest.filter(|_| held.len() >= SESSIONS_MAX).and_then(|key| held.remove(&key));
        held.insert(Digest::of(id.as_bytes()), session);
        Some((id, gone))
    }

    pub fn find(&self, id: &[u8]) -> Option<Arc<Session>> {
        self.held().get(&Digest::of(id)).cloned()
    }

    pub fn remove(&self, id: &[u8]) -> Option<Arc<Session>> {
        self.held().remove(&Digest::of(id))
    }

    /// Takes out the sessions that said nothing for `idle`.
    pub fn sweep(&self, idle: Duration, now: Instant) -> Vec<Arc<Session>> {
        self.held().extract_if(|_, session| session.idle(now) >= idle).map(|(_, session)| session).collect()
    }

    pub fn count(&self) -> usize {
        self.held().len()
    }

    fn held(&self) -> MutexGuard<'_, HashMap<Digest, Arc<Session>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests;
