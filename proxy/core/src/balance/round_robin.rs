//! Each endpoint in turn, by weight.
//!
//! In: the endpoints that may be chosen, and a turn that grows by one per choice. Out: one of them.
//! Equal weights rotate strictly. Unequal ones follow the golden-ratio sequence, which spreads the turns of each endpoint
//! evenly over time and needs no memory, so the set may change from one turn to the next.

use std::sync::Arc;

use crate::world::endpoint::Endpoint;

/// 2^64 divided by the golden ratio.
const GOLDEN: u64 = 0x9e37_79b9_7f4a_7c15;

pub(super) fn choose<'a>(
    endpoints: impl Iterator<Item = &'a Arc<Endpoint>> + Clone,
    turn: u64,
) -> Option<&'a Arc<Endpoint>> {
    let first = endpoints.clone().next()?.weight;
    let (mut count, mut total, mut equal) = (0u64, 0u64, true);
    for endpoint in endpoints.clone() {
        count += 1;
        total += u64::from(endpoint.weight);
        equal &= endpoint.weight == first;
    }
    if equal {
        let at = turn.checked_rem(count)?;
        return endpoints.clone().nth(usize::try_from(at).ok()?);
    }
    let point = (u128::from(turn.wrapping_mul(GOLDEN)) * u128::from(total)) >> 64;
    let mut passed = 0u128;
    endpoints.clone().find(|endpoint| {
        passed += u128::from(endpoint.weight);
        point < passed
    })
}
