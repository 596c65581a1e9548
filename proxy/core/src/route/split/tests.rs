use std::sync::Arc;
use std::time::Instant;

use super::{choose, mix, part, place};
use crate::outcome::Outcome;
use crate::tests::Mesh;
use crate::world::endpoint::Share;
use crate::world::table::World;

const CALLS: u32 = 100_000;

/// Pools `a`, `b`, … of one replica each, with these weights.
fn shares(world: &World, weights: &[u16]) -> Vec<Share> {
    let names = ["a", "b", "c", "d"];
    let share = |(name, weight): (&&str, &u16)| Share { pool: Arc::clone(world.pool(name).unwrap()), weight: *weight };
    names.iter().zip(weights).map(share).collect()
}

fn world() -> World {
    Mesh::of("a", 1).and("b", 1).and("c", 1).and("d", 1).world(Instant::now())
}

fn chosen(shares: &[Share], point: u64) -> String {
    choose(shares, point, Instant::now()).map_or_else(|| "nobody".to_owned(), |share| share.pool.name.to_string())
}

#[test]
fn each_pool_gets_its_share_of_100_000_calls() {
    let world = world();
    for weights in
        [[90, 10, 0, 0], [1, 1, 1, 1], [999, 1, 0, 0], [50, 30, 15, 5], [0, 0, 0, 7], [1000, 1000, 1000, 1000]]
    {
        let shares = shares(&world, &weights);
        let sum: u32 = weights.iter().map(|weight| u32::from(*weight)).sum();
        for seed in 0..5_u64 {
            let mut counts = [0_u32; 4];
            for call in 0..u64::from(CALLS) {
                let pool = chosen(&shares, mix(seed << 32 | call));
                counts[usize::from(pool.as_bytes()[0] - b'a')] += 1;
            }
            for (weight, count) in weights.iter().zip(counts) {
                let wanted = f64::from(CALLS) * f64::from(*weight) / f64::from(sum);
                // Five standard deviations: of the 120 counts here none is beyond by chance.
                let bound = 5.0 * (wanted * (1.0 - wanted / f64::from(CALLS))).sqrt();
                assert!((f64::from(count) - wanted).abs() <= bound, "seed {seed}: {weights:?} got {counts:?}");
            }
        }
    }
}

#[test]
fn callers_are_spread_by_weight_and_each_stays_where_it_is() {
    let world = world();
    let shares = shares(&world, &[90, 10]);
    let callers: Vec<String> = (0..10_000).map(|number| format!("spiffe://mesh.local/agent/agent-{number}")).collect();
    let of = |route: &str| callers.iter().map(|caller| chosen(&shares, place(route, caller))).collect::<Vec<_>>();
    let first = of("shop");
    let canary = first.iter().filter(|pool| *pool == "b").count();
    assert!((850..=1_150).contains(&canary), "{canary} of 10,000");
    assert_eq!(of("shop"), first, "the same again");
    assert_ne!(of("lookup"), first, "at another route others are first to try");
}

#[test]
fn a_share_that_grows_takes_from_the_other_and_gives_nothing_back() {
    let world = world();
    let mut before: Vec<String> = vec!["a".to_owned(); 2_000];
    for weight in [0, 1, 5, 10, 25, 50, 90, 99, 100] {
        let shares = shares(&world, &[100 - weight, weight]);
        let now: Vec<String> = (0..2_000).map(|at| chosen(&shares, place("shop", &format!("caller-{at}")))).collect();
        let went_back = before.iter().zip(&now).filter(|(before, now)| *before == "b" && *now == "a").count();
        assert_eq!(went_back, 0, "at {weight} %");
        before = now;
    }
    assert!(before.iter().all(|pool| pool == "b"));
}

#[test]
fn who_takes_no_calls_is_passed_over_and_the_callers_of_others_stay() {
    let now = Instant::now();
    let (all, mesh) = (world(), Mesh::of("a", 1).and("b", 1).and("c", 1).and("d", 1).without("b-1"));
    let gone = mesh.world(now);
    let weights = [50, 30, 20];
    for caller in 0..1_000 {
        let point = place("shop", &format!("caller-{caller}"));
        let (before, after) = (chosen(&shares(&all, &weights), point), chosen(&shares(&gone, &weights), point));
        assert!(after != "b" && (before == after || before == "b"), "{before} to {after}");
    }
    // An endpoint that refuses connections takes no calls either.
    all.pool("b").unwrap().endpoints[0].live.record(Outcome::ConnectFailed, now);
    assert!(
        (0..1_000).all(|point| choose(&shares(&all, &weights), mix(point), now).unwrap().pool.name.as_str() != "b")
    );
    // Nobody else has a share.
    assert_eq!(chosen(&shares(&gone, &[0, 1]), 7), "b");
    assert_eq!(chosen(&shares(&gone, &[0, 0]), 7), "nobody");
}

#[test]
fn a_part_is_within_its_range_at_both_ends() {
    for of in [1, 2, 100, 8_000, u32::MAX] {
        assert_eq!((part(0, of), part(u64::MAX, of)), (0, of - 1));
    }
    assert_eq!(part(u64::MAX, 0), 0);
}
