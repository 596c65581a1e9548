//! In which order the endpoints of a pool would be tried now, and why others are passed over at first.
//!
//! In: what `pick` is given. Out: a [`Preview`] for people.
//! Never here: anything that changes what it looks at: no turn is taken, no half-open circuit is tried, nothing is counted.
//! Invariant: where chance or load do not move meanwhile, the first of the order is the one that `pick` finds.

use std::sync::Arc;
use std::time::Instant;

use crate::balance::fit::Fit;
pub use crate::balance::fit::{Missed, Passed};
use crate::balance::pick::{By, choose};
use crate::balance::tried::Tried;
use crate::health::tools::Tool;
use crate::world::endpoint::{Endpoint, Pool};

/// What would become of a call of the pool.
#[derive(Debug, Clone)]
pub struct Preview {
    /// Where it would be sent, one after the other; at most as many as are ever tried.
    pub order: Vec<Arc<Endpoint>>,
    /// The first of them is ejected, as everything is that could be tried.
    pub panic: bool,
    /// Why it would be sent nowhere.
    pub missed: Option<Missed>,
    /// Of each endpoint of the pool, in its order: why the first attempt passes it over.
    pub passed: Vec<Option<Passed>>,
}

pub fn preview(pool: &Pool, by: By<'_>, tool: Option<Tool>, now: Instant) -> Preview {
    let nothing = Tried::default();
    let first = Fit::of(pool, &nothing, tool, now);
    let why = |endpoint: &Arc<Endpoint>| match &first {
        Ok(fit) => fit.passed(endpoint),
        Err(_) => Passed::of(endpoint, tool, now),
    };
    Preview {
        order: order(pool, by, tool, now),
        panic: first.as_ref().is_ok_and(Fit::is_panic),
        passed: pool.endpoints.iter().map(why).collect(),
        missed: first.err(),
    }
}

fn order(pool: &Pool, by: By<'_>, tool: Option<Tool>, now: Instant) -> Vec<Arc<Endpoint>> {
    let (mut order, mut tried, mut turn) = (Vec::new(), Tried::default(), pool.live.turn());
    while !tried.is_exhausted() {
        let next = Fit::of(pool, &tried, tool, now).ok().and_then(|fit| choose(pool, by, &fit, || turn, now));
        let Some(endpoint) = next else { break };
        order.push(Arc::clone(endpoint));
        tried.add(&endpoint.replica);
        turn = turn.wrapping_add(1);
    }
    order
}

#[cfg(test)]
mod tests;
