//! One intent as it is kept: what was declared, when, by whom and why.
//!
//! In: a document, and who declared it. Out: an [`IntentRecord`] with the next number.
//! Never here: what the document says; whoever reads configurations knows that.
//! Invariant: numbers begin at 1, grow by one and are never used again; the newest record is the one that runs.

use std::fmt;
use std::time::SystemTime;

use outrigger_model::digest::Digest;

/// Where an intent came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum IntentSource {
    /// Control's own file declares it.
    File,
    /// Somebody published it while control ran.
    Published,
    /// An earlier one, in force again.
    Rollback,
}

/// One intent of the history.
#[derive(Clone, PartialEq, Eq)]
pub struct IntentRecord {
    pub number: u64,
    pub at: SystemTime,
    pub author: String,
    pub reason: String,
    /// The one that ran before; none for the first.
    pub parent: Option<u64>,
    /// The one that ran before a rollback.
    pub undoes: Option<u64>,
    pub source: IntentSource,
    /// Settings, routes and pools as they were written, in one canonical form. It may hold secrets: values of headers.
    pub document: String,
    /// Of the document.
    pub digest: Digest,
}

impl IntentSource {
    pub const ALL: [Self; 3] = [Self::File, Self::Published, Self::Rollback];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::File => "file",
            Self::Published => "published",
            Self::Rollback => "rollback",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|source| source.as_str() == text)
    }
}

impl fmt::Display for IntentSource {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.as_str())
    }
}

/// Without the document, which may hold secrets.
impl fmt::Debug for IntentRecord {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { number, at, author, reason, parent, undoes, source, document: _, digest } = self;
        out.debug_struct("IntentRecord")
            .field("number", number)
            .field("at", at)
            .field("author", author)
            .field("reason", reason)
            .field("parent", parent)
            .field("undoes", undoes)
            .field("source", source)
            .field("digest", digest)
            .finish_non_exhaustive()
    }
}
