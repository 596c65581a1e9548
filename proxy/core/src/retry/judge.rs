//! Judges what follows an attempt or a refusal: an answer, another attempt, waiting, or the end.
//!
//! In: one [`Outcome`], the [`Case`] of the call. Out: a [`Verdict`].
//! Invariant: a call is tried again only if no byte of it can have reached an agent, or if running it twice changes nothing, or if the
//! agent said that it does not know the session, so that nothing ran; and never into the same session.

use std::time::{Duration, Instant};

use http::StatusCode;
use outrigger_model::revision::Era;

use crate::mcp::table::Retry;
use crate::outcome::{NotReached, Outcome};
use crate::refusal::Refusal;

/// How long a session waits for a replica that refuses connections before it counts as gone.
pub const SESSION_GRACE: Duration = Duration::from_secs(5);
/// How long `server/discover` waits for an endpoint before its connection is closed.
pub const PATIENCE: Duration = Duration::from_secs(10);

/// What the shell does next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// An answer is there, or the caller left: pass on what there is.
    Done,
    /// Pick again; what was tried is avoided. Where nothing is left, [`instead`] says what follows.
    Again,
    Refuse(Refusal),
    /// Refuse with this, and forget the binding of the session.
    Forget(Refusal),
    /// Nothing of the call ran where its session was: open the session again elsewhere, and send the call there.
    Move,
    /// The caller already has part of an answer: end it so that it is seen as broken.
    Abort,
}

/// What follows a refusal of a call that may be worth waiting for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Patience {
    Refuse,
    /// Plan again when the world changes or after a moment, until this instant.
    WaitUntil(Instant),
    /// Close the connection without an answer: an error would make clients take the agent for a legacy one for good.
    Close,
}

/// What keeps a call on one endpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Hold {
    /// Any endpoint of the pool will do.
    Free,
    /// The caller named the replica.
    Named,
    /// It belongs to a session, and nobody knows where that lives.
    Searching,
    /// A session lives there, and its endpoint has failed since then. `movable`: it may be opened again elsewhere.
    Session { failing_since: Option<Instant>, movable: bool },
}

/// What is known of a call beside how its attempt ended.
#[derive(Debug, Clone, Copy)]
pub struct Case<'a> {
    pub hold: Hold,
    pub retry: Retry,
    /// The answer says after how long to ask again (`Retry-After`).
    pub asks_later: bool,
    /// Repeated in the refusal.
    pub route: &'a str,
}

impl<'a> Case<'a> {
    /// Of a call that goes to one place, once.
    pub const fn once(route: &'a str) -> Self {
        Self { hold: Hold::Named, retry: Retry::ConnectOnly, asks_later: false, route }
    }

    const fn may_repeat(&self) -> bool {
        self.retry.may_repeat() && matches!(self.hold, Hold::Free)
    }
}

pub fn judge(outcome: Outcome, case: Case<'_>, now: Instant) -> Verdict {
    let Case { hold, route, .. } = case;
    let may_repeat = case.may_repeat();
    match outcome {
        Outcome::Lost | Outcome::TimedOut if may_repeat => Verdict::Again,
        Outcome::Answered(status) if may_repeat && is_of_a_gateway(status) => Verdict::Again,
        Outcome::Answered(StatusCode::TOO_MANY_REQUESTS) if may_repeat && case.asks_later => Verdict::Again,
        Outcome::Answered(status) if hold == Hold::Searching && knows_no_session(status) => Verdict::Again,
        Outcome::Answered(StatusCode::NOT_FOUND) if matches!(hold, Hold::Session { movable: true, .. }) => {
            Verdict::Move
        }
        Outcome::Answered(_) | Outcome::CallerLeft => Verdict::Done,
        Outcome::BrokeOff | Outcome::CutOff(_) => Verdict::Abort,
        Outcome::Lost => Verdict::Refuse(Refusal::UpstreamLost),
        Outcome::TimedOut => Verdict::Refuse(Refusal::UpstreamTimeout),
        Outcome::TookTooLong => Verdict::Refuse(Refusal::TotalTimeout),
        Outcome::ConnectFailed | Outcome::NotReached(_) => match hold {
            Hold::Free | Hold::Searching => Verdict::Again,
            Hold::Named => Verdict::Refuse(Refusal::NoEndpoint { route: route.to_owned() }),
            // One that has only too much to do still holds the session.
            Hold::Session { movable: true, .. } if outcome.passes_on() => Verdict::Move,
            Hold::Session { failing_since, .. } => judge_session(outcome, failing_since, now),
        },
    }
}

/// What becomes of a call that was to be tried again after `outcome`, and cannot be.
pub fn instead(outcome: Outcome, route: &str) -> Verdict {
    match outcome {
        Outcome::Answered(_) => Verdict::Done,
        Outcome::Lost => Verdict::Refuse(Refusal::UpstreamLost),
        Outcome::TimedOut => Verdict::Refuse(Refusal::UpstreamTimeout),
        _ => Verdict::Refuse(Refusal::NoEndpoint { route: route.to_owned() }),
    }
}

/// What stands before an agent says with these that the agent did not answer (RFC 9110 section 15.6).
fn is_of_a_gateway(status: StatusCode) -> bool {
    matches!(status, StatusCode::BAD_GATEWAY | StatusCode::SERVICE_UNAVAILABLE | StatusCode::GATEWAY_TIMEOUT)
}

/// What an agent says to a call of a session that it does not know, in place of running it: 404 by the specification (2025-11-25
/// `basic/transports`, session management), 400 by servers built with older SDKs.
fn knows_no_session(status: StatusCode) -> bool {
    matches!(status, StatusCode::NOT_FOUND | StatusCode::BAD_REQUEST)
}

fn judge_session(outcome: Outcome, failing_since: Option<Instant>, now: Instant) -> Verdict {
    match outcome {
        // Its own proxy says so: the process that held the session is not there any more, or leaves the mesh.
        Outcome::NotReached(NotReached::AgentUnreachable | NotReached::UnknownReplica | NotReached::Draining) => {
            Verdict::Forget(Refusal::SessionGone)
        }
        Outcome::ConnectFailed
            if failing_since.is_some_and(|since| now.saturating_duration_since(since) >= SESSION_GRACE) =>
        {
            Verdict::Forget(Refusal::SessionGone)
        }
        _ => Verdict::Refuse(Refusal::SessionUnreachable),
    }
}

/// Whether a refusal is said now. `patient` calls are `server/discover`; `began` is when the call came.
pub fn patience(refusal: &Refusal, patient: bool, began: Instant, now: Instant) -> Patience {
    let may_pass = matches!(
        refusal,
        Refusal::NoRoute { .. }
            | Refusal::NoProvider { .. }
            | Refusal::NoEndpoint { .. }
            | Refusal::CircuitOpen { .. }
            | Refusal::UpstreamLost
            | Refusal::UpstreamTimeout
    );
    if !patient || !refusal.shape(Some(Era::Modern)).status.is_server_error() {
        return Patience::Refuse;
    }
    let until = began + PATIENCE;
    if may_pass && now < until { Patience::WaitUntil(until) } else { Patience::Close }
}

#[cfg(test)]
mod tests;
