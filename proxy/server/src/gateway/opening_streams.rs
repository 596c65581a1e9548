//! Streams of sessions that are on their way to their agents, and the requests that wait for them.
//!
//! In: the key of a session. Out: a place for its stream, which ends when it is dropped; or the wait until that of an earlier one has ended.
//! Why: a client sends the GET for its stream and right behind it a request. A server asks its client on that stream, and what it asks before the
//! stream is there is lost. The GET commonly needs a connection that is yet to be opened, and the request finds one that is kept.
//! Never here: which calls open a stream and which follow one; it is the core's `Order`.
//! Invariant: a request waits no longer than [`WAIT_MAX`] after its session's stream was asked for; one whose session has none waits for nothing.

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use outrigger_proxy_core::mcp::table::Order;
use outrigger_proxy_core::session::key::SessionKey;
use tokio::sync::watch;
use tokio::time::Instant;

use super::call::{Call, Way};

/// Far more than two handshakes of TLS take on a busy machine. Some servers hold the head of the answer back until the first event; to their
/// clients this is a delay once a stream.
pub const WAIT_MAX: Duration = Duration::from_millis(250);

/// Sessions are spread over so many tables, each with a lock of its own.
const SHARDS: usize = 16;

/// All that are being opened now; never more than there are calls.
#[derive(Debug, Default)]
pub struct OpeningStreams([Shard; SHARDS]);

#[derive(Debug, Default)]
struct Shard {
    /// How many there are, so that looking for one costs nothing where there is none.
    count: AtomicUsize,
    streams: Mutex<HashMap<SessionKey, Pending>>,
}

/// Of several of one session the newest counts.
#[derive(Debug)]
struct Pending {
    asked: Instant,
    /// Closed when the stream is open, or will not be.
    opened: watch::Receiver<()>,
}

/// A stream that was asked for, until the head of its answer is here or it has failed.
#[derive(Debug)]
pub struct OpeningStream<'s> {
    shard: &'s Shard,
    key: SessionKey,
    opened: watch::Sender<()>,
}

impl OpeningStreams {
    /// Lets what came first in a session be sent first: registers the call, or waits for the one before it.
    pub async fn in_order(&self, call: &Call) -> Option<OpeningStream<'_>> {
        let (Some(row), Some(Way::Out(plan))) = (call.row, &call.way) else { return None };
        match (row.order, plan.session()) {
            (Order::Opens, Some(key)) => Some(self.open(key, Instant::now())),
            (Order::Follows, Some(key)) => {
                self.wait(key).await;
                None
            }
            (Order::Any, _) | (_, None) => None,
        }
    }

    fn open(&self, key: SessionKey, asked: Instant) -> OpeningStream<'_> {
        let shard = self.shard(key);
        let (opened, pending) = watch::channel(());
        shard.change(|streams| streams.insert(key, Pending { asked, opened: pending }));
        OpeningStream { shard, key, opened }
    }

    async fn wait(&self, key: SessionKey) {
        let shard = self.shard(key);
        if shard.count.load(Ordering::Acquire) == 0 {
            return;
        }
        let Some(Pending { asked, mut opened }) = shard.fresh(key, Instant::now()) else { return };
        // Nothing is ever sent: it ends when the stream is open, or too late.
        let _ = tokio::time::timeout_at(asked + WAIT_MAX, opened.changed()).await;
    }

    fn shard(&self, key: SessionKey) -> &Shard {
        let [shard, ..] = &self.0;
        let first = key.digest().as_bytes().first().copied().unwrap_or_default();
        self.0.get(usize::from(first) % SHARDS).unwrap_or(shard)
    }
}

impl Shard {
    /// The stream of a session, if it is still worth to be waited for. Those that are not are forgotten, so that nobody looks for them again.
    fn fresh(&self, key: SessionKey, now: Instant) -> Option<Pending> {
        self.change(|streams| {
            streams.retain(|_, pending| pending.asked + WAIT_MAX > now);
            streams.get(&key).map(|Pending { asked, opened }| Pending { asked: *asked, opened: opened.clone() })
        })
    }

    fn change<T>(&self, change: impl FnOnce(&mut HashMap<SessionKey, Pending>) -> T) -> T {
        let mut streams = self.streams();
        let changed = change(&mut streams);
        self.count.store(streams.len(), Ordering::Release);
        changed
    }

    fn streams(&self) -> MutexGuard<'_, HashMap<SessionKey, Pending>> {
        self.streams.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for OpeningStream<'_> {
    fn drop(&mut self) {
        self.shard.change(|streams| {
            // A newer one of the same session stays.
            if streams.get(&self.key).is_some_and(|pending| pending.opened.same_channel(&self.opened.subscribe())) {
                streams.remove(&self.key);
            }
        });
    }
}

#[cfg(test)]
mod tests;
