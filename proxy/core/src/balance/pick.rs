//! Chooses the endpoint for the next attempt.
//!
//! In: a pool, how to choose, what was tried, `now`. Out: a [`Picked`], or nothing if all that may be tried was.
//! Order: what is up and not ejected; then what is suspect and not ejected; then, in panic, the ejected: if everything is
//! ejected the fault may be ours, and refusing all calls helps nobody.

use std::sync::Arc;
use std::time::Instant;

use outrigger_model::endpoint::EndpointState;
use outrigger_model::pool::Balance;

use crate::balance::tried::Tried;
use crate::balance::{least_request, rendezvous, round_robin};
use crate::mcp::facts::Caller;
use crate::world::endpoint::{Endpoint, Pool};

/// How to choose.
#[derive(Debug, Clone, Copy)]
pub enum By<'a> {
    /// The pool's own strategy.
    Balance,
    /// The same for every call of this caller.
    Caller(&'a Caller),
}

/// An endpoint for one attempt.
#[derive(Debug, Clone)]
pub struct Picked {
    pub endpoint: Arc<Endpoint>,
    /// Every endpoint that could be tried was ejected.
    pub panic: bool,
}

/// How much an endpoint is wanted; less is better.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Tier {
    Up,
    Suspect,
    EjectedUp,
    EjectedSuspect,
}

pub fn pick(pool: &Pool, by: By<'_>, tried: &Tried, now: Instant) -> Option<Picked> {
    let best = pool.endpoints.iter().filter_map(|endpoint| tier(endpoint, tried, now)).min()?;
    let fit = pool.endpoints.iter().filter(|endpoint| tier(endpoint, tried, now) == Some(best));
    let chosen = match (by, pool.balance) {
        (By::Caller(caller), _) => rendezvous::choose(fit, caller),
        (By::Balance, Balance::RoundRobin) => round_robin::choose(fit, pool.live.next_turn()),
        (By::Balance, _) => least_request::choose(fit, pool.live.next_turn()),
    };
    // An endpoint may be ejected by another call between the two looks; then any that was not tried will do.
    let chosen = chosen.or_else(|| pool.endpoints.iter().find(|endpoint| tier(endpoint, tried, now).is_some()))?;
    Some(Picked { endpoint: Arc::clone(chosen), panic: best >= Tier::EjectedUp })
}

fn tier(endpoint: &Endpoint, tried: &Tried, now: Instant) -> Option<Tier> {
    if tried.has(&endpoint.replica) {
        return None;
    }
    match (endpoint.state, endpoint.live.is_ejected(now)) {
        (EndpointState::Draining, _) => None,
        (EndpointState::Up, false) => Some(Tier::Up),
        (EndpointState::Suspect, false) => Some(Tier::Suspect),
        (EndpointState::Up, true) => Some(Tier::EjectedUp),
        (EndpointState::Suspect, true) => Some(Tier::EjectedSuspect),
    }
}

#[cfg(test)]
mod tests;
