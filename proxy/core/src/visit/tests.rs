use http::{StatusCode, Uri};
use outrigger_model::name::{AgentName, ReplicaId};
use outrigger_model::replica::Generation;
use outrigger_model::snapshot::Snapshot;

use super::*;
use crate::outcome::NotReached;
use crate::world::compile::{Own, Rules, compile};

fn world() -> World {
    let own = Own {
        replica: ReplicaId::new("weather-1").expect("name"),
        agent: AgentName::new("weather").expect("name"),
        upstream: Uri::from_static("http://127.0.0.1:8081/mcp"),
        generation: Generation(1),
        serving: false,
    };
    let rules = Rules { plaintext_beyond_loopback: false, seed: 0, zone: String::new() };
    compile(&Snapshot::default(), None, &[own], rules, &World::default(), Instant::now()).expect("a world")
}

#[test]
fn a_peer_reaches_an_own_replica_and_nothing_else() {
    let world = world();
    assert!(visit(&world, Asked::of("/agents/weather-1/mcp")).is_ok());
    let unknown = visit(&world, Asked::of("/agents/weather-2/mcp")).expect_err("not here");
    assert_eq!(unknown, Refusal::UnknownReplica { replica: "weather-2".to_owned() });
    for path in ["/weather/mcp", "/mcp", "/", "/agents/weather-1", "/token", "/agents/weather-1/admin"] {
        assert_eq!(visit(&world, Asked::of(path)).expect_err(path), Refusal::NoSuchPath, "{path}");
    }
}

#[test]
fn an_agent_that_was_not_reached_is_told_as_such() {
    let (endpoint, _) = visit(&world(), Asked::of("/agents/weather-1/mcp")).expect("here");
    let now = Instant::now();
    for outcome in [Outcome::ConnectFailed, Outcome::NotReached(NotReached::Other)] {
        let Verdict::Refuse(refusal) = judge(outcome, &endpoint, now) else { panic!("{outcome:?}") };
        assert!(refusal.reached_nobody(), "{outcome:?}");
    }
    for outcome in [Outcome::Lost, Outcome::TimedOut] {
        let Verdict::Refuse(refusal) = judge(outcome, &endpoint, now) else { panic!("{outcome:?}") };
        assert!(!refusal.reached_nobody(), "{outcome:?}");
    }
    assert_eq!(judge(Outcome::Answered(StatusCode::OK), &endpoint, now), Verdict::Done);
    assert_eq!(judge(Outcome::BrokeOff, &endpoint, now), Verdict::Abort);
}
