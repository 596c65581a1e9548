//! What is told of Redis: once for each change, in the log, in the readiness and in the metrics.
//!
//! In: what the keeper saw. Out: lines, notes, gauges.
//! Never here: decisions. Invariant: a Redis that stays as it is fills no log.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tracing::{info, warn};

use crate::lifecycle::Readiness;
use crate::session::store::StoreError;
use crate::telemetry::{Events, StoreFault};

const CONNECTION: &str = "redis";
const MOVES: &str = "redis moves";
const ROOM: &str = "redis room";

pub(super) struct Watch {
    events: Arc<Events>,
    readiness: Readiness,
    /// Whether it was said that it is away.
    away: AtomicBool,
    deaf: AtomicBool,
    full: AtomicBool,
}

impl Watch {
    pub fn new(events: Arc<Events>, readiness: Readiness) -> Self {
        readiness.note(
            CONNECTION,
            Some("degraded: not connected yet; sessions are kept in memory, quotas counted alone".to_owned()),
        );
        let no = AtomicBool::default;
        Self { events, readiness, away: no(), deaf: no(), full: no() }
    }

    pub fn connected(&self) {
        self.away.store(false, Ordering::Relaxed);
        self.events.redis_connected(true);
        self.readiness.note(CONNECTION, None);
        info!("connected to redis; session bindings are shared");
    }

    /// `error` is none where requests of calls found out.
    pub fn away(&self, fault: StoreFault, error: Option<&StoreError>) {
        self.events.redis_connected(false);
        let text = format!(
            "degraded: no answer ({}); sessions are kept in memory and quotas counted alone until there is one",
            fault.as_str()
        );
        self.readiness.note(CONNECTION, Some(text));
        if !self.away.swap(true, Ordering::Relaxed) {
            let error = error.map(|error| error as &dyn std::error::Error);
            warn!(
                error,
                reason = fault.as_str(),
                "redis is away; session bindings are kept in memory and quotas counted by this proxy alone until it answers"
            );
        }
    }

    pub fn listening(&self) {
        self.events.redis_listening(true);
        self.readiness.note(MOVES, None);
        if self.deaf.swap(false, Ordering::Relaxed) {
            info!("what other proxies move in redis is heard again");
        }
    }

    /// The subscription is over, with the connection if `error` is none.
    pub fn deaf(&self, error: Option<&StoreError>) {
        self.events.redis_listening(false);
        let Some(error) = error else { return };
        let text = format!("degraded: moves of other proxies are not heard ({})", error.fault().as_str());
        self.readiness.note(MOVES, Some(text));
        if !self.deaf.swap(true, Ordering::Relaxed) {
            let error = error as &dyn std::error::Error;
            warn!(error, "what other proxies move in redis is not heard; it is learned when a replica is found gone");
        }
    }

    /// What a write came to.
    pub fn written(&self, fault: Option<StoreFault>) {
        match (fault, self.full.load(Ordering::Relaxed)) {
            (Some(StoreFault::Full), false) => {
                self.full.store(true, Ordering::Relaxed);
                let text = "degraded: redis is full; new sessions are kept in memory".to_owned();
                self.readiness.note(ROOM, Some(text));
                warn!("redis is full; session bindings are kept in memory until it takes them again");
            }
            (None, true) => {
                self.full.store(false, Ordering::Relaxed);
                self.readiness.note(ROOM, None);
                info!("redis takes session bindings again");
            }
            _ => {}
        }
    }
}
