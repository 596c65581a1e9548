//! Bindings in memory, bounded: the least used go first.
//!
//! In: bindings with the time they are kept. Out: bindings whose time is not over.
//! Never here: waiting. Invariant: never more than `entries_max` bindings.

use std::sync::Arc;
use std::time::{Duration, Instant};

use async_trait::async_trait;
use outrigger_proxy_core::session::bind::Binding;
use outrigger_proxy_core::session::key::SessionKey;
use quick_cache::sync::{Cache, EntryAction, EntryResult};

use super::store::{Store, StoreError};

pub struct Memory {
    entries: Cache<SessionKey, Entry>,
}

#[derive(Clone)]
struct Entry {
    binding: Arc<Binding>,
    until: Instant,
}

impl Memory {
    pub fn new(entries_max: usize) -> Self {
        Self { entries: Cache::new(entries_max.max(1)) }
    }

    pub fn find(&self, key: &SessionKey, now: Instant) -> Option<Arc<Binding>> {
        let entry = self.entries.get(key)?;
        if entry.until > now {
            return Some(entry.binding);
        }
        self.entries.remove_if(key, |entry| entry.until <= now);
        None
    }

    /// What is there afterwards.
    pub fn offer(&self, key: SessionKey, binding: Arc<Binding>, kept: Duration, now: Instant) -> Arc<Binding> {
        let (offered, until) = (Arc::clone(&binding), now + kept);
        let lives_on = |held: &Entry| held.until >= until && held.binding == offered;
        let stays = |held: &Entry| held.until > now && (!held.binding.gives_way_to(&offered) || lives_on(held));
        self.place(key, Entry { binding, until }, stays)
    }

    fn place(&self, key: SessionKey, entry: Entry, stays: impl Fn(&Entry) -> bool) -> Arc<Binding> {
        let asked = self.entries.entry(&key, None, |_, held| match stays(held) {
            true => EntryAction::Retain(Arc::clone(&held.binding)),
            false => EntryAction::ReplaceWithGuard,
        });
        let offered = Arc::clone(&entry.binding);
        match asked {
            EntryResult::Retained(held) => held,
            EntryResult::Vacant(guard) | EntryResult::Replaced(guard, _) => {
                // It fails only if somebody took the entry out meanwhile, who wanted it gone.
                let _ = guard.insert(entry);
                offered
            }
            EntryResult::Removed(..) | EntryResult::Timeout => offered,
        }
    }

    /// Puts a binding in place of one that did not move more often, because a store that others share says so.
    pub fn adopt(&self, key: SessionKey, binding: Arc<Binding>, kept: Duration, now: Instant) -> Arc<Binding> {
        let moves = binding.moves;
        self.place(key, Entry { binding, until: now + kept }, |held| held.until > now && held.binding.moves > moves)
    }

    /// How often the binding had moved that was there.
    pub fn drop_key(&self, key: &SessionKey) -> Option<u32> {
        self.entries.remove(key).map(|(_, entry)| entry.binding.moves)
    }

    /// Whether one was there that moved at most so often.
    pub fn drop_moved(&self, key: &SessionKey, moves: u32) -> bool {
        self.entries.remove_if(key, |entry| entry.binding.moves <= moves).is_some()
    }

    /// All bindings, each with the time that is left to it.
    pub fn live(&self, now: Instant) -> impl Iterator<Item = (SessionKey, Arc<Binding>, Duration)> {
        let left = move |entry: &Entry| entry.until.checked_duration_since(now).filter(|left| !left.is_zero());
        self.entries.iter().filter_map(move |(key, entry)| left(&entry).map(|left| (key, entry.binding, left)))
    }

    /// All whose time is not over, in no order.
    pub fn held(&self, now: Instant) -> Vec<(SessionKey, Arc<Binding>)> {
        let entries = self.entries.iter().filter(|(_, entry)| entry.until > now);
        entries.map(|(key, entry)| (key, entry.binding)).collect()
    }

    pub fn count(&self) -> usize {
        self.entries.len()
    }
}

#[async_trait]
impl Store for Memory {
    async fn get(&self, key: &SessionKey) -> Result<Option<Binding>, StoreError> {
        Ok(self.find(key, Instant::now()).map(Arc::unwrap_or_clone))
    }

    async fn offer(&self, key: &SessionKey, binding: &Binding, kept: Duration) -> Result<Binding, StoreError> {
        let held = Self::offer(self, *key, Arc::new(binding.clone()), kept, Instant::now());
        Ok(Arc::unwrap_or_clone(held))
    }

    async fn forget(&self, key: &SessionKey, moves: u32) -> Result<(), StoreError> {
        self.drop_moved(key, moves);
        Ok(())
    }
}

#[cfg(test)]
mod tests;
