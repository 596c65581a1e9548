//! What a bench gives: one JSON document.
//!
//! Invariant: figures of every round are kept; medians can be made again from them.

use serde::{Deserialize, Serialize};

use crate::machine::about::About;
use crate::scenario::{PeerName, Way};
use crate::tally::Tally;

#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Bench {
    pub about: About,
    pub scenarios: Vec<Measured>,
}

/// One scenario.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Measured {
    pub name: String,
    pub says: String,
    pub way: Way,
    /// What CPU time is divided by.
    pub unit: String,
    pub peers: Vec<OfPeer>,
}

/// One peer in one scenario.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct OfPeer {
    pub peer: PeerName,
    /// Why there are no figures.
    pub missing: Option<String>,
    pub rounds: Vec<Round>,
    pub memory: Option<Memory>,
    /// Over all rounds.
    pub tally: Tally,
}

/// One run.
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize)]
pub struct Round {
    pub units: u64,
    pub seconds: f64,
    pub per_second: f64,
    /// User and system time of the proxies on the path, per unit. 0 for `direct`.
    pub cpu_us: f64,
    /// The same as a share of the run; near 1 the proxy was the limit.
    pub cpu_share: f64,
    /// CPU of the agents per unit.
    pub agent_cpu_us: f64,
    /// CPU of everything on the machine that is not part of the bench, in cores.
    pub foreign_cores: f64,
    /// CPU of what belongs to the peer and is not on the path of a call (control), in cores. It shares the agents' core.
    #[serde(default)]
    pub beside_cores: f64,
    pub latency: Quantiles,
    /// Of the generator itself: from when a call was due to when it was taken up.
    pub late: Quantiles,
    /// Of sessions, where they are part of the load: `initialize` and the notification after it.
    pub opening: Quantiles,
    /// Of a new session: from `initialize` sent to the head of its answer.
    #[serde(default)]
    pub first_byte: Quantiles,
    /// Of events: from when the agent made one to when the caller has it.
    #[serde(default)]
    pub lag: Quantiles,
    /// Of the proxies at the end of the run.
    pub resident_kib: u64,
    /// Snapshots that were published while it ran, the last of which the proxy held at the end.
    #[serde(default)]
    pub changes: u64,
}

/// In microseconds.
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize)]
pub struct Quantiles {
    pub p50: f64,
    pub p90: f64,
    pub p99: f64,
    pub p999: f64,
    pub max: f64,
}

/// Resident memory, in KiB.
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize)]
pub struct Memory {
    pub idle: u64,
    pub connections: usize,
    pub with_connections: u64,
    /// Sockets that came with the connections, over all proxies; 2 each where each caller has one of its own behind a hop.
    #[serde(default)]
    pub sockets: u64,
    pub idle_again: u64,
    /// 0 where streams were not measured; so are `sessions` and `load_calls`.
    pub streams: usize,
    pub with_streams: u64,
    /// After as many requests as the sessions take.
    #[serde(default)]
    pub without_sessions: u64,
    #[serde(default)]
    pub sessions: u64,
    #[serde(default)]
    pub with_sessions: u64,
    #[serde(default)]
    pub before_load: u64,
    /// The highest while `load_calls` were made, from the start of the process.
    #[serde(default)]
    pub load_peak: u64,
    /// When all callers had gone.
    #[serde(default)]
    pub after_load: u64,
    #[serde(default)]
    pub load_calls: u64,
}

impl Memory {
    pub fn per_connection(&self) -> f64 {
        each(self.idle, self.with_connections, self.connections as f64)
    }

    pub fn per_stream(&self) -> f64 {
        each(self.idle_again, self.with_streams, self.streams as f64)
    }

    pub fn bytes_per_session(&self) -> f64 {
        each(self.without_sessions, self.with_sessions, self.sessions as f64) * 1024.0
    }
}

fn each(before: u64, after: u64, count: f64) -> f64 {
    after.saturating_sub(before) as f64 / count.max(1.0)
}

impl OfPeer {
    /// The median of one figure over the rounds; `None` without rounds.
    pub fn median(&self, figure: impl Fn(&Round) -> f64) -> Option<f64> {
        let mut values: Vec<f64> = self.rounds.iter().map(figure).collect();
        values.sort_by(f64::total_cmp);
        let upper = values.len() / 2;
        let lower = values.len().checked_sub(1)? / 2;
        Some((values.get(lower)? + values.get(upper)?) / 2.0)
    }

    /// The lowest and the highest of one figure.
    pub fn range(&self, figure: impl Fn(&Round) -> f64) -> Option<(f64, f64)> {
        let values = self.rounds.iter().map(figure);
        values.fold(None, |range: Option<(f64, f64)>, value| {
            Some(range.map_or((value, value), |(low, high)| (low.min(value), high.max(value))))
        })
    }
}

#[cfg(test)]
mod tests;
