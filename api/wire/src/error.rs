//! Why a message is not taken: the field, and what is wrong with it.
//!
//! Out: a [`DecodeError`] whose text is fit for a NACK or a refusal: whole, in one line, with bounded excerpts.

use std::fmt;

use outrigger_model::calls::BadCalls;
use outrigger_model::endpoint::ZONE_BYTES_MAX;
use outrigger_model::identity::BadIdentity;
use outrigger_model::key::BadKey;
use outrigger_model::label::BadLabel;
use outrigger_model::name::BadName;
use outrigger_model::requirement::BadRequirement;
use outrigger_model::resource::BadToken;
use outrigger_model::revision::BadRevision;
use outrigger_model::snapshot::SnapshotError;
use outrigger_model::tag::BadTag;
use outrigger_model::tool_pattern::BadToolPattern;

use crate::path::FieldPath;

/// Longest excerpt of a peer's text in an error.
const EXCERPT_CHARS_MAX: usize = 128;

/// A field that cannot be taken.
#[derive(Debug)]
pub struct DecodeError {
    pub at: FieldPath,
    pub what: Wrong,
}

/// What is wrong with a field. The texts say all; the source chain is for callers that want the typed cause.
#[derive(Debug, thiserror::Error)]
pub enum Wrong {
    #[error("it is missing")]
    Missing,
    #[error("the bytes are not this message: {0}")]
    Bytes(prost::DecodeError),
    #[error("it holds {bytes} bytes, more than {max}")]
    Large { bytes: usize, max: usize },
    #[error("it holds {count} items, more than {max}")]
    Many { count: usize, max: usize },
    #[error("`{0}` is in it twice")]
    Twice(String),
    #[error("{value} is not within {min} to {max}")]
    Range { value: u64, min: u64, max: u64 },
    #[error("{0} is not a value that this build knows")]
    Unknown(i32),
    #[error("`{0}` is not a resource type that this build knows")]
    Type(String),
    #[error("`{found}` is not `{expected}`")]
    Other { found: String, expected: String },
    #[error("{0} bytes are not a SHA-256 digest")]
    Digest(usize),
    #[error("{0} bytes are not a key of 32")]
    Secret(usize),
    #[error("`{text}` is not a semantic version: {cause}")]
    Version { text: String, cause: semver::Error },
    #[error("`{0}` is not an address of the form ip:port")]
    Address(String),
    #[error("it is not a length of time from 0 to 10,000 years")]
    Duration,
    #[error("it is no time at all")]
    Zero,
    #[error("`{0}` is not a zone: at most {ZONE_BYTES_MAX} visible ASCII characters")]
    Zone(String),
    #[error("`{0}` is not a name of a header field in lower case")]
    Header(String),
    #[error("`{0}` is a header field that nobody may change")]
    ProtectedHeader(String),
    #[error("it holds characters that no header field can have")]
    HeaderValue,
    #[error("it is not a time from 1970 to 9999")]
    Time,
    #[error("{0}")]
    Name(#[from] BadName),
    #[error("{0}")]
    Tool(#[from] BadToolPattern),
    #[error("{}", excerpt(.0))]
    Key(#[from] BadKey),
    #[error("{}", excerpt(.0))]
    Tag(#[from] BadTag),
    #[error("{0}")]
    Label(#[from] BadLabel),
    #[error("{}", excerpt(.0))]
    Identity(#[from] BadIdentity),
    #[error("{0}")]
    Revision(#[from] BadRevision),
    #[error("{0}")]
    Token(#[from] BadToken),
    #[error("{}", excerpt(.0))]
    Need(#[from] BadRequirement),
    #[error("{0}")]
    Calls(#[from] BadCalls),
    #[error("it must be a text")]
    NotText,
    #[error("it must be a list of texts")]
    NotList,
    #[error("it must be names with texts")]
    NotMap,
    #[error("it needs the feature `{0}`, which this build does not know")]
    Feature(String),
    #[error("the set held does not match: {0}")]
    Mismatch(String),
    #[error("serial {found} of the same epoch is older than {held}, which is applied")]
    Older { found: u64, held: u64 },
    #[error("{0}")]
    Snapshot(#[from] SnapshotError),
}

/// The closed list of reasons for which control does not take a replica (`Refused.reason`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum RefusedReason {
    Address,
    Identity,
    Name,
    Conflict,
    Limit,
    Shape,
}

impl DecodeError {
    /// Something wrong in a field of the message at hand.
    pub fn field(field: &'static str, what: impl Into<Wrong>) -> Self {
        Self { at: FieldPath::field(field), what: what.into() }
    }

    /// Something wrong with item `at` of a list of the message at hand.
    pub fn item(field: &'static str, at: usize, what: impl Into<Wrong>) -> Self {
        Self { at: FieldPath::here().inside_item(field, at), what: what.into() }
    }

    /// Something wrong with the message as a whole.
    pub fn here(what: impl Into<Wrong>) -> Self {
        Self { at: FieldPath::here(), what: what.into() }
    }

    #[must_use]
    pub fn inside(self, field: &'static str) -> Self {
        Self { at: self.at.inside(field), ..self }
    }

    #[must_use]
    pub fn inside_item(self, field: &'static str, at: usize) -> Self {
        Self { at: self.at.inside_item(field, at), ..self }
    }

    #[must_use]
    pub fn inside_resource(self, kind: &'static str, name: &str) -> Self {
        Self { at: self.at.inside_resource(kind, name), ..self }
    }

    /// Under which reason control refuses a replica for this.
    pub fn reason(&self) -> RefusedReason {
        match self.what {
            Wrong::Address(_) => RefusedReason::Address,
            Wrong::Identity(_) => RefusedReason::Identity,
            Wrong::Name(_) => RefusedReason::Name,
            Wrong::Large { .. } | Wrong::Many { .. } => RefusedReason::Limit,
            _ => RefusedReason::Shape,
        }
    }
}

impl RefusedReason {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Address => "address",
            Self::Identity => "identity",
            Self::Name => "name",
            Self::Conflict => "conflict",
            Self::Limit => "limit",
            Self::Shape => "shape",
        }
    }
}

impl fmt::Display for DecodeError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let at = self.at.to_string();
        if at.is_empty() { self.what.fmt(out) } else { write!(out, "{at}: {}", self.what) }
    }
}

impl std::error::Error for DecodeError {}

/// The text of a typed cause and of its own cause, cut to a bound.
fn excerpt(cause: &dyn std::error::Error) -> String {
    let mut text = cause.to_string();
    if let Some(deeper) = cause.source() {
        text = format!("{text}: {deeper}");
    }
    cut(&text)
}

/// A peer's text, cut to a bound.
pub(crate) fn cut(text: &str) -> String {
    text.chars().take(EXCERPT_CHARS_MAX).collect()
}
