//! One intent as a row, with a hash over the whole row.
//!
//! In: an [`IntentRecord`], or a row as it was read. Out: the other; none for a row that cannot be believed.
//! Invariant: no error text shows the document, which may hold secrets.

use outrigger_control_core::intent::record::{IntentRecord, IntentSource};
use outrigger_model::digest::Digest;

use super::number::{millis, signed, time};

#[derive(sqlx::FromRow)]
pub struct IntentRow {
    pub number: i64,
    pub at_ms: i64,
    pub author: String,
    pub reason: String,
    pub parent: Option<i64>,
    pub undoes: Option<i64>,
    pub source: String,
    pub document: String,
    pub digest: Vec<u8>,
    pub hash: Vec<u8>,
}

impl IntentRow {
    pub fn of(record: &IntentRecord) -> Self {
        let IntentRecord { number, at, author, reason, parent, undoes, source, document, digest } = record;
        let mut row = Self {
            number: signed(*number),
            at_ms: millis(*at),
            author: author.clone(),
            reason: reason.clone(),
            parent: parent.map(signed),
            undoes: undoes.map(signed),
            source: source.as_str().to_owned(),
            document: document.clone(),
            digest: digest.as_bytes().to_vec(),
            hash: Vec::new(),
        };
        row.hash = row.content().as_bytes().to_vec();
        row
    }

    pub fn record(self) -> Option<IntentRecord> {
        if self.content().as_bytes().as_slice() != self.hash {
            return None;
        }
        Some(IntentRecord {
            number: u64::try_from(self.number).ok()?,
            at: time(self.at_ms),
            author: self.author,
            reason: self.reason,
            parent: self.parent.map(u64::try_from).transpose().ok()?,
            undoes: self.undoes.map(u64::try_from).transpose().ok()?,
            source: IntentSource::parse(&self.source)?,
            document: self.document,
            digest: Digest::from_bytes(&self.digest)?,
        })
    }

    fn content(&self) -> Digest {
        let Self { number, at_ms, author, reason, parent, undoes, source, document, digest, hash: _ } = self;
        let (parent, undoes) = (parent.map(i64::to_be_bytes), undoes.map(i64::to_be_bytes));
        let parent = parent.as_ref().map_or(&[][..], |bytes| bytes);
        let undoes = undoes.as_ref().map_or(&[][..], |bytes| bytes);
        let (number, at_ms) = (number.to_be_bytes(), at_ms.to_be_bytes());
        let texts = [author, reason, source, document].map(|text| text.as_bytes());
        let [author, reason, source, document] = texts;
        Digest::of_parts([&number[..], &at_ms[..], author, reason, parent, undoes, source, document, digest])
    }
}
