//! One call at a time opens a session again; the others of the same session wait for it.
//!
//! In: the key of a session. Out: a turn, which ends when it is dropped.
//! Invariant: holds an entry only for sessions that a call waits for or is at.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use outrigger_proxy_core::session::key::SessionKey;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;

/// All turns of one process.
#[derive(Debug, Default)]
pub struct Turns(Mutex<HashMap<SessionKey, Arc<Semaphore>>>);

/// A place in the row of one session, at its front once it has the permit.
#[derive(Debug)]
pub struct Turn<'t> {
    turns: &'t Turns,
    key: SessionKey,
    row: Option<Arc<Semaphore>>,
    permit: Option<OwnedSemaphorePermit>,
}

impl Turns {
    /// None if it did not come within `time`.
    pub async fn take(&self, key: SessionKey, time: Duration) -> Option<Turn<'_>> {
        let row = Arc::clone(self.rows().entry(key).or_insert_with(|| Arc::new(Semaphore::new(1))));
        let mut turn = Turn { turns: self, key, row: Some(Arc::clone(&row)), permit: None };
        turn.permit = Some(timeout(time, row.acquire_owned()).await.ok()?.ok()?);
        Some(turn)
    }

    fn rows(&self) -> MutexGuard<'_, HashMap<SessionKey, Arc<Semaphore>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        self.permit = None;
        let mut rows = self.turns.rows();
        self.row = None;
        // Only the table is left to know of it; nobody else can find it while the table is locked.
        if rows.get(&self.key).is_some_and(|row| Arc::strong_count(row) == 1) {
            rows.remove(&self.key);
        }
    }
}

#[cfg(test)]
mod tests;
