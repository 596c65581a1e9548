//! Rows of the event log and of the list of snapshots, as they are read.
//!
//! In: the columns. Out: what they say; none where a later build wrote what this one does not know.

use outrigger_control_core::event::{Event, EventKind};
use outrigger_control_core::port::SnapshotRow;
use outrigger_model::digest::Digest;
use outrigger_model::resource::{Epoch, Serial};

use super::number::time;

/// Id, milliseconds since 1970, kind, subject, detail.
pub type EventRow = (i64, i64, String, String, String);
/// Serial, epoch, digest, milliseconds since 1970, reason.
pub type SnapshotRowAsRead = (i64, i64, Vec<u8>, i64, String);

pub fn event((id, at, kind, subject, detail): EventRow) -> Option<Event> {
    Some(Event { id: u64::try_from(id).ok()?, at: time(at), kind: EventKind::parse(&kind)?, subject, detail })
}

pub fn snapshot((serial, epoch, digest, made_at, reason): SnapshotRowAsRead) -> Option<SnapshotRow> {
    Some(SnapshotRow {
        serial: Serial(u64::try_from(serial).ok()?),
        epoch: Epoch(u32::try_from(epoch).ok()?),
        digest: Digest::from_bytes(&digest)?,
        made_at: time(made_at),
        reason,
    })
}
