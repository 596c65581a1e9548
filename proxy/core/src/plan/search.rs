//! Where a call goes on that searches for its session, once all that take something new were asked.
//!
//! In: a plan, its pool, what was tried. Out: the next endpoint, or a refusal where one cannot be asked.
//! Rule: those that drain may hold it. One whose circuit is open may as well, and is left alone; so nobody knows yet that it is gone.

use std::sync::Arc;
use std::time::Instant;

use super::Plan;
use crate::balance::pick::Picked;
use crate::balance::tried::Tried;
use crate::refusal::Refusal;
use crate::world::endpoint::Pool;

impl Plan {
    /// None: all were asked.
    pub(super) fn search_on(&self, pool: &Pool, tried: &Tried, now: Instant) -> Option<Result<Picked, Refusal>> {
        let mut left_alone = None;
        for endpoint in pool.endpoints.iter().filter(|endpoint| !tried.has(&endpoint.replica)) {
            match self.pass_circuit(endpoint, now) {
                Ok(()) => return Some(Ok(Picked { endpoint: Arc::clone(endpoint), panic: false })),
                Err(refusal) => left_alone = Some(Err(refusal)),
            }
        }
        left_alone
    }
}
