//! Bindings in memory, bounded: the least used go first.
//!
//! In: bindings with the time they are kept. Out: bindings whose time is not over.
//! Never here: waiting. Invariant: never more than `entries_max` bindings.

use std::sync::Arc;
use std::time::{Duration, Instant};

use async_trait::async_trait;
use outrigger_proxy_core::session::bind::Binding;
use outrigger_proxy_core::session::key::SessionKey;
use quick_cache::sync::Cache;

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

    pub fn keep(&self, key: SessionKey, binding: Arc<Binding>, kept: Duration, now: Instant) {
        self.entries.insert(key, Entry { binding, until: now + kept });
    }

    pub fn drop_key(&self, key: &SessionKey) {
        self.entries.remove(key);
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

    async fn put(&self, key: &SessionKey, binding: &Binding, kept: Duration) -> Result<(), StoreError> {
        self.keep(*key, Arc::new(binding.clone()), kept, Instant::now());
        Ok(())
    }

    async fn forget(&self, key: &SessionKey) -> Result<(), StoreError> {
        self.drop_key(key);
        Ok(())
    }
}

#[cfg(test)]
mod tests;
