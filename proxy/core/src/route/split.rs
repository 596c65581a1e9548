//! Shares the calls of a branch among its pools.
//!
//! In: the shares, a point in the whole range of numbers, `now`. Out: the share that the point falls into.
//! A share whose pool can take no call is passed over, and its points go to the others of the same branch in their proportion; the points of
//! those stay where they are. Where no pool can take a call the point decides as if all could, and the call is refused there.
//! Invariants: the same point falls into the same share while the same pools take calls; of two pools of which one gets more, no
//! point moves to the one that gets less.

use std::time::Instant;

use outrigger_model::endpoint::EndpointState;

use crate::balance::chance;
use crate::world::endpoint::{Pool, Share};

/// None where nothing has any weight.
pub fn choose(shares: &[Share], point: u64, now: Instant) -> Option<&Share> {
    let fallen = by_weight(shares, point, |_| true)?;
    if takes_calls(&fallen.pool, now) {
        return Some(fallen);
    }
    by_weight(shares, mix(point), |share| takes_calls(&share.pool, now)).or(Some(fallen))
}

fn by_weight(shares: &[Share], point: u64, counts: impl Fn(&Share) -> bool) -> Option<&Share> {
    let weighed = || shares.iter().filter(|share| counts(share));
    let mut left = part(point, weighed().map(|share| u32::from(share.weight)).sum());
    weighed().find(|share| {
        let weight = u32::from(share.weight);
        let is_inside = left < weight;
        left = left.saturating_sub(weight);
        is_inside
    })
}

fn takes_calls(pool: &Pool, now: Instant) -> bool {
    pool.endpoints.iter().any(|endpoint| endpoint.state != EndpointState::Draining && !endpoint.live.is_ejected(now))
}

/// Where a point of the whole range lies in `0..of`.
#[expect(clippy::cast_possible_truncation, reason = "the product divided by 2^64 is below `of`")]
pub fn part(point: u64, of: u32) -> u32 {
    ((u128::from(point) * u128::from(of)) >> 64) as u32
}

/// The point of a caller at a route. Every proxy and every build finds the same.
pub fn place(route: &str, caller: &str) -> u64 {
    mix(chance::fnv(caller) ^ mix(chance::fnv(route)))
}

/// Draws another number from one.
pub const fn mix(bits: u64) -> u64 {
    chance::mix(bits.wrapping_add(chance::GOLDEN))
}

#[cfg(test)]
mod tests;
