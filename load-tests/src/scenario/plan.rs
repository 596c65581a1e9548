//! One scenario that can be run, and the limits of what can be.
//!
//! Invariant: every load is bounded in calls and in time.

use std::time::Duration;

use super::words::{Load, PeerName, Suite, Way};
use crate::generate::Dress;

/// Limits of one run, so that no file makes a bench that does not end.
pub const CALLS_MAX: u64 = 2_000_000;
pub const SECONDS_MAX: u64 = 60;
pub const CONNECTIONS_MAX: usize = 4_000;
pub const ROUNDS_MAX: usize = 50;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scenario {
    pub name: String,
    pub says: String,
    pub suite: Suite,
    pub way: Way,
    pub peers: Vec<PeerName>,
    /// Replicas of the echo agent; more than one only for peers that know sessions.
    pub replicas: usize,
    pub rounds: usize,
    pub connections: usize,
    pub load: Load,
    /// How often the world of a changing peer changes.
    pub changes_per_second: u64,
    pub dress: Dress,
}

impl Scenario {
    /// Numbers that a run may give out.
    pub fn numbers(&self) -> u64 {
        match self.load {
            Load::Saturate { calls }
            | Load::Rate { calls, .. }
            | Load::Sessions { calls, .. }
            | Load::Streams { calls } => calls,
            Load::Feeds { .. } | Load::Idle { .. } => 0,
        }
    }

    /// How long a run may take before it is given up.
    pub fn time_max(&self) -> Duration {
        Duration::from_secs(SECONDS_MAX * 2)
    }
}
