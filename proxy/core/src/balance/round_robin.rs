//! Each endpoint in turn, by weight.
//!
//! In: the endpoints that may be chosen, and a turn that grows by one per choice. Out: one of them.
//! Equal weights rotate strictly. Unequal ones follow the golden-ratio sequence, which spreads the turns of each endpoint
//! evenly over time and needs no memory, so the set may change from one turn to the next.

use std::sync::Arc;
use std::time::Instant;

use crate::balance::chance::{self, GOLDEN};
use crate::balance::share;
use crate::world::endpoint::Endpoint;

pub(super) fn choose<'a>(
    endpoints: impl Iterator<Item = &'a Arc<Endpoint>> + Clone,
    turn: u64,
    now: Instant,
) -> Option<&'a Arc<Endpoint>> {
    let first = share::weight(endpoints.clone().next()?, now);
    let (mut count, mut total, mut equal) = (0u64, 0u64, true);
    for endpoint in endpoints.clone() {
        let weight = share::weight(endpoint, now);
        count += 1;
        total += weight;
        equal &= weight == first;
    }
    if equal {
        let at = turn.checked_rem(count)?;
        return endpoints.clone().nth(usize::try_from(at).ok()?);
    }
    let point = chance::below(turn.wrapping_mul(GOLDEN), total);
    let mut passed = 0;
    endpoints.clone().find(|endpoint| {
        passed += share::weight(endpoint, now);
        point < passed
    })
}
