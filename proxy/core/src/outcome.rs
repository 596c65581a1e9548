//! What became of one attempt to reach one endpoint.
//!
//! In: what the transport saw. Out: an [`Outcome`] that health, retry and sessions judge.
//! Invariant: [`Outcome::reached_agent`] is false only where no byte of the request can have reached the agent.

use http::StatusCode;

/// Set by an inbound listener on answers of its own that mean: no byte of the request reached the agent.
pub const REFUSAL_HEADER: &str = "outrigger-refusal";

/// How one attempt ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// No connection, or no TLS, or the wrong identity: nothing was sent.
    ConnectFailed,
    /// The peer's proxy answered that it sent nothing to its agent.
    NotReached(NotReached),
    /// The head of an answer came.
    Answered(StatusCode),
    /// The connection ended after something was sent and before the head of an answer.
    Lost,
    /// No answer within the time to the first byte.
    TimedOut,
    /// No answer within the time for the whole call.
    TookTooLong,
    /// The answer began, and this limit passed before its end.
    CutOff(Limit),
    /// The answer began and broke off; the caller already has its head.
    BrokeOff,
    /// The caller left first; nobody's fault.
    CallerLeft,
}

/// The limits on the time of a call, beside the one on connecting.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Limit {
    FirstByte,
    Idle,
    Total,
}

/// Why the peer's proxy sent nothing to its agent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NotReached {
    /// The agent's own port is closed.
    AgentUnreachable,
    UnknownReplica,
    Draining,
    Overloaded,
    /// A reason that a newer proxy gives; what it means is still that nothing was sent.
    Other,
}

impl Outcome {
    /// Whether the agent may have seen any of the request.
    pub const fn reached_agent(self) -> bool {
        !matches!(self, Self::ConnectFailed | Self::NotReached(_))
    }

    /// Whether the next endpoint is asked at once, as if this one had not been there: it takes no calls and got nothing of this one.
    pub const fn passes_on(self) -> bool {
        matches!(
            self,
            Self::ConnectFailed
                | Self::NotReached(NotReached::AgentUnreachable | NotReached::UnknownReplica | NotReached::Draining)
        )
    }

    /// Reads an answer's status and its [`REFUSAL_HEADER`], which counts only when it came from a peer's proxy.
    pub fn of_answer(status: StatusCode, refusal: Option<&[u8]>) -> Self {
        match refusal {
            Some(label) => Self::NotReached(NotReached::from_label(label)),
            None => Self::Answered(status),
        }
    }

    pub const fn label(self) -> &'static str {
        match self {
            Self::ConnectFailed => "connect_failed",
            Self::NotReached(_) => "not_reached",
            Self::Answered(_) => "answered",
            Self::Lost => "lost",
            Self::TimedOut => "timed_out",
            Self::TookTooLong => "took_too_long",
            Self::CutOff(_) => "cut_off",
            Self::BrokeOff => "broke_off",
            Self::CallerLeft => "caller_left",
        }
    }
}

impl NotReached {
    /// Labels are those of [`Refusal`](crate::refusal::Refusal).
    pub fn from_label(label: &[u8]) -> Self {
        match label {
            b"agent_unreachable" => Self::AgentUnreachable,
            b"unknown_replica" => Self::UnknownReplica,
            b"draining" => Self::Draining,
            b"overloaded" => Self::Overloaded,
            _ => Self::Other,
        }
    }
}
