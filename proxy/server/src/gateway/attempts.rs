//! What follows an attempt: the core's verdict, put into pingora's terms.
//!
//! In: the outcome of the attempt under way. Out: whether the answer is passed on, another attempt is made, or the call ends.
//! Never here: the verdict itself.

use std::time::Instant;

use outrigger_proxy_core::outcome::Outcome;
use outrigger_proxy_core::refusal::Refusal;
use outrigger_proxy_core::retry::judge::Verdict;
use outrigger_proxy_core::visit;
use pingora::proxy::Session;
use pingora::{Error, ErrorType};

use super::call::{Call, Ending, Way};
use super::parts::GatewayParts;

// Our own errors, told apart from pingora's by type.
const AGAIN: ErrorType = ErrorType::Custom("outrigger: another attempt");
const END: ErrorType = ErrorType::Custom("outrigger: the call ends");

/// What is done next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Next {
    /// The answer goes to the caller.
    Pass,
    Again,
    /// As `Call::ending` says.
    End,
}

/// Records the outcome of the attempt under way and settles what follows.
pub fn settle(parts: &GatewayParts, session: &Session, call: &mut Call, outcome: Outcome) -> Next {
    let now = Instant::now();
    let Some(endpoint) = call.endpoint() else {
        call.ending = Some(Ending::Refuse(Refusal::Internal));
        return Next::End;
    };
    let was_ejected = endpoint.live.is_ejected(now);
    endpoint.live.record(outcome, now);
    if let Some(pause) = endpoint.live.ejected_for(now).filter(|_| !was_ejected) {
        parts.events.endpoint_ejected(endpoint.replica.as_str(), pause);
    }
    let (verdict, key) = match &call.way {
        Some(Way::Out(plan)) => (plan.judge(outcome, &endpoint, now), plan.key()),
        Some(Way::In(_)) => (visit::judge(outcome, &endpoint, now), None),
        None => (Verdict::Refuse(Refusal::Internal), None),
    };
    if let (Verdict::Forget(_), Some(key)) = (&verdict, key) {
        parts.sessions.forget(key);
    }
    match verdict {
        Verdict::Done if outcome == Outcome::CallerLeft => end(call, Ending::Abandoned),
        Verdict::Done => Next::Pass,
        // What was read of the body and is not kept any more cannot be sent again.
        Verdict::Again if session.as_ref().retry_buffer_truncated() => {
            let route = call.way.as_ref().map_or("", Way::name).to_owned();
            end(call, Ending::Refuse(Refusal::NoEndpoint { route }))
        }
        Verdict::Again => {
            parts.events.call_retried(outcome.label());
            Next::Again
        }
        Verdict::Refuse(refusal) | Verdict::Forget(refusal) => end(call, Ending::Refuse(refusal)),
        Verdict::Abort => end(call, Ending::Broken),
    }
}

fn end(call: &mut Call, ending: Ending) -> Next {
    call.ending = Some(ending);
    Next::End
}

/// The error that makes pingora do what comes next.
pub fn error(next: Next) -> Box<Error> {
    match next {
        Next::Again => {
            let mut error = Error::new(AGAIN);
            error.set_retry(true);
            error
        }
        Next::Pass | Next::End => {
            let mut error = Error::new(END);
            error.set_retry(false);
            error
        }
    }
}

/// Whether an error is one of ours, made when the matter was already settled.
pub fn is_ours(error: &Error) -> bool {
    *error.etype() == AGAIN || *error.etype() == END
}
