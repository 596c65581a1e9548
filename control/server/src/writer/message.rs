//! What the writer is sent, and what it answers.

use std::collections::BTreeMap;
use std::time::{Duration, SystemTime};

use outrigger_control_core::intent::history::Signature;
use outrigger_control_core::intent::record::IntentRecord;
use outrigger_control_core::keyring::NoNewKey;
use outrigger_control_core::port::{EditionRow, SnapshotRow};
use outrigger_control_core::registry::{Answer, Command, Rules};
use outrigger_control_core::snapshot::ledger::LedgerChange;
use outrigger_control_core::snapshot::scope::ViewKey;
use outrigger_model::name::NodeId;
use outrigger_model::resource::Serial;
use outrigger_model::tally::Tally;
use tokio::sync::oneshot;

use super::reign::NotLeading;
use crate::config::document::Document;

use super::not_published::NotPublished;
use super::trial::Asked;

/// The answer to a command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answered {
    pub answer: Answer,
    /// The first snapshot that includes what the command changed.
    pub serial: Serial,
}

/// What was published, to be remembered.
#[derive(Debug, Clone, Default)]
pub struct Recorded {
    pub snapshot: Option<SnapshotRow>,
    pub ledger: Vec<LedgerChange>,
    /// For replicas that serve from the same store; none where nobody does.
    pub editions: Vec<(ViewKey, EditionRow)>,
}

/// Whether the store takes what is written.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Storing {
    #[default]
    Fine,
    /// Nothing was stored since; what happens is kept in memory and written once the store takes it again.
    Failing { since: SystemTime, error: String },
}

/// The writer has ended, because control stops.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("control is stopping")]
pub struct Stopped;

/// What control's own file says: what operators declare, and what the registry goes by.
#[derive(Debug, Clone)]
pub struct Declared {
    pub document: Document,
    pub rules: Rules,
}

/// A change of intent that somebody wants while control runs.
#[derive(Debug, Clone)]
pub struct Wanted {
    pub signature: Signature,
    /// The intent that they saw run.
    pub expected: u64,
    pub document: Document,
    /// The record that the document is of, where an earlier one is wanted back.
    pub back_to: Option<IntentRecord>,
}

/// What became of what was declared or published.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Declaration {
    /// The intent that runs.
    pub number: u64,
    /// The first snapshot that goes by it; the one that is shown if no snapshot looks different.
    pub serial: Serial,
    /// Whether it was made by this; not if it said the same before.
    pub is_intent_new: bool,
}

/// Why there is no new key of session ids.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotRotated {
    #[error("{0}")]
    Keys(#[from] NoNewKey),
    #[error("the store does not take what is written, and a key must not be lost")]
    Storing,
    #[error("the system has no chance to make a key of")]
    Chance,
    #[error(transparent)]
    NotLeading(#[from] NotLeading),
    #[error("control is stopping")]
    Stopped,
}

/// Why a command was not applied.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotApplied {
    #[error(transparent)]
    NotLeading(#[from] NotLeading),
    #[error(transparent)]
    Stopped(#[from] Stopped),
}

/// What waits in the writer's queue.
#[derive(Debug)]
pub enum Message {
    Apply { command: Command, answer: oneshot::Sender<Result<Answered, NotLeading>> },
    Record(Recorded),
    Declare { declared: Box<Declared>, answer: oneshot::Sender<Result<Declaration, NotPublished>> },
    Publish { wanted: Box<Wanted>, answer: oneshot::Sender<Result<Declaration, NotPublished>> },
    Rollout(Asked),
    Tallies { answer: oneshot::Sender<BTreeMap<NodeId, Tally>> },
    RotateKey { answer: oneshot::Sender<Result<u32, NotRotated>> },
    Overtake { floor: Serial },
    LastHeard { answer: oneshot::Sender<BTreeMap<NodeId, Duration>> },
}
