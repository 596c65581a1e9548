//! Connections to endpoints that wait for their next request.
//!
//! In: wires whose answer was read to its end. Out: the one that was used last, if it is still good.
//! Invariant: bounded per endpoint and in all; a wire that is closed, too old, or has bytes that nobody asked for is never given out.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::{Duration, Instant};

use outrigger_model::identity::SpiffeId;

use super::wire::Wire;

/// Too small a pool costs three times the CPU, because connections are opened for single calls.
const PER_ENDPOINT_MAX: usize = 1_024;
const ENDPOINTS_MAX: usize = 4_096;
/// How often what is closed or too old is looked for.
const SWEEP: Duration = Duration::from_secs(1);

/// Where a connection leads, and who was found there.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Key {
    pub address: SocketAddr,
    pub identity: Option<SpiffeId>,
}

/// Idle connections of one process.
#[derive(Debug, Default)]
pub struct Pool(Mutex<HashMap<Key, Vec<Idle>>>);

#[derive(Debug)]
struct Idle {
    wire: Wire,
    until: Instant,
}

impl Pool {
    /// Sweeps until the pool is dropped. Must be called inside a tokio runtime.
    pub fn start() -> Arc<Self> {
        let pool = Arc::new(Self::default());
        tokio::spawn(sweep(Arc::downgrade(&pool)));
        pool
    }

    pub fn take(&self, key: &Key, now: Instant) -> Option<Wire> {
        let mut idle = self.idle();
        let wires = idle.get_mut(key)?;
        while let Some(mut last) = wires.pop() {
            if last.until > now && last.wire.is_fresh() {
                return Some(last.wire);
            }
        }
        None
    }

    /// Keeps a wire for at most `time`.
    pub fn put(&self, key: &Key, wire: Wire, time: Duration, now: Instant) {
        let idle = Idle { wire, until: now + time };
        let mut all = self.idle();
        if let Some(wires) = all.get_mut(key) {
            if wires.len() < PER_ENDPOINT_MAX {
                wires.push(idle);
            }
        } else if all.len() < ENDPOINTS_MAX {
            all.insert(key.clone(), vec![idle]);
        }
    }

    fn sweep(&self, now: Instant) {
        self.idle().retain(|_, wires| {
            wires.retain_mut(|idle| idle.until > now && idle.wire.is_fresh());
            wires.shrink_to(wires.len() * 2);
            !wires.is_empty()
        });
    }

    fn idle(&self) -> MutexGuard<'_, HashMap<Key, Vec<Idle>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn sweep(pool: Weak<Pool>) {
    let mut times = tokio::time::interval(SWEEP);
    loop {
        times.tick().await;
        let Some(pool) = pool.upgrade() else { return };
        pool.sweep(Instant::now());
    }
}

#[cfg(test)]
mod tests;
