//! What follows an attempt: the core's verdict, and what it means for the call.
//!
//! In: the outcome of the attempt under way. Out: whether the answer is passed on, another attempt is made, or the call ends.
//! Never here: the verdict itself.

use std::time::Instant;

use outrigger_model::pool::Balance;
use outrigger_proxy_core::outcome::Outcome;
use outrigger_proxy_core::outside;
use outrigger_proxy_core::refusal::Refusal;
use outrigger_proxy_core::retry::judge::{self, Verdict};
use outrigger_proxy_core::visit;
use outrigger_proxy_core::world::judged::{Ended, Learnt};

use super::blame::Blame;
use super::call::{Attempt, Call, Ending, Way};
use super::parts::GatewayParts;

/// What is done next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Next {
    /// The answer goes to the caller.
    Pass,
    /// Another endpoint is tried. Where none is left, the call ends like this one, which may be a [`Next::Pass`].
    Again(Box<Next>),
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

/// Records the outcome of the attempt under way and settles what follows. `can_restart`: its request can be sent
/// once more.
pub fn settle(
    parts: &GatewayParts,
    call: &Call,
    outcome: Outcome,
    blame: Blame,
    can_restart: bool,
    now: Instant,
) -> Next {
    let Some(attempt) = &call.attempt else { return Next::End(Ending::Refuse(Refusal::Internal)) };
    record(parts, call, attempt, outcome, blame, now);
    let endpoint = &attempt.endpoint;
    let (verdict, key) = match &call.way {
        Some(Way::Out(plan)) => (plan.judge(outcome, endpoint, now), plan.session()),
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
            if can_restart {
                parts.events.call_retried(outcome.label());
                Next::Again(Box::new(instead))
            } else {
                instead
            }
        }
        Verdict::Move => moved(call, outcome, can_restart),
        verdict => ended(verdict),
    }
}

/// What the endpoint learns, and what of it is told.
fn record(parts: &GatewayParts, call: &Call, attempt: &Attempt, outcome: Outcome, blame: Blame, now: Instant) {
    let Attempt { endpoint, began, .. } = attempt;
    let Blame { tool, tool_failed } = blame;
    let replica = endpoint.replica.as_str();
    let learnt = endpoint.record(&Ended { outcome, began: *began, tool, tool_failed }, now);
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
