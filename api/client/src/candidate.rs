//! A whole, checked snapshot that waits for its owner's word.

use std::sync::Arc;

use outrigger_model::manifest::Manifest;
use outrigger_model::snapshot::Snapshot;
use tokio::sync::oneshot;

use crate::change::Change;

/// Where a snapshot came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    /// Control, just now.
    Live,
    /// The last good file, at start.
    File,
}

/// A snapshot to compile and put into use, or to refuse.
#[derive(Debug)]
pub struct Candidate {
    pub snapshot: Arc<Snapshot>,
    pub manifest: Manifest,
    pub source: Source,
    /// What differs from the snapshot accepted before.
    pub changes: Vec<Change>,
    pub answer: Answer,
}

/// The owner's word. Dropped without one, the snapshot counts as refused.
#[derive(Debug)]
pub struct Answer(oneshot::Sender<Result<(), String>>);

impl Answer {
    pub(crate) fn new() -> (Self, oneshot::Receiver<Result<(), String>>) {
        let (word, heard) = oneshot::channel();
        (Self(word), heard)
    }

    /// It is in use now.
    pub fn accept(self) {
        let _ = self.0.send(Ok(()));
    }

    /// It cannot be used; `reason` starts with the path of the field, such as `Route/weather.pool: …`.
    pub fn refuse(self, reason: impl Into<String>) {
        let _ = self.0.send(Err(reason.into()));
    }
}
