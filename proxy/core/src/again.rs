//! How a call goes on after an attempt that another one may follow.
//!
//! In: a plan, how its attempt ended, what was tried, what is left of its time, chance. Out: a pause, or why there is no other attempt.
//! Never here: whether the outcome allows one; that was judged before.
//! Invariant: what may have reached an agent is sent again only out of the budget of its pool.

use std::sync::Arc;
use std::time::{Duration, Instant};

use outrigger_model::endpoint::EndpointState;
use outrigger_model::retries::{Budget, Retries};

use crate::balance::tried::Tried;
use crate::health::circuit::State;
use crate::outcome::Outcome;
use crate::plan::Plan;
use crate::retry::backoff;
use crate::world::endpoint::Endpoint;

/// Why a call that could be sent again is not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Spent {
    /// Its pool had enough of that.
    Budget,
    /// The call would be over before.
    Time,
    /// All that may be tried were.
    Endpoints,
}

/// One wish to send a call again.
#[derive(Debug, Clone, Copy)]
pub struct Repetition {
    pub outcome: Outcome,
    /// Attempts made so far.
    pub attempts: u32,
    /// Of the time of the call; none has no end.
    pub left: Option<Duration>,
    /// Any number, each as likely as the other.
    pub chance: u64,
}

impl Plan {
    /// The pause before the next attempt, which is counted by this.
    pub fn repeat(&self, repetition: Repetition, tried: &Tried, now: Instant) -> Result<Duration, Spent> {
        let Repetition { outcome, attempts, left, chance } = repetition;
        let (Some(retries), Some(pool)) = (self.retries(), self.pool()) else { return Ok(Duration::ZERO) };
        // Who takes no calls is passed by, and a search runs nothing twice.
        if outcome.passes_on() || self.searches() {
            return Ok(Duration::ZERO);
        }
        if !self.has_another(tried, now) {
            return Err(Spent::Endpoints);
        }
        let pause = backoff::pause(retries.backoff, attempts, chance);
        if left.is_some_and(|left| left <= pause) {
            return Err(Spent::Time);
        }
        if pool.live.retries().take(retries.budget, now) { Ok(pause) } else { Err(Spent::Budget) }
    }

    /// How long this attempt may take until its answer begins, if another one may follow it. `tried` holds its endpoint.
    pub fn per_try(&self, tried: &Tried, now: Instant) -> Option<Duration> {
        self.retries()?.per_try.filter(|_| self.may_be_followed(tried, now))
    }

    /// After how long without an answer another endpoint is asked as well. What opens a session would open two.
    pub fn hedge_after(&self, tried: &Tried, now: Instant) -> Option<Duration> {
        let after = self.retries()?.hedge_after?;
        (self.may_go_to_two() && self.may_be_followed(tried, now)).then_some(after)
    }

    /// Whether the budget has room for one more request; it is counted by this.
    pub fn may_hedge(&self, now: Instant) -> bool {
        let budget = self.retries().map_or(Budget { percent: 0, per_second_min: 0 }, |retries| retries.budget);
        self.pool().is_some_and(|pool| pool.live.retries().take(budget, now))
    }

    /// How much of a body is kept for another attempt.
    pub fn body_bytes_kept(&self) -> usize {
        let bytes_max = self.retries().map_or(Retries::BODY_BYTES_USUAL, |retries| retries.body_bytes_max);
        usize::try_from(bytes_max).unwrap_or(usize::MAX)
    }

    /// Whether it may run twice, and there is another endpoint and another attempt for that.
    fn may_be_followed(&self, tried: &Tried, now: Instant) -> bool {
        self.may_run_twice() && self.has_another(tried, now)
    }

    /// Where nothing is left the call ends with what it has, and that costs no budget.
    fn has_another(&self, tried: &Tried, now: Instant) -> bool {
        let may_be_asked = |endpoint: &Arc<Endpoint>| {
            endpoint.state != EndpointState::Draining
                && !tried.has(&endpoint.replica)
                && !matches!(endpoint.live.circuit_state(now), State::Open(_))
        };
        tried.count() < self.attempts_max() && self.pool().is_some_and(|pool| pool.endpoints.iter().any(may_be_asked))
    }
}

#[cfg(test)]
mod tests;
