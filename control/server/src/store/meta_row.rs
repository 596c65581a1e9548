//! The one row that says who we are, with a hash over all of it.
//!
//! In: a new epoch, a batch, or the row as it was read. Out: the row to write, or what it says.
//! Invariant: a row that is not sound is never built upon.

use outrigger_control_core::port::Batch;
use outrigger_model::digest::Digest;
use outrigger_model::resource::{Epoch, Serial};

use super::number::signed;

/// The one row that says who we are.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct MetaRow {
    pub epoch: i64,
    pub serial: i64,
    pub intent: Option<Vec<u8>>,
    pub next_event: i64,
    pub hash: Vec<u8>,
}

impl MetaRow {
    pub fn new(epoch: Epoch) -> Self {
        let mut row = Self { epoch: i64::from(epoch.0), serial: 0, intent: None, next_event: 1, hash: Vec::new() };
        row.hash = row.digest().as_bytes().to_vec();
        row
    }

    /// One that is not the row's own.
    pub fn another_epoch(&self) -> Epoch {
        std::iter::repeat_with(|| fastrand::u32(1..))
            .map(Epoch)
            .find(|epoch| *epoch != self.epoch())
            .unwrap_or(Epoch(1))
    }

    /// The same facts as the beginning of another future: no token made before matches one made after.
    pub fn in_epoch(mut self, epoch: Epoch) -> Self {
        self.epoch = i64::from(epoch.0);
        self.hash = self.digest().as_bytes().to_vec();
        self
    }

    pub fn is_sound(&self) -> bool {
        let in_range = u32::try_from(self.epoch).is_ok() && self.serial >= 0 && self.next_event >= 0;
        in_range && self.digest().as_bytes().as_slice() == self.hash
    }

    pub fn epoch(&self) -> Epoch {
        Epoch(u32::try_from(self.epoch).unwrap_or_default())
    }

    pub fn serial(&self) -> Serial {
        Serial(u64::try_from(self.serial).unwrap_or_default())
    }

    pub fn intent(&self) -> Option<Digest> {
        self.intent.as_deref().and_then(Digest::from_bytes)
    }

    pub fn next_event(&self) -> u64 {
        u64::try_from(self.next_event).unwrap_or_default()
    }

    /// As it is once a batch is written.
    pub fn after(mut self, batch: &Batch) -> Self {
        self.serial = signed(batch.serial.0);
        if let Some(intent) = batch.intent {
            self.intent = Some(intent.as_bytes().to_vec());
        }
        let newest = batch.events.iter().map(|event| signed(event.id).saturating_add(1)).max();
        self.next_event = self.next_event.max(newest.unwrap_or(0));
        self.hash = self.digest().as_bytes().to_vec();
        self
    }

    fn digest(&self) -> Digest {
        let numbers = [self.epoch, self.serial, self.next_event].map(i64::to_be_bytes);
        let [epoch, serial, next_event] = &numbers;
        Digest::of_parts([epoch.as_slice(), serial, next_event, self.intent.as_deref().unwrap_or_default()])
    }
}
