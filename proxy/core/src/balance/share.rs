//! Which share of the calls an endpoint is to get, and how much it has already.
//!
//! Slow start: the weight of an endpoint grows over its first moments, from a tenth, so that one that has just come is not met with
//! everything that the others have too much of.

use std::time::Instant;

use crate::world::endpoint::Endpoint;

/// Of a weight of one.
const WHOLE: u64 = 1_024;
/// What an open stream that only listens counts for, beside calls that are under way.
const CALL: u64 = 16;

/// Its weight at `now`; only comparable with others of these.
pub(super) fn weight(endpoint: &Endpoint, now: Instant) -> u64 {
    let whole = u64::from(endpoint.weight.max(1)) * WHOLE;
    let ramp = endpoint.terms.policy.slow_start;
    if ramp.is_zero() {
        return whole;
    }
    let (age, ramp) = (endpoint.live.age(now).as_micros(), ramp.as_micros());
    if age >= ramp {
        return whole;
    }
    let grown = u64::try_from(u128::from(whole) * age / ramp.max(1)).unwrap_or(whole);
    grown.max(whole / 10)
}

/// What it has to do: its calls, and a little for each stream on which it may have to say something.
pub(super) fn load(endpoint: &Endpoint) -> u64 {
    let count = |count: usize| u64::try_from(count).unwrap_or(u64::MAX / 32);
    count(endpoint.live.in_flight()) * CALL + count(endpoint.live.streams())
}

/// The same with one call more.
pub(super) fn load_with_one_more(endpoint: &Endpoint) -> u64 {
    load(endpoint) + CALL
}
