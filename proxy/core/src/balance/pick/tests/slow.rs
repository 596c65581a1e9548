//! One slow replica of three, simulated: arrivals and answers drawn from a seed, on a clock that nobody waits for.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::time::{Duration, Instant};

use outrigger_model::pool::Balance;

use super::{By, pick};
use crate::balance::chance;
use crate::balance::tried::Tried;
use crate::tests::Mesh;

const CALLS: usize = 30_000;
/// Of which these are not counted: nobody knows yet who is slow.
const FIRST: usize = 3_000;
const SERVICE_MICROS: u64 = 10_000;
/// One call a millisecond, in the mean.
const BETWEEN_MICROS: u64 = 1_000;

/// The time that 99 of 100 calls take at most, where `weather-2` takes so many times as long as the others.
fn p99(balance: Balance, slower: u64, seed: u64) -> u64 {
    let began = Instant::now();
    let world = Mesh::of("weather", 3).balance(balance).world(began);
    let pool = &world.route("weather").unwrap().pool;
    let mut drawn = (0..).map(|step| chance::drawn(seed.wrapping_mul(1_000_003).wrapping_add(step)));
    let mut below = |end| chance::below(drawn.next().unwrap(), end);
    let at = |micros: u64| began + Duration::from_micros(micros);
    let (mut now, mut ends, mut calls) = (0, BinaryHeap::new(), Vec::new());
    let mut took = Vec::new();
    for _ in 0..CALLS {
        now += below(2 * BETWEEN_MICROS);
        while let Some(Reverse((end, number))) = ends.peek().copied().filter(|Reverse((end, _))| *end <= now) {
            ends.pop();
            let call: &mut Option<(std::sync::Arc<crate::live::Live>, _, u64)> = &mut calls[number];
            let (live, _in_flight, sent) = call.take().unwrap();
            live.answered_in_time(at(sent), at(end));
        }
        let picked = pick(pool, By::Balance, &Tried::default(), None, at(now)).unwrap();
        let live = &picked.endpoint.live;
        let factor = if picked.endpoint.replica.as_str() == "weather-2" { slower } else { 1 };
        let takes = factor * (SERVICE_MICROS * 8 / 10 + below(SERVICE_MICROS * 4 / 10));
        ends.push(Reverse((now + takes, calls.len())));
        calls.push(Some((std::sync::Arc::clone(live), live.enter(), now)));
        took.push(takes);
    }
    let mut counted = took.split_off(FIRST);
    counted.sort_unstable();
    counted[counted.len() * 99 / 100]
}

#[test]
fn one_slow_replica_of_three_is_not_seen_at_the_99th_percentile() {
    for seed in 1..=3 {
        for slower in [5, 20, 100] {
            let (healthy, hurt) = (p99(Balance::PeakEwma, 1, seed), p99(Balance::PeakEwma, slower, seed));
            assert!(hurt * 10 <= healthy * 13, "{slower} times slower, seed {seed}: {hurt} for {healthy}");
        }
        // Who counts only calls sends as many as are answered: a share of one in so many times as slow, which is still one in a hundred.
        let (healthy, hurt) = (p99(Balance::LeastRequest, 1, seed), p99(Balance::LeastRequest, 20, seed));
        assert!(hurt > healthy * 2, "seed {seed}: {hurt} for {healthy}");
    }
}
