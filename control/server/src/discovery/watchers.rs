//! Who watches, what each one runs, and why one refuses.
//!
//! In: streams that open, apply, refuse and end. Out: one row per node, for operators.
//! Invariant: bounded: one row per node, a bounded number of streams, and of the proxies that went only the latest.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use outrigger_control_core::rollout::lane::Lane;
use outrigger_control_core::snapshot::scope::{Scope, ViewKey};
use outrigger_model::digest::Digest;
use outrigger_model::identity::SpiffeId;
use outrigger_model::label::Labels;
use outrigger_model::name::NodeId;
use outrigger_model::resource::Serial;
use outrigger_wire::watcher::Role;

/// Streams of all watchers.
pub const STREAMS_MAX: usize = 20_000;
/// Streams of one node: a proxy has one, and another for the moment in which it reconnects.
pub const STREAMS_PER_NODE_MAX: usize = 4;
/// Streams under one proven identity. All replicas of an agent may share its certificate, each with a node name of its own, so
/// this is far more than one node holds, and far less than all streams: a stolen certificate shuts nobody else out.
pub const STREAMS_PER_IDENTITY_MAX: usize = 2_000;
// Rows of nodes that went are kept so that operators can see them leave.
const GONE_MAX: usize = 1_000;

/// One node as operators see it.
#[derive(Debug, Clone)]
pub struct Row {
    pub node: NodeId,
    pub identity: Option<SpiffeId>,
    pub role: Role,
    pub build: String,
    pub labels: Labels,
    pub view: ViewKey,
    /// Whose snapshots it is sent.
    pub lane: Lane,
    /// Whether it may be in the lane of a candidate.
    pub may_try: bool,
    /// Streams that are open.
    pub streams: usize,
    /// Whether it asks for Manifests, and so applies snapshots whole.
    pub applies_whole: bool,
    /// The snapshot that it runs.
    pub applied: Option<Serial>,
    /// Of that snapshot.
    pub applied_lane: Lane,
    /// Of that snapshot, where it is known.
    pub digest: Option<Digest>,
    pub applied_at: Option<Instant>,
    /// The snapshot that it refused, and its words; none once it applied another.
    pub refusal: Option<(Serial, String)>,
    /// The newest snapshot of a candidate that it refused, whatever it applied since.
    pub refused_candidate: Option<(Serial, String)>,
    pub changed_at: Instant,
}

/// A watcher as it presented itself, and what its certificate proved.
#[derive(Debug, Clone)]
pub struct Who {
    pub node: NodeId,
    pub identity: Option<SpiffeId>,
    pub role: Role,
    pub build: String,
    pub labels: Labels,
}

/// Where a stream begins.
#[derive(Debug, Clone)]
pub struct Place {
    pub view: ViewKey,
    pub lane: Lane,
    pub may_try: bool,
}

impl From<&Scope> for Place {
    fn from(scope: &Scope) -> Self {
        Self { view: scope.key().clone(), lane: scope.lane(), may_try: scope.may_try() }
    }
}

/// Why a stream is not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Full {
    #[error("{STREAMS_MAX} streams are open; try again later")]
    All,
    #[error("this node has {STREAMS_PER_NODE_MAX} streams open; two proxies may share its `node` name")]
    Node,
    #[error("{STREAMS_PER_IDENTITY_MAX} streams are open under this identity")]
    Identity,
}

#[derive(Debug, Clone, Default)]
pub struct Watchers(Arc<Mutex<Rows>>);

#[derive(Debug, Default)]
struct Rows {
    streams: usize,
    /// Of each proven identity that has any.
    of_identity: BTreeMap<SpiffeId, usize>,
    /// By node and identity: a name alone could be anybody's.
    rows: BTreeMap<Key, Row>,
    /// Goings, oldest first.
    gone: VecDeque<(Key, Instant)>,
}

type Key = (NodeId, Option<SpiffeId>);

/// One open stream; dropping it ends it.
#[derive(Debug)]
pub struct Watching {
    watchers: Watchers,
    key: Key,
}

impl Watchers {
    pub fn open(&self, who: Who, place: Place, now: Instant) -> Result<Watching, Full> {
        let Who { node, identity, role, build, labels } = who;
        let Place { view, lane, may_try } = place;
        let mut rows = self.rows();
        if rows.streams >= STREAMS_MAX {
            return Err(Full::All);
        }
        let shared = identity.as_ref().and_then(|identity| rows.of_identity.get(identity));
        if shared.is_some_and(|streams| *streams >= STREAMS_PER_IDENTITY_MAX) {
            return Err(Full::Identity);
        }
        let key = (node, identity);
        let row = rows.rows.entry(key.clone()).or_insert_with(|| Row {
            node: key.0.clone(),
            identity: key.1.clone(),
            role,
            build: String::new(),
            labels: Labels::default(),
            view: view.clone(),
            lane,
            may_try,
            streams: 0,
            applies_whole: false,
            applied: None,
            applied_lane: lane,
            digest: None,
            applied_at: None,
            refusal: None,
            refused_candidate: None,
            changed_at: now,
        });
        if row.streams >= STREAMS_PER_NODE_MAX {
            return Err(Full::Node);
        }
        row.streams += 1;
        row.role = role;
        row.build = build;
        row.labels = labels;
        row.view = view;
        row.lane = lane;
        row.may_try = may_try;
        row.changed_at = now;
        rows.streams += 1;
        if let Some(identity) = &key.1 {
            *rows.of_identity.entry(identity.clone()).or_default() += 1;
        }
        Ok(Watching { watchers: self.clone(), key })
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

impl Watching {
    pub fn applies_whole(&self) {
        self.change(|row| row.applies_whole = true);
    }

    pub fn applied(&self, serial: Serial, digest: Option<Digest>, now: Instant) {
        self.change(|row| {
            row.applied = Some(serial);
            row.applied_lane = row.lane;
            row.digest = digest;
            row.applied_at = Some(now);
            row.refusal = None;
        });
    }

    pub fn refused(&self, serial: Serial, detail: String) {
        self.change(|row| {
            if row.lane == Lane::Canary {
                row.refused_candidate = Some((serial, detail.clone()));
            }
            row.refusal = Some((serial, detail));
        });
    }

    /// It cannot be sent what a candidate makes of its needs; whether that is news.
    pub fn refused_candidate(&self, serial: Serial, detail: &str) -> bool {
        let mut is_news = false;
        self.change(|row| {
            is_news = row.refused_candidate.as_ref().is_none_or(|(_, known)| known != detail);
            row.refused_candidate = Some((serial, detail.to_owned()));
        });
        is_news
    }

    /// Its snapshots are of another view from now on.
    pub fn moved(&self, place: Place) {
        self.change(|row| {
            row.view = place.view;
            row.lane = place.lane;
            row.may_try = place.may_try;
        });
    }

    fn change(&self, change: impl FnOnce(&mut Row)) {
        if let Some(row) = self.watchers.rows().rows.get_mut(&self.key) {
            change(row);
        }
    }
}

impl Drop for Watching {
    fn drop(&mut self) {
        let mut rows = self.watchers.rows();
        rows.streams = rows.streams.saturating_sub(1);
        rows.left(self.key.1.as_ref());
        if let Some(row) = rows.rows.get_mut(&self.key) {
            let now = Instant::now();
            row.streams = row.streams.saturating_sub(1);
            row.changed_at = now;
            let is_last = row.streams == 0;
            if is_last && row.role == Role::Observer {
                rows.rows.remove(&self.key);
            } else if is_last {
                rows.gone(self.key.clone(), now);
            }
        }
    }
}

impl Rows {
    fn left(&mut self, identity: Option<&SpiffeId>) {
        let Some(identity) = identity else { return };
        if let Some(streams) = self.of_identity.get_mut(identity) {
            *streams = streams.saturating_sub(1);
            if *streams == 0 {
                self.of_identity.remove(identity);
            }
        }
    }

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
