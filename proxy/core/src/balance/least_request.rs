//! The endpoint with the fewest calls in flight for its weight; those that are equal take turns.

use std::sync::Arc;

use crate::balance::round_robin;
use crate::world::endpoint::Endpoint;

/// In: the endpoints that may be chosen, and a turn. Out: one of them.
pub(super) fn choose<'a>(
    endpoints: impl Iterator<Item = &'a Arc<Endpoint>> + Clone,
    turn: u64,
) -> Option<&'a Arc<Endpoint>> {
    let least = endpoints.clone().map(|endpoint| Load::of(endpoint)).min()?;
    // Counters move while we look; an endpoint may have left the minimum since.
    let at_least = endpoints.clone().filter(|endpoint| Load::of(endpoint) <= least);
    round_robin::choose(at_least, turn).or_else(|| round_robin::choose(endpoints, turn))
}

/// Calls in flight for each unit of weight, comparable without division.
#[derive(Debug, Clone, Copy)]
struct Load {
    in_flight: u64,
    weight: u64,
}

impl Load {
    fn of(endpoint: &Endpoint) -> Self {
        let in_flight = u64::try_from(endpoint.live.in_flight()).unwrap_or(u64::MAX);
        Self { in_flight, weight: u64::from(endpoint.weight.max(1)) }
    }
}

impl Ord for Load {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        let mine = u128::from(self.in_flight) * u128::from(other.weight);
        mine.cmp(&(u128::from(other.in_flight) * u128::from(self.weight)))
    }
}

impl PartialOrd for Load {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Load {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Load {}
