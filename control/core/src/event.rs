//! What happened, for the event log: a closed list, in the past tense.
//!
//! In: a decision that changed something, or said no. Out: an [`Event`] to be stored and shown.
//! Never here: secrets, tool arguments, session ids.

use std::fmt;
use std::time::SystemTime;

/// Longest detail, in bytes; what is longer is cut.
pub const DETAIL_BYTES_MAX: usize = 512;

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum EventKind {
    ControlStarted,
    IntentChanged,
    /// A watcher ran a snapshot later than any that was stored.
    SerialOvertaken,
    /// An operator ended sessions before their time.
    SessionsRevoked,
    ReplicaRegistered,
    /// Its record changed: version, tags, address, capabilities or generation.
    ReplicaChanged,
    /// It is healthy again.
    ReplicaRecovered,
    /// Its proxy says that it does not serve.
    ReplicaFailed,
    /// Its proxy's stream broke without a farewell.
    ReplicaLost,
    /// Its lease ended.
    ReplicaExpired,
    DrainStarted,
    /// Its proxy left in order, or reports it no more.
    ReplicaLeft,
    /// It had been gone for so long that its record was dropped.
    ReplicaForgotten,
    /// A replica of a report was not taken.
    ReportRefused,
    /// Too many leases ended at once; they were kept as unknown.
    LeasesHeld,
    LeasesReleased,
    /// No snapshot could be built of the facts; watchers keep the last good one.
    SnapshotFailed,
    /// A watcher refused a snapshot.
    SnapshotRefused,
    /// A stored row did not match its own hash and was left out.
    RowRefused,
    /// A key that proxies seal with was made, begins to seal, or goes.
    SessionKeyTurned,
    StoreFailed,
    StoreRecovered,
    /// Some proxies try a candidate intent.
    RolloutStarted,
    RolloutWidened,
    /// A rollout waits for an operator.
    RolloutHeld,
    /// Everybody is back on the intent that was in force.
    RolloutAborted,
    /// Everybody gets the candidate.
    RolloutPromoted,
}

/// One line of the event log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// Grows by one per event, never reused.
    pub id: u64,
    pub at: SystemTime,
    pub kind: EventKind,
    /// What it happened to, such as a replica id or a node.
    pub subject: String,
    /// For people; one line.
    pub detail: String,
}

impl EventKind {
    pub const ALL: [Self; 27] = [
        Self::ControlStarted,
        Self::IntentChanged,
        Self::SerialOvertaken,
        Self::SessionsRevoked,
        Self::ReplicaRegistered,
        Self::ReplicaChanged,
        Self::ReplicaRecovered,
        Self::ReplicaFailed,
        Self::ReplicaLost,
        Self::ReplicaExpired,
        Self::DrainStarted,
        Self::ReplicaLeft,
        Self::ReplicaForgotten,
        Self::ReportRefused,
        Self::LeasesHeld,
        Self::LeasesReleased,
        Self::SnapshotFailed,
        Self::SnapshotRefused,
        Self::RowRefused,
        Self::SessionKeyTurned,
        Self::StoreFailed,
        Self::StoreRecovered,
        Self::RolloutStarted,
        Self::RolloutWidened,
        Self::RolloutHeld,
        Self::RolloutAborted,
        Self::RolloutPromoted,
    ];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ControlStarted => "control_started",
            Self::IntentChanged => "intent_changed",
            Self::SerialOvertaken => "serial_overtaken",
            Self::SessionsRevoked => "sessions_revoked",
            Self::ReplicaRegistered => "replica_registered",
            Self::ReplicaChanged => "replica_changed",
            Self::ReplicaRecovered => "replica_recovered",
            Self::ReplicaFailed => "replica_failed",
            Self::ReplicaLost => "replica_lost",
            Self::ReplicaExpired => "replica_expired",
            Self::DrainStarted => "drain_started",
            Self::ReplicaLeft => "replica_left",
            Self::ReplicaForgotten => "replica_forgotten",
            Self::ReportRefused => "report_refused",
            Self::LeasesHeld => "leases_held",
            Self::LeasesReleased => "leases_released",
            Self::SnapshotFailed => "snapshot_failed",
            Self::SnapshotRefused => "snapshot_refused",
            Self::RowRefused => "row_refused",
            Self::SessionKeyTurned => "session_key_turned",
            Self::StoreFailed => "store_failed",
            Self::StoreRecovered => "store_recovered",
            Self::RolloutStarted => "rollout_started",
            Self::RolloutWidened => "rollout_widened",
            Self::RolloutHeld => "rollout_held",
            Self::RolloutAborted => "rollout_aborted",
            Self::RolloutPromoted => "rollout_promoted",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == text)
    }
}

impl fmt::Display for EventKind {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.as_str())
    }
}

/// Cuts a text to one line of at most `bytes_max` bytes, at a character.
pub fn one_line(text: &str, bytes_max: usize) -> String {
    let mut line = String::new();
    for symbol in text.chars() {
        let symbol = if symbol.is_control() { ' ' } else { symbol };
        if line.len() + symbol.len_utf8() > bytes_max {
            break;
        }
        line.push(symbol);
    }
    line
}
