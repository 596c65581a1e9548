//! What is done behind calls: writes that no call waits for, news of other proxies, and what a store lost written to it again.
//!
//! In: a queue of writes, and the news of the store. Out: the store and the memory agree again.
//! Never here: anything that a call waits for.
//! Invariant: bounded in what waits, in what is under way at once, and in the rate; an offer is always safe, as it gives way to
//! whoever was first or moved more often.

use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::future::join_all;
use outrigger_proxy_core::session::bind::Binding;
use outrigger_proxy_core::session::key::SessionKey;
use tokio::sync::{Notify, mpsc};
use tokio::time::sleep;

use super::memory::Memory;
use super::store::{News, Store, StoreError};
use crate::telemetry::{Events, Invalidation, StoreKind};

/// Offers under way at once, and the pause after so many: at most 3,200 a second.
const BATCH: usize = 32;
const BATCH_PAUSE: Duration = Duration::from_millis(10);
const PAUSE_FIRST: Duration = Duration::from_secs(1);
const PAUSE_MAX: Duration = Duration::from_secs(30);

pub(super) enum Write {
    Offer(SessionKey, Arc<Binding>, Duration),
    Forget(SessionKey, u32),
}

/// When a store is to be offered everything that lives here.
#[derive(Default)]
pub(super) struct Due {
    /// The store came back.
    now: Notify,
    /// A write failed.
    soon: Notify,
}

/// What all three tasks share.
#[derive(Clone)]
pub(super) struct Behind {
    pub memory: Arc<Memory>,
    pub store: Arc<dyn Store>,
    pub due: Arc<Due>,
    pub events: Arc<Events>,
}

impl Behind {
    pub fn failed(&self, error: &StoreError) {
        self.events.redis_failed(error.fault());
        self.due.soon.notify_one();
    }

    pub fn owes(&self) {
        self.due.soon.notify_one();
    }

    pub async fn write(self, mut waiting: mpsc::Receiver<Write>) {
        while let Some(write) = waiting.recv().await {
            let written = match write {
                Write::Offer(key, binding, kept) => self.offer(key, &binding, kept).await,
                Write::Forget(key, moves) => self.store.forget(&key, moves).await,
            };
            if let Err(error) = written {
                self.failed(&error);
            }
        }
    }

    pub async fn follow(self, mut news: mpsc::Receiver<News>) {
        while let Some(news) = news.recv().await {
            match news {
                News::Back => self.due.now.notify_one(),
                News::Moved(key, binding, kept) => {
                    let now = Instant::now();
                    // Only what is asked for here is held here.
                    let gives_way = |held: Arc<Binding>| held.moves < binding.moves;
                    if self.memory.find(&key, now).is_some_and(gives_way) {
                        self.memory.adopt(key, Arc::new(binding), kept, now);
                        self.events.session_invalidated(Invalidation::Moved);
                    }
                }
                News::Forgotten(key, moves) => {
                    if self.memory.drop_moved(&key, moves) {
                        self.events.session_invalidated(Invalidation::Forgotten);
                        self.events.sessions_held(StoreKind::Memory, self.memory.count());
                    }
                }
            }
        }
    }

    /// Offers all that lives here when the store is back, and again later for as long as it does not take everything.
    pub async fn write_back(self) {
        loop {
            let mut pause = PAUSE_FIRST;
            tokio::select! {
                () = self.due.now.notified() => {}
                () = self.due.soon.notified() => self.now_or_after(pause).await,
            }
            while !self.pass().await {
                self.now_or_after(pause).await;
                pause = (pause * 2).min(PAUSE_MAX);
            }
        }
    }

    async fn now_or_after(&self, pause: Duration) {
        tokio::select! {
            () = self.due.now.notified() => {}
            () = sleep(pause) => {}
        }
    }

    /// Whether everything was taken. A batch of which nothing was ends it.
    async fn pass(&self) -> bool {
        let now = Instant::now();
        let mut all_taken = true;
        let mut live = self.memory.live(now);
        loop {
            let batch: Vec<_> = live.by_ref().take(BATCH).collect();
            if batch.is_empty() {
                return all_taken;
            }
            let asked = batch.iter().map(|(key, binding, left)| self.offer(*key, binding, *left));
            let results = join_all(asked).await;
            let failed: Vec<_> = results.iter().filter_map(|result| result.as_ref().err()).collect();
            for error in &failed {
                self.events.redis_failed(error.fault());
            }
            self.events.sessions_written_back(results.len() - failed.len());
            // What is too large will be so the next time.
            all_taken &= failed.iter().all(|error| matches!(error, StoreError::TooLarge));
            if failed.len() == results.len() {
                return all_taken;
            }
            sleep(BATCH_PAUSE).await;
        }
    }

    /// Offers one; if another counts, it is taken in its place here.
    async fn offer(&self, key: SessionKey, binding: &Arc<Binding>, kept: Duration) -> Result<(), StoreError> {
        let held = self.store.offer(&key, binding, kept).await?;
        if held != **binding && self.memory.find(&key, Instant::now()).is_some() {
            self.memory.adopt(key, Arc::new(held), kept, Instant::now());
        }
        Ok(())
    }
}
