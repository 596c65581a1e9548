//! Chooses the endpoint for the next attempt.
//!
//! In: a pool, how to choose, what was tried, `now`. Out: a [`Picked`], or why there is none.
//! What may be chosen at all is settled by `fit`, and which of those by the pool's strategy.
//! Invariant: of the calls that find the circuit of an endpoint half-open, one gets it.

use std::sync::Arc;
use std::time::Instant;

use outrigger_model::endpoint::EndpointState;
use outrigger_model::pool::Balance;

use crate::balance::fit::Fit;
pub use crate::balance::fit::Missed;
use crate::balance::tried::Tried;
use crate::balance::{least_request, peak_ewma, random, rendezvous, round_robin};
use crate::health::tools::Tool;
use crate::mcp::facts::Caller;
use crate::world::endpoint::{Endpoint, Pool};

/// How to choose.
#[derive(Debug, Clone, Copy)]
pub enum By<'a> {
    /// The pool's own strategy. One that hashes the caller takes the one with the fewest calls, as no caller is known.
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

/// `tool` is that which is called, where it matters: where some endpoint is known to fail at some tool.
pub fn pick(pool: &Pool, by: By<'_>, tried: &Tried, tool: Option<Tool>, now: Instant) -> Result<Picked, Missed> {
    // A circuit that is half-open when we look may have let another call in when we come; then we look again.
    for _ in 0..=pool.endpoints.len() {
        let fit = Fit::of(pool, tried, tool, now)?;
        let Some(endpoint) = choose(pool, by, &fit, || pool.live.next_turn(), now).or_else(|| any(pool, tried)) else {
            break;
        };
        if endpoint.live.passes_circuit(&pool.policy.breaker, now) {
            return Ok(Picked { endpoint: Arc::clone(endpoint), panic: fit.is_panic() });
        }
    }
    Err(Missed::Nothing)
}

/// One of those that fit. `turn` is asked for one if the strategy goes by turns.
pub(super) fn choose<'a>(
    pool: &'a Pool,
    by: By<'_>,
    fit: &Fit<'_>,
    turn: impl FnOnce() -> u64,
    now: Instant,
) -> Option<&'a Arc<Endpoint>> {
    let endpoints = pool.endpoints.iter().filter(|endpoint| fit.is(endpoint));
    match (by, pool.balance) {
        (By::Caller(caller), _) => rendezvous::choose(endpoints, caller),
        (By::Balance, Balance::RoundRobin) => round_robin::choose(endpoints, turn(), now),
        (By::Balance, Balance::Random) => random::choose(endpoints, turn(), now),
        (By::Balance, Balance::PeakEwma) => peak_ewma::choose(endpoints, turn(), now),
        (By::Balance, Balance::LeastRequest | Balance::ConsistentHash) => least_request::choose(endpoints, turn(), now),
    }
}

/// An endpoint may be ejected by another call between the two looks; then any that was not tried will do.
fn any<'a>(pool: &'a Pool, tried: &Tried) -> Option<&'a Arc<Endpoint>> {
    pool.endpoints.iter().find(|endpoint| endpoint.state != EndpointState::Draining && !tried.has(&endpoint.replica))
}

#[cfg(test)]
mod tests;
