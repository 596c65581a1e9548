//! What snapshots are made of, at one moment.

use std::sync::Arc;
use std::time::SystemTime;

use outrigger_control_core::facts::Facts;
use outrigger_control_core::intent::Intent;
use outrigger_control_core::revocation::Book;
use outrigger_model::resource::{Epoch, Serial};

/// Facts, intent, and the number of the snapshot that they make.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Picture {
    pub epoch: Epoch,
    /// Already in the store. A view whose content did not change keeps the serial of its last change.
    pub serial: Serial,
    pub facts: Arc<Facts>,
    pub intent: Arc<Intent>,
    /// What operators revoked.
    pub book: Arc<Book>,
    /// Why it was made, for people: `replica weather-1: replica_registered`.
    pub reason: String,
    pub made_at: SystemTime,
}
