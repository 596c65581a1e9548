//! What own agents announced for messages (2024-11-05), for as long as the streams are open on which they did.
//!
//! In: a replica and a path; later a token. Out: the token; the path.
//! Invariant: bounded; an entry ends with its stream, and is found only for the replica that made it.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use outrigger_model::name::ReplicaId;
use outrigger_proxy_core::announce::Token;
use rustls::crypto::ring::default_provider;

/// Open streams of this kind that are known at once; further ones pass as they are.
const STREAMS_MAX: usize = 65_536;

/// All of one process.
#[derive(Debug, Default)]
pub struct Announced(Mutex<HashMap<Token, Entry>>);

#[derive(Debug)]
struct Entry {
    replica: ReplicaId,
    path: Arc<str>,
}

/// An entry; it ends when this is dropped.
#[derive(Debug)]
pub struct Held {
    announced: Arc<Announced>,
    pub token: Token,
}

impl Announced {
    /// None if there is no room, or no chance to be had.
    pub fn hold(self: &Arc<Self>, replica: &ReplicaId, path: &str) -> Option<Held> {
        let mut bytes = [0; 16];
        default_provider().secure_random.fill(&mut bytes).ok()?;
        let token = Token(bytes);
        let mut entries = self.entries();
        if entries.len() >= STREAMS_MAX {
            return None;
        }
        entries.insert(token, Entry { replica: replica.clone(), path: Arc::from(path) });
        Some(Held { announced: Arc::clone(self), token })
    }

    pub fn find(&self, token: Token, replica: &ReplicaId) -> Option<Arc<str>> {
        let entries = self.entries();
        entries.get(&token).filter(|entry| entry.replica == *replica).map(|entry| Arc::clone(&entry.path))
    }

    fn entries(&self) -> MutexGuard<'_, HashMap<Token, Entry>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.announced.entries().remove(&self.token);
    }
}

#[cfg(test)]
mod tests;
