//! The endpoint with the fewest calls in flight for its weight; those that are equal take turns.
//!
//! A stream that only listens counts as a sixteenth of a call: it costs its agent next to nothing, and many of them are something.

use std::sync::Arc;
use std::time::Instant;

use crate::balance::{round_robin, share};
use crate::world::endpoint::Endpoint;

/// In: the endpoints that may be chosen, and a turn. Out: one of them.
pub(super) fn choose<'a>(
    endpoints: impl Iterator<Item = &'a Arc<Endpoint>> + Clone,
    turn: u64,
    now: Instant,
) -> Option<&'a Arc<Endpoint>> {
    let least = endpoints.clone().map(|endpoint| Load::of(endpoint, now)).min()?;
    // Counters move while we look; an endpoint may have left the minimum since.
    let at_least = endpoints.clone().filter(|endpoint| Load::of(endpoint, now) <= least);
    round_robin::choose(at_least, turn, now).or_else(|| round_robin::choose(endpoints, turn, now))
}

/// What is to be done for each unit of weight, comparable without division.
#[derive(Debug, Clone, Copy)]
struct Load {
    load: u64,
    weight: u64,
}

impl Load {
    fn of(endpoint: &Endpoint, now: Instant) -> Self {
        Self { load: share::load(endpoint), weight: share::weight(endpoint, now) }
    }
}

impl Ord for Load {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        let mine = u128::from(self.load) * u128::from(other.weight);
        mine.cmp(&(u128::from(other.load) * u128::from(self.weight)))
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
