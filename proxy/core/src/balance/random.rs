//! One endpoint by chance, by weight.

use std::sync::Arc;
use std::time::Instant;

use crate::balance::{chance, share};
use crate::world::endpoint::Endpoint;

pub(super) fn choose<'a>(
    endpoints: impl Iterator<Item = &'a Arc<Endpoint>> + Clone,
    turn: u64,
    now: Instant,
) -> Option<&'a Arc<Endpoint>> {
    let total: u64 = endpoints.clone().map(|endpoint| share::weight(endpoint, now)).sum();
    let point = chance::below(chance::drawn(turn), total);
    let mut passed = 0;
    endpoints.clone().find(|endpoint| {
        passed += share::weight(endpoint, now);
        point < passed
    })
}
