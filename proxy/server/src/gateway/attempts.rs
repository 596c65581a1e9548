//! What follows an attempt: the core's verdict, and what it means for the call.
//!
//! In: the outcome of the attempt under way. Out: whether the answer is passed on, another attempt is made, or the call ends.
//! Never here: the verdict itself.

use std::time::{Duration, Instant};

use outrigger_model::pool::Balance;
use outrigger_proxy_core::again::Spent;
use outrigger_proxy_core::outcome::Outcome;
use outrigger_proxy_core::outside;
use outrigger_proxy_core::refusal::Refusal;
use outrigger_proxy_core::retry::judge::{self, Verdict};
use outrigger_proxy_core::visit;
use outrigger_proxy_core::world::endpoint::Endpoint;
use outrigger_proxy_core::world::judged::{self, Learnt};
use tracing::{debug, warn};

use super::blame::Blame;
use super::call::{Attempt, Call, Ending, Way};
use super::parts::GatewayParts;
use crate::identity::connector::ConnectError;

/// What is done next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Next {
    /// The answer goes to the caller.
    Pass,
    /// Another endpoint is tried after a pause. Where none is left, the call ends like this one, which may be a [`Next::Pass`].
    Again {
        instead: Box<Next>,
        outcome: Outcome,
        pause: Duration,
    },
    /// Nothing of the call ran. Its session is opened again elsewhere, and the call is sent there.
    Move(Why),
    End(Ending),
}

/// Why a session has to move.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Why {
    /// Its replica takes no calls.
    Unreachable,
    /// Its replica does not know it, or is another process than the one that did.
    Lost,
}

/// How the attempt under way ended.
#[derive(Debug, Clone, Copy)]
pub struct Ended {
    pub outcome: Outcome,
    /// Its answer says when to ask again.
    pub asks_later: bool,
    /// Its request can be sent once more.
    pub can_restart: bool,
    pub blame: Blame,
}

impl Ended {
    /// Without an answer.
    pub const fn silent(outcome: Outcome, can_restart: bool, blame: Blame) -> Self {
        Self { outcome, asks_later: false, can_restart, blame }
    }
}

/// Records the outcome of the attempt under way and settles what follows.
pub fn settle(
    parts: &GatewayParts,
    call: &Call,
    Ended { outcome, asks_later, can_restart, blame }: Ended,
    now: Instant,
) -> Next {
    let Some(attempt) = &call.attempt else { return Next::End(Ending::Refuse(Refusal::Internal)) };
    record(parts, call, attempt, outcome, blame, now);
    let endpoint = &attempt.endpoint;
    let (verdict, key) = match &call.way {
        Some(Way::Out(plan)) => (plan.judge(outcome, asks_later, endpoint, now), plan.session()),
        Some(Way::In(_)) => (visit::judge(outcome, endpoint, now), None),
        Some(Way::Elsewhere(site, _)) => (outside::judge(outcome, site, now), None),
        None => (Verdict::Refuse(Refusal::Internal), None),
    };
    if let (Verdict::Forget(_), Some(key)) = (&verdict, key) {
        parts.sessions.forget(key);
    }
    match verdict {
        Verdict::Done if outcome == Outcome::CallerLeft => Next::End(Ending::Abandoned),
        Verdict::Done => Next::Pass,
        Verdict::Again => {
            let instead = judge::instead(outcome, call.way.as_ref().map_or("", Way::name));
            let instead = if instead == Verdict::Done { Next::Pass } else { ended(instead) };
            if can_restart { again(parts, call, outcome, instead, now) } else { instead }
        }
        Verdict::Move => moved(call, outcome, can_restart),
        verdict => ended(verdict),
    }
}

fn again(parts: &GatewayParts, call: &Call, outcome: Outcome, instead: Next, now: Instant) -> Next {
    match call.repeat(outcome, now) {
        Ok(pause) => {
            parts.events.call_retried(outcome.label());
            Next::Again { instead: Box::new(instead), outcome, pause }
        }
        Err(Spent::Budget) => {
            parts.events.retry_budget_spent();
            instead
        }
        Err(Spent::Time) => instead,
        // What is left is asked for once more, because a call that is patient may wait for it.
        Err(Spent::Endpoints) => Next::Again { instead: Box::new(instead), outcome, pause: Duration::ZERO },
    }
}

/// What the endpoint learns, and what of it is told.
pub(super) fn record(
    parts: &GatewayParts,
    call: &Call,
    attempt: &Attempt,
    outcome: Outcome,
    blame: Blame,
    now: Instant,
) {
    let Attempt { endpoint, began, .. } = attempt;
    let Blame { tool, tool_failed } = blame;
    let replica = endpoint.replica.as_str();
    let learnt = endpoint.record(&judged::Ended { outcome, began: *began, tool, tool_failed }, now);
    if endpoint.terms.balance == Balance::PeakEwma
        && matches!(outcome, Outcome::Answered(_) | Outcome::TimedOut)
        && !call.only_listens()
    {
        endpoint.live.answered_in_time(*began, now);
    }
    if learnt == Learnt::default() {
        return;
    }
    if let Some(pause) = learnt.ejected {
        parts.events.endpoint_ejected(replica, pause);
    }
    if let Some(turn) = learnt.circuit {
        parts.events.circuit_turned(replica, turn);
    }
    if learnt.tool_put_aside {
        parts.events.tool_put_aside(replica);
    }
}

fn moved(call: &Call, outcome: Outcome, can_restart: bool) -> Next {
    let answered = matches!(outcome, Outcome::Answered(_));
    match (answered, can_restart && call.movable().is_some()) {
        (true, true) => Next::Move(Why::Lost),
        (false, true) => Next::Move(Why::Unreachable),
        (true, false) => Next::Pass,
        (false, false) => Next::End(Ending::Refuse(Refusal::SessionUnreachable)),
    }
}

fn ended(verdict: Verdict) -> Next {
    match verdict {
        Verdict::Refuse(refusal) | Verdict::Forget(refusal) => Next::End(Ending::Refuse(refusal)),
        Verdict::Done | Verdict::Again | Verdict::Move | Verdict::Abort => Next::End(Ending::Broken),
    }
}

/// Said of an endpoint that nothing could be sent to.
pub fn tell_unconnected(endpoint: &Endpoint, error: &ConnectError) {
    let replica = endpoint.replica.as_str();
    let error_said = error as &dyn std::error::Error;
    // Said once per ejection: a human has to look at certificates.
    if error.is_about_identity() && !endpoint.live.is_ejected(Instant::now()) {
        warn!(replica, error = error_said, "an endpoint did not prove its identity");
    } else {
        debug!(replica, error = error_said, "an endpoint could not be connected to");
    }
}
