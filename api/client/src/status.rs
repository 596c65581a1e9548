//! How a watcher is doing, for readiness, metrics and operators.

use std::time::Instant;

use outrigger_model::resource::{Epoch, Serial};

use crate::candidate::Source;

/// The newest word on a watcher.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Status {
    /// Whether a stream to control is open.
    pub connected: bool,
    /// When `connected` last changed.
    pub since: Instant,
    /// The snapshot in use; none before the first.
    pub epoch: Option<Epoch>,
    pub serial: Option<Serial>,
    pub source: Option<Source>,
    /// Since when nobody vouches that the snapshot in use is the newest; none while control does.
    pub stale_since: Option<Instant>,
    /// Why the last stream ended, until the next one opens.
    pub last_error: Option<String>,
    /// What was refused last and why, until a snapshot is accepted.
    pub refusal: Option<String>,
}

impl Status {
    pub(crate) fn starting() -> Self {
        let now = Instant::now();
        Self {
            connected: false,
            since: now,
            epoch: None,
            serial: None,
            source: None,
            stale_since: Some(now),
            last_error: None,
            refusal: None,
        }
    }
}
