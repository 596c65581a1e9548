//! Keeps services that send no heartbeats for as long as they asked for.
//!
//! In: a node and how long it is to be believed. Out: light signals in its name until then.
//! Invariant: it speaks only for who registered here, and holds no more of them than there may be replicas.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use outrigger_control_core::lease::LeaseRules;
use outrigger_control_core::registry::{Command, StreamId};
use outrigger_model::name::NodeId;
use tokio::time::{Instant, MissedTickBehavior};
use tokio_util::sync::CancellationToken;

use crate::writer::Writer;

/// Cheap to clone.
#[derive(Debug, Clone, Default)]
pub struct Keeper(Arc<Mutex<HashMap<NodeId, Instant>>>);

impl Keeper {
    /// The node has just registered.
    pub fn keep(&self, node: NodeId, for_how_long: Duration) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(node, Instant::now() + for_how_long);
    }

    pub fn forget(&self, node: &NodeId) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(node);
    }

    pub async fn run(self, writer: Writer, lease: LeaseRules, stop: CancellationToken) {
        let mut clock = tokio::time::interval(lease.light());
        clock.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                () = stop.cancelled() => return,
                now = clock.tick() => {
                    for node in self.due(now) {
                        // A queue that is full is tried again with the next tick, long before a lease ends.
                        writer.tell(Command::Light { stream: StreamId::DIRECT, node, tally: None });
                    }
                }
            }
        }
    }

    fn due(&self, now: Instant) -> Vec<NodeId> {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.retain(|_, until| *until > now);
        kept.keys().cloned().collect()
    }
}
