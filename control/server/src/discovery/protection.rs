//! What protects control from its watchers, shared by all streams: how fast they come, how long they stay, and how much of what is
//! written to them is under way.
//!
//! In: limits. Out: a place for a stream, an age for it, room for a large answer.
//! Invariant: room is given back when an answer was acknowledged or its stream ended, whichever comes first.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tonic::metadata::MetadataMap;
use tonic::{Code, Status};

use crate::config::streams::StreamLimits;
use crate::discovery::admission::Admission;

/// Where gRPC clients look for how long to wait before they try again.
const PUSHBACK: &str = "grpc-retry-pushback-ms";
/// Room is counted in pieces of this size.
const PIECE: usize = 1 << 10;

/// Cheap to clone; clones share everything.
#[derive(Debug, Clone)]
pub struct Protection {
    limits: StreamLimits,
    admission: Arc<Mutex<Admission>>,
    room: Arc<Semaphore>,
}

impl Protection {
    pub fn new(limits: StreamLimits) -> Self {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let rate = limits.new_per_core.saturating_mul(u32::try_from(cores).unwrap_or(u32::MAX));
        Self {
            limits,
            admission: Arc::new(Mutex::new(Admission::new(rate))),
            room: Arc::new(Semaphore::new(pieces(limits.large_bytes))),
        }
    }

    /// Whether a stream may open now; if not, the status says when.
    pub fn admit(&self, now: Instant) -> Result<(), Status> {
        // An admission that somebody panicked over still counts.
        let asked = self.admission.lock().unwrap_or_else(PoisonError::into_inner).ask(now);
        asked.map_err(|after| {
            let millis = u64::try_from(after.as_millis()).unwrap_or(u64::MAX);
            let mut hint = MetadataMap::new();
            hint.insert(PUSHBACK, millis.into());
            let text = format!("many streams open at this moment; come again in {millis} ms");
            Status::with_metadata(Code::Unavailable, text, hint)
        })
    }

    /// For how long a new stream may live.
    pub fn age(&self) -> Duration {
        let StreamLimits { age, age_jitter_percent: jitter, .. } = self.limits;
        let share = f64::from(jitter.min(100)) / 100.0;
        age.mul_f64(1.0 - share + 2.0 * share * fastrand::f64())
    }

    /// Waits for the room that so many bytes take. None: they are so few that they need none.
    pub async fn room(&self, bytes: usize) -> Option<OwnedSemaphorePermit> {
        if bytes < self.limits.large_from {
            return None;
        }
        // What is larger than all the room there is travels alone.
        let pieces = pieces(bytes.min(self.limits.large_bytes));
        let permits = u32::try_from(pieces).unwrap_or(u32::MAX);
        Arc::clone(&self.room).acquire_many_owned(permits).await.ok()
    }
}

fn pieces(bytes: usize) -> usize {
    bytes.div_ceil(PIECE).clamp(1, Semaphore::MAX_PERMITS)
}

#[cfg(test)]
mod tests;
