//! The values of labels: closed enums, and statuses by their meaning.
//!
//! Invariant: no peer can make a new label value; a status is one of those we list, else its class.

use std::fmt::{self, Write as _};

use prometheus_client::encoding::{EncodeLabelValue, LabelValueEncoder};

/// From the own agent to others, or from others to the own agent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Direction {
    Outbound,
    Inbound,
}

/// How a call ended, as the caller saw it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum CallEnd {
    /// The agent's answer was passed on to its last byte.
    Answered,
    /// We answered ourselves; the reason is of the closed list of refusals.
    Refused(&'static str),
    /// The answer had begun and its source broke off.
    Broken,
    /// The answer had begun, and then nothing of it came for too long.
    IdleTimeout,
    /// The answer had begun, and took too long in all.
    TotalTimeout,
    /// A stream was ended between two events because the proxy stops.
    Drained,
    /// A stream was ended because its session was revoked.
    Revoked,
    /// The caller went away before the end.
    Abandoned,
}

/// What a look-up of a session key found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Lookup {
    /// In memory.
    Memory,
    /// In the shared store.
    Shared,
    Unknown,
    /// The shared store did not answer in time.
    TimedOut,
}

/// What was done with a URI that an agent announced for messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Announcement {
    /// It leads through the mesh now.
    Rewritten,
    /// It is not the agent's own, and passed as it was.
    Foreign,
}

/// What became of the copy of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Copied {
    /// An answer came, whatever it said, and was thrown away.
    Answered,
    /// The mirror could not be reached, or broke off.
    Failed,
    /// It took too long.
    TimedOut,
    /// Not made, because as many are under way as may be.
    Full,
    /// Not made, because the body was not here any more as a whole.
    Large,
    /// Not made, because no replica of the mirror takes calls.
    Nobody,
}

/// What came of asking one replica after the other for a session that no store knew.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Searched {
    Found,
    /// Every replica that could be asked said that it does not know the session.
    Unknown,
    /// The answer says nothing about the session.
    Unclear,
}

/// What became of a session whose replica was gone and that may be opened again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Moved {
    Reestablished,
    /// Another call or another proxy had moved it already.
    Followed,
    /// No replica took it as it was.
    Refused,
    /// No replica could be asked.
    Unreachable,
}

/// What became of sending a slow call to a second endpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Hedged {
    /// The second answered first.
    Won,
    /// The first answered first.
    Lost,
    /// Neither answered, or the second could not be reached.
    Failed,
}

/// Which store holds bindings.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum StoreKind {
    Memory,
    Redis,
}

/// Why a request to a shared store came to nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum StoreFault {
    /// There is no connection, so none was waited for.
    Away,
    /// No answer in time.
    Timeout,
    /// The connection could not be made, or broke.
    Connection,
    /// The answer is not of the protocol.
    Garbage,
    /// The store takes nothing more.
    Full,
    /// The node is no primary any more.
    ReadOnly,
    /// The node still reads its own data.
    Loading,
    /// User, password or their rights.
    Denied,
    /// What lies under a key is no binding.
    Unreadable,
    /// A binding too large for the store.
    TooLarge,
    /// Any other answer that is an error.
    Error,
    /// The queue of what is still to be written was full.
    Dropped,
}

/// What another proxy did to a binding that is held here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Invalidation {
    Moved,
    Forgotten,
}

/// What became of a call that had to wait for room.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Queued {
    Entered,
    /// As many waited as may, so it did not wait at all.
    Full,
    TimedOut,
    /// Its caller went away.
    Left,
}

/// A status as a label.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Code(u16);

impl Code {
    /// Statuses that MCP, HTTP or we ourselves give a meaning; all others count by their class.
    const KNOWN: [u16; 22] =
        [200, 202, 204, 301, 302, 307, 308, 400, 401, 403, 404, 405, 406, 408, 409, 413, 415, 429, 431, 500, 502, 503];

    pub fn of(status: u16) -> Self {
        if Self::KNOWN.contains(&status) || status == 504 { Self(status) } else { Self(status / 100) }
    }
}

impl Direction {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Outbound => "outbound",
            Self::Inbound => "inbound",
        }
    }
}

impl StoreFault {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Away => "away",
            Self::Timeout => "timeout",
            Self::Connection => "connection",
            Self::Garbage => "garbage",
            Self::Full => "full",
            Self::ReadOnly => "read_only",
            Self::Loading => "loading",
            Self::Denied => "denied",
            Self::Unreadable => "unreadable",
            Self::TooLarge => "too_large",
            Self::Error => "error",
            Self::Dropped => "dropped",
        }
    }
}

impl CallEnd {
    /// The reason of a refusal has a metric of its own.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Answered => "answered",
            Self::Refused(_) => "refused",
            Self::Broken => "broken",
            Self::IdleTimeout => "idle_timeout",
            Self::TotalTimeout => "total_timeout",
            Self::Drained => "drained",
            Self::Revoked => "revoked",
            Self::Abandoned => "abandoned",
        }
    }
}

impl EncodeLabelValue for Direction {
    fn encode(&self, encoder: &mut LabelValueEncoder<'_>) -> Result<(), fmt::Error> {
        encoder.write_str(self.as_str())
    }
}

impl EncodeLabelValue for CallEnd {
    fn encode(&self, encoder: &mut LabelValueEncoder<'_>) -> Result<(), fmt::Error> {
        encoder.write_str(self.as_str())
    }
}

impl EncodeLabelValue for Lookup {
    fn encode(&self, encoder: &mut LabelValueEncoder<'_>) -> Result<(), fmt::Error> {
        encoder.write_str(match self {
            Self::Memory => "memory",
            Self::Shared => "shared",
            Self::Unknown => "unknown",
            Self::TimedOut => "timed_out",
        })
    }
}

impl EncodeLabelValue for StoreFault {
    fn encode(&self, encoder: &mut LabelValueEncoder<'_>) -> Result<(), fmt::Error> {
        encoder.write_str(self.as_str())
    }
}

impl EncodeLabelValue for Invalidation {
    fn encode(&self, encoder: &mut LabelValueEncoder<'_>) -> Result<(), fmt::Error> {
        encoder.write_str(match self {
            Self::Moved => "moved",
            Self::Forgotten => "forgotten",
        })
    }
}

impl EncodeLabelValue for Announcement {
    fn encode(&self, encoder: &mut LabelValueEncoder<'_>) -> Result<(), fmt::Error> {
        encoder.write_str(match self {
            Self::Rewritten => "rewritten",
            Self::Foreign => "foreign",
        })
    }
}

impl EncodeLabelValue for Copied {
    fn encode(&self, encoder: &mut LabelValueEncoder<'_>) -> Result<(), fmt::Error> {
        encoder.write_str(match self {
            Self::Answered => "answered",
            Self::Failed => "failed",
            Self::TimedOut => "timed_out",
            Self::Full => "full",
            Self::Large => "large",
            Self::Nobody => "nobody",
        })
    }
}

impl EncodeLabelValue for Searched {
    fn encode(&self, encoder: &mut LabelValueEncoder<'_>) -> Result<(), fmt::Error> {
        encoder.write_str(match self {
            Self::Found => "found",
            Self::Unknown => "unknown",
            Self::Unclear => "unclear",
        })
    }
}

impl EncodeLabelValue for Queued {
    fn encode(&self, encoder: &mut LabelValueEncoder<'_>) -> Result<(), fmt::Error> {
        encoder.write_str(match self {
            Self::Entered => "entered",
            Self::Full => "full",
            Self::TimedOut => "timed_out",
            Self::Left => "left",
        })
    }
}

impl EncodeLabelValue for Moved {
    fn encode(&self, encoder: &mut LabelValueEncoder<'_>) -> Result<(), fmt::Error> {
        encoder.write_str(match self {
            Self::Reestablished => "reestablished",
            Self::Followed => "followed",
            Self::Refused => "refused",
            Self::Unreachable => "unreachable",
        })
    }
}

impl EncodeLabelValue for Hedged {
    fn encode(&self, encoder: &mut LabelValueEncoder<'_>) -> Result<(), fmt::Error> {
        encoder.write_str(match self {
            Self::Won => "won",
            Self::Lost => "lost",
            Self::Failed => "failed",
        })
    }
}

impl EncodeLabelValue for StoreKind {
    fn encode(&self, encoder: &mut LabelValueEncoder<'_>) -> Result<(), fmt::Error> {
        encoder.write_str(match self {
            Self::Memory => "memory",
            Self::Redis => "redis",
        })
    }
}

impl EncodeLabelValue for Code {
    fn encode(&self, encoder: &mut LabelValueEncoder<'_>) -> Result<(), fmt::Error> {
        match self.0 {
            0 => encoder.write_str("none"),
            class @ 1..=9 => write!(encoder, "{class}xx"),
            status => write!(encoder, "{status}"),
        }
    }
}
