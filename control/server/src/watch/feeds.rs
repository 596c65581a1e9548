//! The feeds of all views that somebody reads, and of those that somebody read a short while ago.
//!
//! In: the needs of a reader. Out: a feed, and a place among the readers.
//! Invariant: bounded in feeds and in readers; a feed that nobody uses is kept for a while, so that readers who come again
//! find their place in it.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use outrigger_control_core::snapshot::scope::{Audience, Scope, ViewKey};
use outrigger_wire::json::Schema;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::interval;

use crate::lifecycle::Lifecycle;
use crate::publish::publisher::{ViewError, Views};
use crate::watch::feed::Feed;

/// Readers of all feeds together: streams, and requests that wait for a change.
pub const READERS_MAX: usize = 256;
/// Views with a past.
const FEEDS_MAX: usize = 64;
/// How long a feed outlives its last reader.
const IDLE_MAX: Duration = Duration::from_secs(600);
const LOOK_EVERY: Duration = Duration::from_secs(60);

/// Cheap to clone; clones share everything.
#[derive(Debug, Clone)]
pub struct Feeds {
    views: Views,
    lifecycle: Lifecycle,
    feeds: Arc<Mutex<BTreeMap<ViewKey, Kept>>>,
    places: Arc<Semaphore>,
    schema: Arc<Schema>,
}

#[derive(Debug)]
struct Kept {
    feed: Arc<Feed>,
    used: Instant,
}

#[derive(Debug, thiserror::Error)]
pub enum FeedError {
    #[error(transparent)]
    View(#[from] ViewError),
    #[error("{FEEDS_MAX} different sets of needs are read already")]
    Feeds,
    #[error("{READERS_MAX} streams are read already")]
    Readers,
}

impl Feeds {
    /// None at first; a task forgets those that nobody uses any more, until control stops.
    pub fn start(views: Views, lifecycle: Lifecycle) -> Self {
        let places = Arc::new(Semaphore::new(READERS_MAX));
        let schema = Arc::new(Schema::of_this_build());
        let feeds = Self { views, lifecycle, feeds: Arc::default(), places, schema };
        feeds.lifecycle.tasks().spawn(feeds.clone().tidy());
        feeds
    }

    /// The feed of these needs, as observers see it.
    pub async fn open(&self, scope: Scope) -> Result<Arc<Feed>, FeedError> {
        let scope = scope.of(Audience::Observers);
        let key = scope.key().clone();
        if let Some(feed) = self.find(&key) {
            return Ok(feed);
        }
        let view = self.views.watch(scope).await?;
        let mut feeds = self.kept();
        // Somebody else may have been faster.
        if let Some(kept) = feeds.get_mut(&key) {
            return Ok(kept.again());
        }
        if feeds.len() >= FEEDS_MAX {
            let idle = feeds.iter().filter(|(_, kept)| !kept.is_in_use()).min_by_key(|(_, kept)| kept.used);
            let idle = idle.map(|(key, _)| key.clone()).ok_or(FeedError::Feeds)?;
            feeds.remove(&idle);
        }
        let feed = Arc::new(Feed::of(view));
        feeds.insert(key, Kept { feed: Arc::clone(&feed), used: Instant::now() });
        Ok(feed)
    }

    /// A place among the readers; it is given back when it is dropped.
    pub fn place(&self) -> Result<OwnedSemaphorePermit, FeedError> {
        Arc::clone(&self.places).try_acquire_owned().map_err(|_| FeedError::Readers)
    }

    async fn tidy(self) {
        let mut look = interval(LOOK_EVERY);
        loop {
            tokio::select! {
                () = self.lifecycle.stopping().cancelled() => return,
                _ = look.tick() => self.forget_idle(Instant::now()),
            }
        }
    }

    fn forget_idle(&self, now: Instant) {
        let is_fresh = |kept: &Kept| now.saturating_duration_since(kept.used) < IDLE_MAX;
        self.kept().retain(|_, kept| {
            if kept.is_in_use() {
                kept.used = now;
            }
            is_fresh(kept)
        });
    }

    fn find(&self, key: &ViewKey) -> Option<Arc<Feed>> {
        self.kept().get_mut(key).map(Kept::again)
    }

    pub fn views(&self) -> &Views {
        &self.views
    }

    /// How what is read is shown as JSON.
    pub fn schema(&self) -> &Arc<Schema> {
        &self.schema
    }

    pub fn lifecycle(&self) -> &Lifecycle {
        &self.lifecycle
    }

    fn kept(&self) -> MutexGuard<'_, BTreeMap<ViewKey, Kept>> {
        // Every change is complete in itself.
        self.feeds.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Kept {
    fn again(&mut self) -> Arc<Feed> {
        self.used = Instant::now();
        Arc::clone(&self.feed)
    }

    fn is_in_use(&self) -> bool {
        Arc::strong_count(&self.feed) > 1
    }
}
