use std::time::{Duration, Instant};

use outrigger_model::endpoint::EndpointState;
use outrigger_model::pool::Balance;

use super::{Passed, preview};
use crate::balance::pick::{By, pick};
use crate::balance::tried::Tried;
use crate::health::circuit::State;
use crate::health::tools::Tool;
use crate::outcome::Outcome;
use crate::room::Door;
use crate::tests::Mesh;
use crate::world::endpoint::Endpoint;
use crate::world::judged::Ended;
use crate::world::table::World;

/// Answers so badly that its circuit opens.
fn open(endpoint: &Endpoint, now: Instant) {
    for _ in 0..5 {
        endpoint.record(&Ended { outcome: Outcome::TimedOut, began: now, tool: None, tool_failed: false }, now);
    }
}

fn order(world: &World, now: Instant) -> Vec<String> {
    let seen = preview(&world.route("weather").unwrap().pool, By::Balance, None, now);
    seen.order.iter().map(|endpoint| endpoint.replica.to_string()).collect()
}

#[test]
fn the_order_is_the_one_in_which_a_call_goes_and_looking_changes_nothing() {
    let now = Instant::now();
    for balance in Balance::ALL {
        let mesh = Mesh::of("weather", 5).balance(balance).weight("weather-2", 300);
        let world = mesh.state("weather-3", EndpointState::Suspect).world(now);
        world.replica("weather-4").unwrap().live.record(Outcome::ConnectFailed, now);
        for _ in 0..7 {
            let (seen, again) = (order(&world, now), order(&world, now));
            assert_eq!(seen, again, "{balance:?}");
            let pool = &world.route("weather").unwrap().pool;
            let mut tried = Tried::default();
            while let Ok(picked) = pick(pool, By::Balance, &tried, None, now) {
                tried.add(&picked.endpoint.replica);
                assert_eq!(seen.get(tried.count() - 1), Some(&picked.endpoint.replica.to_string()), "{balance:?}");
            }
            assert_eq!(tried.count(), seen.len(), "{balance:?}");
        }
    }
}

#[test]
fn every_endpoint_that_is_passed_over_says_why() {
    let now = Instant::now();
    let mesh = Mesh::of("weather", 9).zone("weather-1", "a").zone("weather-2", "a").tier("weather-3", 1);
    let mesh = Mesh { zone: "a", ..mesh }.state("weather-4", EndpointState::Draining);
    let mesh = mesh.state("weather-5", EndpointState::Suspect).policy(|policy| {
        policy.panic_percent = 10;
        policy.prefer_zone = true;
        policy.concurrency.per_endpoint = Some(1);
    });
    let world = mesh.world(now);
    let endpoint = |number: usize| world.replica(&format!("weather-{number}")).unwrap();
    endpoint(6).live.record(Outcome::ConnectFailed, now);
    open(endpoint(7), now);
    let (tool, pool) = (Tool::of("increment"), &world.route("weather").unwrap().pool);
    for _ in 0..5 {
        endpoint(8).live.tools.failed(tool, &endpoint(8).terms.policy, now);
    }
    let Door::Inside(_inside) = endpoint(2).live.room.enter(0, 1, &pool.live.crowd, 0) else { panic!("it has room") };
    let seen = preview(pool, By::Balance, Some(tool), now);
    assert_eq!(
        seen.passed,
        [
            None,
            Some(Passed::Full),
            Some(Passed::OtherTier),
            Some(Passed::Draining),
            Some(Passed::Suspect),
            Some(Passed::Ejected),
            Some(Passed::CircuitOpen),
            Some(Passed::ToolPutAside),
            Some(Passed::OtherZone),
        ]
    );
    assert!(!seen.panic && seen.order.len() == 7, "{:?}", seen.order);
}

#[test]
fn the_trial_of_a_circuit_is_left_to_a_call() {
    let mut now = Instant::now();
    let world = Mesh::of("weather", 1).world(now);
    let bad = world.replica("weather-1").unwrap();
    open(bad, now);
    let pool = &world.route("weather").unwrap().pool;
    assert!(preview(pool, By::Balance, None, now).missed.is_some() && order(&world, now).is_empty());
    now += Duration::from_secs(30);
    for _ in 0..3 {
        assert_eq!(order(&world, now), ["weather-1"]);
        assert_eq!(bad.live.circuit_state(now), State::HalfOpen);
    }
    assert!(pick(pool, By::Balance, &Tried::default(), None, now).is_ok(), "it was not used up");
    assert!(pick(pool, By::Balance, &Tried::default(), None, now).is_err());
}
