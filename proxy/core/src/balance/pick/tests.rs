use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use outrigger_model::endpoint::EndpointState;
use outrigger_model::pool::Balance;
use proptest::prelude::{any, prop, prop_assert, prop_assert_eq, proptest};

use super::{By, pick};
use crate::balance::tried::Tried;
use crate::mcp::facts::Caller;
use crate::outcome::Outcome;
use crate::tests::Mesh;
use crate::world::table::World;

fn picks(world: &World, by: By<'_>, times: usize, now: Instant) -> BTreeMap<String, usize> {
    let pool = &world.route("weather").unwrap().pool;
    let mut counts = BTreeMap::new();
    for _ in 0..times {
        let picked = pick(pool, by, &Tried::default(), now).unwrap();
        *counts.entry(picked.endpoint.replica.to_string()).or_default() += 1;
    }
    counts
}

fn counts<const N: usize>(rows: [(&str, usize); N]) -> BTreeMap<String, usize> {
    rows.into_iter().map(|(name, count)| (name.to_owned(), count)).collect()
}

#[test]
fn round_robin_takes_turns_by_weight() {
    let now = Instant::now();
    let even = Mesh::of("weather", 3).balance(Balance::RoundRobin).world(now);
    assert_eq!(picks(&even, By::Balance, 9, now), counts([("weather-1", 3), ("weather-2", 3), ("weather-3", 3)]));
    let uneven = Mesh::of("weather", 2).balance(Balance::RoundRobin).weight("weather-1", 300).world(now);
    let got = picks(&uneven, By::Balance, 400, now);
    assert!((296..=304).contains(&got["weather-1"]), "{got:?}");
}

#[test]
fn least_request_prefers_the_idle_and_takes_turns_among_equals() {
    let now = Instant::now();
    let world = Mesh::of("weather", 3).world(now);
    let busy = world.replica("weather-2").unwrap().live.enter();
    assert_eq!(picks(&world, By::Balance, 8, now), counts([("weather-1", 4), ("weather-3", 4)]));
    drop(busy);
    let world = Mesh::of("weather", 2).weight("weather-1", 200).world(now);
    let _one = [world.replica("weather-1").unwrap().live.enter(), world.replica("weather-2").unwrap().live.enter()];
    assert_eq!(picks(&world, By::Balance, 5, now), counts([("weather-1", 5)]), "half as loaded for its weight");
}

#[test]
fn a_caller_stays_where_it_is_and_few_move_when_a_replica_leaves() {
    let now = Instant::now();
    let whole = Mesh::of("weather", 4).world(now);
    let less = Mesh::of("weather", 4).without("weather-3").world(now);
    let mut homes = BTreeMap::<String, usize>::new();
    for number in 0..400 {
        let caller = Caller::new(&format!("spiffe://mesh.local/agent/a{number}"));
        let (before, _) = picks(&whole, By::Caller(&caller), 3, now).pop_first().unwrap();
        let (after, times) = picks(&less, By::Caller(&caller), 3, now).pop_first().unwrap();
        assert_eq!(times, 3, "always the same");
        assert!(before == after || before == "weather-3", "only callers of the one that left move");
        *homes.entry(before).or_default() += 1;
    }
    assert!(homes.values().all(|callers| (60..=140).contains(callers)), "{homes:?}");
}

#[test]
fn weight_attracts_callers() {
    let now = Instant::now();
    let world = Mesh::of("weather", 2).weight("weather-1", 300).world(now);
    let home = |number| picks(&world, By::Caller(&Caller::new(&format!("c{number}"))), 1, now).pop_first().unwrap().0;
    let heavy = (0..400).filter(|number| home(*number) == "weather-1").count();
    assert!((260..=340).contains(&heavy), "{heavy}");
}

#[test]
fn an_overloaded_home_passes_callers_on() {
    let now = Instant::now();
    let world = Mesh::of("weather", 3).world(now);
    let me = Caller::new("me");
    let (home, _) = picks(&world, By::Caller(&me), 1, now).pop_first().unwrap();
    let live = &world.replica(&home).unwrap().live;
    let mut calls: Vec<_> = (0..16).map(|_| live.enter()).collect();
    assert!(picks(&world, By::Caller(&me), 1, now).contains_key(&home), "a few calls are no overload");
    calls.extend((0..40).map(|_| live.enter()));
    assert!(!picks(&world, By::Caller(&me), 1, now).contains_key(&home));
}

#[test]
fn up_comes_before_suspect_and_draining_gets_nothing_new() {
    let now = Instant::now();
    let mesh =
        Mesh::of("weather", 3).state("weather-1", EndpointState::Suspect).state("weather-2", EndpointState::Draining);
    assert_eq!(picks(&mesh.world(now), By::Balance, 5, now), counts([("weather-3", 5)]));
    assert_eq!(picks(&mesh.without("weather-3").world(now), By::Balance, 5, now), counts([("weather-1", 5)]));
}

#[test]
fn the_ejected_are_avoided_until_nothing_else_is_left() {
    let now = Instant::now();
    let world = Mesh::of("weather", 2).world(now);
    let pool = &world.route("weather").unwrap().pool;
    pool.endpoints[0].live.record(Outcome::ConnectFailed, now);
    assert_eq!(picks(&world, By::Balance, 5, now), counts([("weather-2", 5)]));
    pool.endpoints[1].live.record(Outcome::ConnectFailed, now);
    assert!(pick(pool, By::Balance, &Tried::default(), now).unwrap().panic);
    let later = now + Duration::from_secs(1);
    assert!(!pick(pool, By::Balance, &Tried::default(), later).unwrap().panic);
}

proptest! {
    #[test]
    fn a_pick_is_never_one_that_was_tried_and_fails_only_if_all_were(
        states in prop::collection::vec((0..3u8, any::<bool>(), 1..1000u16), 0..6),
        tried_at in prop::collection::vec(0..6usize, 0..3),
        by_caller in any::<bool>(),
        round_robin in any::<bool>(),
    ) {
        let now = Instant::now();
        let balance = if round_robin { Balance::RoundRobin } else { Balance::LeastRequest };
        let mut mesh = Mesh::of("weather", u16::try_from(states.len()).unwrap()).balance(balance);
        for (at, (state, _, weight)) in states.iter().enumerate() {
            let state = [EndpointState::Up, EndpointState::Suspect, EndpointState::Draining][usize::from(*state)];
            let name = format!("weather-{}", at + 1);
            mesh = mesh.state(&name, state).weight(&name, *weight);
        }
        let world = mesh.world(now);
        let pool = &world.route("weather").unwrap().pool;
        for (endpoint, (_, ejected, _)) in pool.endpoints.iter().zip(&states) {
            if *ejected {
                endpoint.live.record(Outcome::ConnectFailed, now);
            }
        }
        let mut tried = Tried::default();
        for endpoint in tried_at.iter().filter_map(|at| pool.endpoints.get(*at)) {
            tried.add(&endpoint.replica);
        }
        let caller = Caller::new("me");
        let by = if by_caller { By::Caller(&caller) } else { By::Balance };
        let fit = |e: &&std::sync::Arc<crate::world::endpoint::Endpoint>| {
            e.state != EndpointState::Draining && !tried.has(&e.replica)
        };
        match pick(pool, by, &tried, now) {
            Some(picked) => {
                prop_assert!(fit(&&picked.endpoint));
                prop_assert_eq!(picked.panic, pool.endpoints.iter().filter(fit).all(|e| e.live.is_ejected(now)));
            }
            None => prop_assert!(!pool.endpoints.iter().any(|e| fit(&e))),
        }
    }
}
