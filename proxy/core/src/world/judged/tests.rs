use std::time::{Duration, Instant};

use http::StatusCode;

use super::Ended;
use crate::health::circuit::{State, Turn};
use crate::health::tools::Tool;
use crate::outcome::{Limit, NotReached, Outcome};
use crate::tests::Mesh;
use crate::world::table::World;

fn ended(outcome: Outcome, began: Instant) -> Ended {
    Ended { outcome, began, tool: None, tool_failed: false }
}

fn ejected(world: &World, now: Instant) -> usize {
    world.replicas().into_iter().filter(|endpoint| endpoint.live.is_ejected(now)).count()
}

/// (outcome, whether some of them in a row open the circuit, whether one ejects)
#[test]
fn each_outcome_says_one_thing_about_the_endpoint() {
    let status = |code| Outcome::Answered(StatusCode::from_u16(code).unwrap());
    for (outcome, opens, ejects) in [
        (Outcome::ConnectFailed, false, true),
        (Outcome::NotReached(NotReached::AgentUnreachable), false, true),
        (Outcome::NotReached(NotReached::UnknownReplica), false, true),
        (Outcome::NotReached(NotReached::Overloaded), false, false),
        (Outcome::NotReached(NotReached::Draining), false, false),
        (status(200), false, false),
        (status(404), false, false),
        (status(429), false, false),
        (status(501), false, false),
        (status(500), true, false),
        (status(502), true, false),
        (status(503), true, false),
        (status(504), true, false),
        (Outcome::Lost, true, false),
        (Outcome::TimedOut, true, false),
        (Outcome::BrokeOff, true, false),
        (Outcome::TookTooLong, false, false),
        (Outcome::CutOff(Limit::Idle), false, false),
        (Outcome::CallerLeft, false, false),
    ] {
        let mut now = Instant::now();
        let world = Mesh::of("weather", 2).world(now);
        let endpoint = world.replica("weather-1").unwrap();
        for _ in 0..5 {
            now += Duration::from_millis(1);
            endpoint.record(&ended(outcome, now), now);
        }
        assert_eq!(endpoint.live.circuit_state(now) != State::Closed, opens, "{outcome:?}");
        assert_eq!(endpoint.live.is_ejected(now), ejects, "{outcome:?}");
    }
}

#[test]
fn no_more_are_ejected_than_the_cap_says_and_one_may_always_be() {
    for (share, replicas, most) in [(0, 4, 1), (50, 4, 2), (50, 5, 3), (10, 4, 1), (100, 4, 4)] {
        let born = Instant::now();
        let now = born + Duration::from_millis(10);
        let mesh = Mesh::of("weather", replicas).policy(|policy| policy.outlier.share_max_percent = share);
        let world = mesh.world(born);
        for endpoint in world.replicas() {
            endpoint.record(&ended(Outcome::ConnectFailed, now), now);
            assert_eq!(endpoint.live.failing_since(), Some(now), "it fails, ejected or not");
        }
        assert_eq!(ejected(&world, now), most, "{share} % of {replicas}");
        let later = now + Duration::from_secs(1);
        assert_eq!(ejected(&world, later), 0, "they come back");
        world.replica("weather-4").unwrap().record(&ended(Outcome::ConnectFailed, later), later);
        assert!(world.replica("weather-4").unwrap().live.is_ejected(later), "and leave room for another one");
    }
}

#[test]
fn an_ejection_grows_up_to_the_limit_of_its_pool() {
    let mut now = Instant::now();
    let seconds = Duration::from_secs;
    let mesh = Mesh::of("weather", 1).policy(|policy| {
        (policy.outlier.first, policy.outlier.longest) = (seconds(2), seconds(5));
    });
    let world = mesh.world(now);
    let endpoint = world.replica("weather-1").unwrap();
    for expected in [2, 4, 5, 5] {
        let learnt = endpoint.record(&ended(Outcome::ConnectFailed, now), now);
        assert_eq!(learnt.ejected, Some(seconds(expected)));
        assert_eq!(endpoint.record(&ended(Outcome::ConnectFailed, now), now).ejected, None, "told once");
        now += seconds(expected);
    }
}

#[test]
fn a_tool_that_fails_is_put_aside_and_its_endpoint_is_not() {
    let mut now = Instant::now();
    let world = Mesh::of("weather", 2).world(now);
    let endpoint = world.replica("weather-1").unwrap();
    let tool = Some(Tool::of("forecast"));
    let good = Outcome::Answered(StatusCode::OK);
    let mut put_aside = Vec::new();
    for _ in 0..5 {
        now += Duration::from_millis(1);
        let failed = Ended { outcome: good, began: now, tool, tool_failed: true };
        put_aside.push(endpoint.record(&failed, now).tool_put_aside);
    }
    assert_eq!(put_aside, [false, false, false, false, true]);
    assert_eq!(endpoint.live.circuit_state(now), State::Closed);
    endpoint.record(&Ended { tool, ..ended(good, now) }, now);
    assert!(!endpoint.live.tools.is_any_failing());
}

#[test]
fn an_answer_to_the_trial_closes_the_circuit() {
    let now = Instant::now();
    let world = Mesh::of("weather", 1).world(now);
    let endpoint = world.replica("weather-1").unwrap();
    let turns: Vec<_> = (0..5).map(|_| endpoint.record(&ended(Outcome::TimedOut, now), now).circuit).collect();
    assert_eq!(turns, [None, None, None, None, Some(Turn::Opened)]);
    let later = now + Duration::from_secs(30);
    assert!(endpoint.live.passes_circuit(&endpoint.terms.policy.breaker, later));
    let answered = ended(Outcome::Answered(StatusCode::OK), later);
    assert_eq!(endpoint.record(&answered, later).circuit, Some(Turn::Closed));
}
