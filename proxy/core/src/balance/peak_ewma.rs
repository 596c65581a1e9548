//! The better of two endpoints taken by chance: by the square of how long its answers take, times what it has to do, for its weight.
//!
//! Why the square: agents work at several calls at once, so a slow one with nothing to do is still slower than a fast one with some; and
//! where calls do queue, the time of answers says so by itself.
//! Why two and not all: whoever looks at all sends every call of a moment to the same endpoint (Mitzenmacher, the power of two choices).
//! One whose answers are not known yet is tried, once at a time until the first of them comes.

use std::sync::Arc;
use std::time::Instant;

use crate::balance::{chance, share};
use crate::world::endpoint::Endpoint;

/// What the answers of an endpoint are taken to need that has a call and never answered one.
const UNKNOWN_MICROS: f64 = 1_000_000.0;

pub(super) fn choose<'a>(
    endpoints: impl Iterator<Item = &'a Arc<Endpoint>> + Clone,
    turn: u64,
    now: Instant,
) -> Option<&'a Arc<Endpoint>> {
    let count = endpoints.clone().count() as u64;
    let nth = |at: u64| endpoints.clone().nth(usize::try_from(at).ok()?);
    let chance = chance::drawn(turn);
    let first = chance::below(chance, count);
    if count < 2 {
        return nth(first);
    }
    let second = (first + 1 + chance::below(chance::mix(chance), count - 1)) % count;
    match (nth(first), nth(second)) {
        (Some(one), Some(other)) => Some(if cost(other, now) < cost(one, now) { other } else { one }),
        // The set became smaller while we looked.
        (one, other) => one.or(other).or_else(|| endpoints.clone().next()),
    }
}

#[expect(clippy::cast_precision_loss, reason = "an estimate times two small numbers")]
fn cost(endpoint: &Endpoint, now: Instant) -> f64 {
    let seen = endpoint.live.latency(now);
    let takes = match (seen > 0.0, endpoint.live.in_flight()) {
        (true, _) => seen,
        (false, 0) => 0.0,
        (false, _) => UNKNOWN_MICROS,
    };
    takes * takes * share::load_with_one_more(endpoint) as f64 / share::weight(endpoint, now) as f64
}
