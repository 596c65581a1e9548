//! Which stock clients are there, what each accepted of each kind, and what it refused.
//!
//! In: streams that open, accept, refuse and end. Out: one row per node, for operators: nobody else keeps what was refused.
//! Invariant: bounded: one row per node, a bounded number of streams, and of those that went only the latest.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use outrigger_control_core::snapshot::scope::ViewKey;
use outrigger_model::identity::SpiffeId;
use outrigger_model::name::NodeId;

use crate::stock::kind::Kind;
use crate::stock::topic::Mode;

/// Streams of all stock clients.
pub const STREAMS_MAX: usize = 5_000;
/// Streams of one node: each of its gRPC channels may have one.
pub const STREAMS_PER_NODE_MAX: usize = 16;
const GONE_MAX: usize = 200;

/// One node as operators see it. Several streams of one node share a row, and the latest word counts.
#[derive(Debug, Clone)]
pub struct Row {
    pub who: Who,
    /// Streams that are open.
    pub streams: usize,
    pub kinds: BTreeMap<Kind, Told>,
    pub changed_at: Instant,
}

/// One kind at one node.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Told {
    /// Accepted last.
    pub version: Option<String>,
    /// Refused last, and in which words; none once it accepted another.
    pub refusal: Option<(String, String)>,
    pub refusals: u64,
    /// Answers that it was sent.
    pub answers: u64,
}

/// A client as it presented itself, and what its certificate proved.
#[derive(Debug, Clone)]
pub struct Who {
    pub node: NodeId,
    pub identity: Option<SpiffeId>,
    /// `envoy` or `grpc`.
    pub dialect: &'static str,
    pub mode: Mode,
    pub build: String,
    /// The view that its resources are made from.
    pub view: ViewKey,
}

/// Why a stream is not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Full {
    #[error("{STREAMS_MAX} streams of stock clients are open; try again later")]
    All,
    #[error("this node has {STREAMS_PER_NODE_MAX} streams open; give each client a node id of its own")]
    Node,
}

#[derive(Debug, Clone, Default)]
pub struct Guests(Arc<Mutex<Rows>>);

#[derive(Debug, Default)]
struct Rows {
    streams: usize,
    rows: BTreeMap<Key, Row>,
    /// Goings, oldest first.
    gone: VecDeque<(Key, Instant)>,
}

/// A name alone could be anybody's.
type Key = (NodeId, Option<SpiffeId>);

/// One open stream; dropping it ends it.
#[derive(Debug)]
pub struct Visit {
    guests: Guests,
    key: Key,
}

impl Guests {
    pub fn open(&self, who: Who, now: Instant) -> Result<Visit, Full> {
        let mut rows = self.rows();
        if rows.streams >= STREAMS_MAX {
            return Err(Full::All);
        }
        let key = (who.node.clone(), who.identity.clone());
        let fresh = || Row { who: who.clone(), streams: 0, kinds: BTreeMap::new(), changed_at: now };
        let row = rows.rows.entry(key.clone()).or_insert_with(fresh);
        if row.streams >= STREAMS_PER_NODE_MAX {
            return Err(Full::Node);
        }
        row.streams += 1;
        (row.who, row.changed_at) = (who, now);
        rows.streams += 1;
        Ok(Visit { guests: self.clone(), key })
    }

    /// All rows, sorted by node.
    pub fn list(&self) -> Vec<Row> {
        self.rows().rows.values().cloned().collect()
    }

    fn rows(&self) -> MutexGuard<'_, Rows> {
        // Every change below is complete in itself.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Visit {
    pub fn told(&self, kind: Kind) {
        self.change(kind, |told| told.answers += 1);
    }

    pub fn accepted(&self, kind: Kind, version: String) {
        self.change(kind, |told| (told.version, told.refusal) = (Some(version), None));
    }

    pub fn refused(&self, kind: Kind, version: String, detail: String) {
        self.change(kind, |told| {
            told.refusal = Some((version, detail));
            told.refusals += 1;
        });
    }

    fn change(&self, kind: Kind, change: impl FnOnce(&mut Told)) {
        if let Some(row) = self.guests.rows().rows.get_mut(&self.key) {
            change(row.kinds.entry(kind).or_default());
        }
    }
}

impl Drop for Visit {
    fn drop(&mut self) {
        let mut rows = self.guests.rows();
        rows.streams = rows.streams.saturating_sub(1);
        let now = Instant::now();
        let Some(row) = rows.rows.get_mut(&self.key) else { return };
        row.streams = row.streams.saturating_sub(1);
        row.changed_at = now;
        if row.streams == 0 {
            rows.gone(self.key.clone(), now);
        }
    }
}

impl Rows {
    /// The last stream of a node ended.
    fn gone(&mut self, key: Key, now: Instant) {
        self.gone.push_back((key, now));
        if self.gone.len() > GONE_MAX
            && let Some((oldest, at)) = self.gone.pop_front()
            // It may have come back since; then it is not the same going.
            && self.rows.get(&oldest).is_some_and(|row| row.streams == 0 && row.changed_at == at)
        {
            self.rows.remove(&oldest);
        }
    }
}

#[cfg(test)]
mod tests;
