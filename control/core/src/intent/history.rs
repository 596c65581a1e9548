//! Which record follows which: what declaring, publishing and rolling back make of the one that runs.
//!
//! In: the newest record, what the file last declared, and what somebody wants. Out: the record that follows, or why none does.
//! Never here: the store; who asks for a record takes it into the history once it is stored.
//! Invariant: numbers grow by one, the parent of a record is the one before it, and nothing that was is changed.

use std::time::SystemTime;

use outrigger_model::digest::Digest;

use super::record::{IntentRecord, IntentSource};

/// Longest name of an author, in bytes.
pub const AUTHOR_BYTES_MAX: usize = 256;
/// Longest reason, in bytes.
pub const REASON_BYTES_MAX: usize = 512;

const FILE_AUTHOR: &str = "control.yaml";
const FILE_REASON: &str = "declared in the file";

/// Who wants a change, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signature {
    author: String,
    reason: String,
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{field}: {why}")]
pub struct BadSignature {
    pub field: &'static str,
    pub why: String,
}

/// Why no record follows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NoRecord {
    #[error("intent {current} runs and not {expected}: somebody changed it meanwhile")]
    Moved { current: u64, expected: u64 },
    #[error("intent {current} says exactly this already")]
    Unchanged { current: u64 },
}

/// The newest record, and what the next one is compared with.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct History {
    newest: Option<IntentRecord>,
    declared: Option<Digest>,
}

impl Signature {
    pub fn new(author: &str, reason: &str) -> Result<Self, BadSignature> {
        let author = line("author", author, AUTHOR_BYTES_MAX)?;
        Ok(Self { author, reason: line("reason", reason, REASON_BYTES_MAX)? })
    }

    pub fn author(&self) -> &str {
        &self.author
    }

    pub fn reason(&self) -> &str {
        &self.reason
    }
}

fn line(field: &'static str, text: &str, bytes_max: usize) -> Result<String, BadSignature> {
    let text = text.trim();
    let bad = |why: String| Err(BadSignature { field, why });
    match text {
        "" => bad("it is empty; say it, so that others can understand the history".to_owned()),
        _ if text.len() > bytes_max => bad(format!("{} bytes are more than {bytes_max}", text.len())),
        _ if text.chars().any(char::is_control) => bad("it has a control character; write one line".to_owned()),
        _ => Ok(text.to_owned()),
    }
}

impl History {
    /// `declared` is the digest of the document of the newest record whose source is the file.
    pub fn restore(newest: Option<IntentRecord>, declared: Option<Digest>) -> Self {
        Self { newest, declared }
    }

    /// The one that runs.
    pub fn newest(&self) -> Option<&IntentRecord> {
        self.newest.as_ref()
    }

    /// Of the one that runs; 0 before the first.
    pub fn number(&self) -> u64 {
        self.newest.as_ref().map_or(0, |record| record.number)
    }

    /// What follows from the file. None where it says what it said when it was declared last: what was published since stays in force.
    pub fn declare(&self, document: &str, at: SystemTime) -> Option<IntentRecord> {
        if self.declared == Some(Digest::of(document.as_bytes())) {
            return None;
        }
        let signature = Signature { author: FILE_AUTHOR.to_owned(), reason: FILE_REASON.to_owned() };
        Some(self.next(IntentSource::File, signature, document, at))
    }

    /// What follows if somebody who saw intent `expected` run publishes a document.
    pub fn publish(
        &self,
        expected: u64,
        signature: Signature,
        document: &str,
        at: SystemTime,
    ) -> Result<IntentRecord, NoRecord> {
        self.follow(expected, IntentSource::Published, signature, document, at)
    }

    /// What follows if somebody who saw intent `expected` run wants the document of an earlier one back.
    pub fn roll_back(
        &self,
        expected: u64,
        signature: Signature,
        to: &IntentRecord,
        at: SystemTime,
    ) -> Result<IntentRecord, NoRecord> {
        let record = self.follow(expected, IntentSource::Rollback, signature, &to.document, at)?;
        Ok(IntentRecord { undoes: record.parent, ..record })
    }

    /// The record is stored, and runs from now on.
    pub fn take(&mut self, record: IntentRecord) {
        if record.source == IntentSource::File {
            self.declared = Some(record.digest);
        }
        self.newest = Some(record);
    }

    fn follow(
        &self,
        expected: u64,
        source: IntentSource,
        signature: Signature,
        document: &str,
        at: SystemTime,
    ) -> Result<IntentRecord, NoRecord> {
        let current = self.number();
        if current != expected {
            return Err(NoRecord::Moved { current, expected });
        }
        if self.newest.as_ref().is_some_and(|newest| newest.document == document) {
            return Err(NoRecord::Unchanged { current });
        }
        Ok(self.next(source, signature, document, at))
    }

    fn next(&self, source: IntentSource, signature: Signature, document: &str, at: SystemTime) -> IntentRecord {
        let Signature { author, reason } = signature;
        let parent = self.newest.as_ref().map(|newest| newest.number);
        IntentRecord {
            number: self.number().saturating_add(1),
            at,
            author,
            reason,
            parent,
            undoes: None,
            source,
            document: document.to_owned(),
            digest: Digest::of(document.as_bytes()),
        }
    }
}

#[cfg(test)]
mod tests;
