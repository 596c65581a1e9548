mod slow;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use http::StatusCode;
use outrigger_model::endpoint::EndpointState;
use outrigger_model::pool::Balance;
use proptest::prelude::{any, prop, prop_assert, prop_assert_eq, proptest};

use super::{By, Missed, pick};
use crate::balance::tried::Tried;
use crate::health::tools::Tool;
use crate::mcp::facts::Caller;
use crate::outcome::Outcome;
use crate::room::Door;
use crate::tests::Mesh;
use crate::world::endpoint::Endpoint;
use crate::world::judged::Ended;
use crate::world::table::World;

fn picks(world: &World, by: By<'_>, times: usize, now: Instant) -> BTreeMap<String, usize> {
    let pool = &world.route("weather").unwrap().pool;
    let mut counts = BTreeMap::new();
    for _ in 0..times {
        let picked = pick(pool, by, &Tried::default(), None, now).unwrap();
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
    assert!(pick(pool, By::Balance, &Tried::default(), None, now).unwrap().panic);
    let later = now + Duration::from_secs(1);
    assert!(!pick(pool, By::Balance, &Tried::default(), None, later).unwrap().panic);
}

/// Every strategy, over replicas of which one is ten times as heavy: each gets its share, and none is forgotten.
#[test]
fn every_replica_gets_its_share_within_bounds() {
    let now = Instant::now();
    for (balance, bounds) in [
        (Balance::RoundRobin, 0.9..1.1),
        (Balance::LeastRequest, 0.0..2.0),
        (Balance::Random, 0.85..1.15),
        (Balance::PeakEwma, 0.0..2.0),
    ] {
        let even = Mesh::of("weather", 5).balance(balance).world(now);
        let got = picks(&even, By::Balance, 5_000, now);
        assert!(got.len() == 5 && got.values().all(|count| (800..1_200).contains(count)), "{balance:?} {got:?}");
        let uneven = Mesh::of("weather", 5).balance(balance).weight("weather-1", 1_000).world(now);
        let got = picks(&uneven, By::Balance, 14_000, now);
        let share = |name: &str| f64::from(u32::try_from(got[name]).unwrap());
        assert!(bounds.contains(&(share("weather-1") / 10_000.0)), "{balance:?} {got:?}");
        assert!(bounds.contains(&(share("weather-2") / 1_000.0)) || bounds.start == 0.0, "{balance:?} {got:?}");
    }
}

#[test]
fn who_answers_slowly_is_asked_less_and_not_never() {
    let mut now = Instant::now();
    let world = Mesh::of("weather", 3).balance(Balance::PeakEwma).world(now);
    let pool = &world.route("weather").unwrap().pool;
    let mut counts = BTreeMap::<String, usize>::new();
    for _ in 0..3_000 {
        let endpoint = pick(pool, By::Balance, &Tried::default(), None, now).unwrap().endpoint;
        let took = Duration::from_millis(if endpoint.replica.as_str() == "weather-2" { 500 } else { 5 });
        endpoint.live.answered_in_time(now, now + took);
        *counts.entry(endpoint.replica.to_string()).or_default() += 1;
        now += Duration::from_millis(20);
    }
    assert!((1..60).contains(&counts["weather-2"]), "{counts:?}");
    assert!(counts["weather-1"] > 1_000 && counts["weather-3"] > 1_000, "{counts:?}");
}

#[test]
fn a_stream_that_only_listens_is_no_call_and_many_of_them_are_some() {
    let now = Instant::now();
    let world = Mesh::of("weather", 2).world(now);
    let live = |name: &str| &world.replica(name).unwrap().live;
    let _streams: Vec<_> = (0..10).map(|_| live("weather-1").enter_stream()).collect();
    assert_eq!((live("weather-1").in_flight(), live("weather-1").streams()), (0, 10));
    let _call = live("weather-2").enter();
    assert_eq!(picks(&world, By::Balance, 4, now), counts([("weather-1", 4)]));
    let _more: Vec<_> = (0..10).map(|_| live("weather-1").enter_stream()).collect();
    assert_eq!(picks(&world, By::Balance, 4, now), counts([("weather-2", 4)]));
}

#[test]
fn calls_spill_over_to_the_next_tier_when_too_few_of_one_can_be_used() {
    let now = Instant::now();
    let mesh = Mesh::of("weather", 6).balance(Balance::RoundRobin);
    let mesh = (5..=6).fold(mesh, |mesh, number| mesh.tier(&format!("weather-{number}"), 1));
    let world = mesh.world(now);
    let fail = |name: &str| world.replica(name).unwrap().live.record(Outcome::ConnectFailed, now);
    let homes = |world: &World| picks(world, By::Balance, 24, now).into_keys().collect::<Vec<_>>();
    assert_eq!(homes(&world), ["weather-1", "weather-2", "weather-3", "weather-4"]);
    fail("weather-1");
    fail("weather-2");
    assert_eq!(homes(&world), ["weather-3", "weather-4"], "a half is enough");
    fail("weather-3");
    assert_eq!(homes(&world), ["weather-4", "weather-5", "weather-6"], "less is not, and what is left goes on");
    fail("weather-4");
    assert_eq!(homes(&world), ["weather-5", "weather-6"]);
    fail("weather-5");
    fail("weather-6");
    assert!(pick(&world.route("weather").unwrap().pool, By::Balance, &Tried::default(), None, now).unwrap().panic);
}

#[test]
fn the_own_zone_comes_first_while_enough_of_it_can_be_used() {
    let now = Instant::now();
    let mesh = Mesh { zone: "a", ..Mesh::of("weather", 4).balance(Balance::RoundRobin) };
    let mesh = [("weather-1", "a"), ("weather-2", "a"), ("weather-3", "b")]
        .into_iter()
        .fold(mesh, |mesh, (replica, zone)| mesh.zone(replica, zone));
    let homes = |world: &World| picks(world, By::Balance, 24, now).into_keys().collect::<Vec<_>>();
    let world = mesh.world(now);
    assert_eq!(homes(&world), ["weather-1", "weather-2"]);
    world.replica("weather-1").unwrap().live.record(Outcome::ConnectFailed, now);
    assert_eq!(homes(&world), ["weather-2"], "a half is enough");
    world.replica("weather-2").unwrap().live.record(Outcome::ConnectFailed, now);
    assert_eq!(homes(&world), ["weather-3", "weather-4"]);
    assert_eq!(homes(&mesh.clone().policy(|policy| policy.prefer_zone = false).world(now)).len(), 4);
    assert_eq!(homes(&Mesh { zone: "", ..mesh.clone() }.world(now)).len(), 4, "where nobody said where this is");
    assert_eq!(homes(&Mesh { zone: "c", ..mesh }.world(now)).len(), 4, "and where nobody is near");
}

#[test]
fn a_new_replica_gets_its_share_little_by_little() {
    let now = Instant::now();
    let slow = |mesh: Mesh| mesh.policy(|policy| policy.slow_start = Duration::from_secs(10));
    let old = slow(Mesh::of("weather", 1)).balance(Balance::Random).world(now);
    let came = now + Duration::from_secs(60);
    let world = slow(Mesh::of("weather", 2)).balance(Balance::Random).after(&old, came).unwrap();
    let share = |now| picks(&world, By::Balance, 2_000, now)["weather-2"];
    let second = Duration::from_secs(1);
    let grown = [came, came + second * 5, came + second * 10].map(share);
    assert!((120..260).contains(&grown[0]), "a tenth at first: {grown:?}");
    assert!((560..780).contains(&grown[1]), "{grown:?}");
    assert!((900..1_100).contains(&grown[2]), "{grown:?}");
}

#[test]
fn an_open_circuit_is_avoided_and_then_one_call_tries() {
    let mut now = Instant::now();
    let world = Mesh::of("weather", 2).balance(Balance::RoundRobin).world(now);
    let bad = world.replica("weather-1").unwrap();
    open(bad, now);
    assert_eq!(picks(&world, By::Balance, 9, now), counts([("weather-2", 9)]));
    now += Duration::from_secs(30);
    assert_eq!(picks(&world, By::Balance, 10, now), counts([("weather-1", 1), ("weather-2", 9)]));
    let began = now;
    now += Duration::from_millis(5);
    bad.record(&Ended { outcome: Outcome::TimedOut, began, tool: None, tool_failed: false }, now);
    now += Duration::from_secs(29);
    assert_eq!(picks(&world, By::Balance, 9, now), counts([("weather-2", 9)]), "open again");
    now += Duration::from_secs(1);
    let good = Ended { outcome: Outcome::Answered(StatusCode::OK), began: now, tool: None, tool_failed: false };
    assert_eq!(picks(&world, By::Balance, 2, now).len(), 2, "the trial");
    bad.record(&good, now);
    assert_eq!(picks(&world, By::Balance, 8, now), counts([("weather-1", 4), ("weather-2", 4)]));
}

#[test]
fn a_pool_whose_circuits_are_all_open_takes_nothing_and_says_for_how_long() {
    let now = Instant::now();
    let world = Mesh::of("weather", 2).world(now);
    let pool = &world.route("weather").unwrap().pool;
    open(&pool.endpoints[0], now);
    let later = now + Duration::from_secs(10);
    open(&pool.endpoints[1], later);
    let missed = pick(pool, By::Balance, &Tried::default(), None, later).unwrap_err();
    assert_eq!(missed, Missed::Open(Duration::from_secs(20)), "until the first of them may be tried");
    let half_open = now + Duration::from_secs(30);
    assert_eq!((0..9).filter(|_| pick(pool, By::Balance, &Tried::default(), None, half_open).is_ok()).count(), 1);
}

#[test]
fn a_tool_is_called_where_it_works() {
    let now = Instant::now();
    let world = Mesh::of("weather", 2).world(now);
    let pool = &world.route("weather").unwrap().pool;
    let (bad, fine) = (Tool::of("forecast"), Tool::of("history"));
    let fail = |at: usize| (0..5).filter(|_| pool.endpoints[at].live.tools.failed(bad, &pool.policy, now)).count();
    assert_eq!(fail(0), 1);
    let homes = |tool, now| {
        let home = |_| pick(pool, By::Balance, &Tried::default(), tool, now).unwrap().endpoint.replica.to_string();
        (0..8).map(home).collect::<std::collections::BTreeSet<_>>().len()
    };
    assert_eq!((homes(Some(bad), now), homes(Some(fine), now), homes(None, now)), (1, 2, 2));
    assert_eq!(homes(Some(bad), now + Duration::from_secs(1)), 2);
    assert_eq!(fail(1), 1);
    assert_eq!(homes(Some(bad), now), 2, "where it works nowhere, anywhere");
}

#[test]
fn who_has_room_comes_before_who_has_none() {
    let now = Instant::now();
    let world = Mesh::of("weather", 3).policy(|policy| policy.concurrency.per_endpoint = Some(1)).world(now);
    let enter = |name: &str| {
        let Door::Inside(inside) = world.replica(name).unwrap().live.room.enter(1, 1, &Arc::default(), 0) else {
            panic!("there is room")
        };
        inside
    };
    let _first = [enter("weather-1"), enter("weather-3")];
    assert_eq!(picks(&world, By::Balance, 5, now), counts([("weather-2", 5)]));
    let _last = enter("weather-2");
    assert_eq!(picks(&world, By::Balance, 6, now).len(), 3, "where there is none, one waits anywhere");
}

fn open(endpoint: &Endpoint, now: Instant) {
    for _ in 0..5 {
        endpoint.record(&Ended { outcome: Outcome::TimedOut, began: now, tool: None, tool_failed: false }, now);
    }
}

proptest! {
    #[test]
    fn a_pick_is_never_one_that_was_tried_and_fails_only_if_all_were(
        states in prop::collection::vec((0..3u8, any::<bool>(), 1..1000u16), 0..6),
        tried_at in prop::collection::vec(0..6usize, 0..3),
        by_caller in any::<bool>(),
        strategy in 0..5usize,
    ) {
        let now = Instant::now();
        let balance = Balance::ALL[strategy];
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
        let fit = |e: &&Arc<Endpoint>| {
            e.state != EndpointState::Draining && !tried.has(&e.replica)
        };
        match pick(pool, by, &tried, None, now) {
            Ok(picked) => {
                prop_assert!(fit(&&picked.endpoint));
                prop_assert_eq!(picked.panic, pool.endpoints.iter().filter(fit).all(|e| e.live.is_ejected(now)));
            }
            Err(_) => prop_assert!(!pool.endpoints.iter().any(|e| fit(&e))),
        }
    }
}
