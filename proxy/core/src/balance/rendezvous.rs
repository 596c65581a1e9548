//! Rendezvous hashing: one caller stays on one endpoint while that one lives, and few move when the set changes.
//!
//! In: a caller, the endpoints that may be chosen. Out: the one with the highest score of those that are not overloaded.
//! Bounded load: an endpoint with more than 1.25 times the mean of calls in flight, and more than a small floor, passes
//! the call on to the next in the caller's order. State that only affinity keeps together is worth more than an even
//! spread of a few calls, hence the floor.
//! Invariant: the order depends on caller, replica and weight alone, so all proxies of one caller agree on it; a weight that still grows
//! (slow start) counts as whole, or callers would move while it does.

use std::sync::Arc;

use outrigger_model::name::ReplicaId;

use crate::balance::chance::{fnv, mix};
use crate::mcp::facts::Caller;
use crate::world::endpoint::Endpoint;

/// Calls in flight up to which an endpoint always keeps its callers.
const IN_FLIGHT_FLOOR: usize = 16;

pub(super) fn choose<'a>(
    endpoints: impl Iterator<Item = &'a Arc<Endpoint>> + Clone,
    caller: &Caller,
) -> Option<&'a Arc<Endpoint>> {
    let (count, total) =
        endpoints.clone().fold((0, 0), |(count, total), endpoint| (count + 1, total + endpoint.live.in_flight()));
    let limit = (total * 5).checked_div(count * 4)?.max(IN_FLIGHT_FLOOR);
    let calm = endpoints.clone().filter(|endpoint| endpoint.live.in_flight() <= limit);
    let caller = fnv(caller.as_str());
    best(calm, caller).or_else(|| best(endpoints, caller))
}

fn best<'a>(endpoints: impl Iterator<Item = &'a Arc<Endpoint>>, caller: u64) -> Option<&'a Arc<Endpoint>> {
    endpoints.map(|endpoint| (score(caller, endpoint), endpoint)).max_by(|a, b| a.0.total_cmp(&b.0)).map(|best| best.1)
}

/// Weighted rendezvous: `weight / -ln(u)` for a `u` in (0, 1) that caller and replica fix.
fn score(caller: u64, endpoint: &Endpoint) -> f64 {
    let u = unit(caller, &endpoint.replica);
    f64::from(endpoint.weight) / -u.ln()
}

#[expect(clippy::cast_precision_loss, reason = "53 bits fit a double exactly")]
fn unit(caller: u64, replica: &ReplicaId) -> f64 {
    let mixed = mix(caller ^ mix(fnv(replica.as_str())));
    ((mixed >> 11) as f64 + 0.5) / (1u64 << 53) as f64
}
