use http::{StatusCode, Uri};
use outrigger_model::name::{AgentName, ReplicaId};
use outrigger_model::replica::Generation;
use outrigger_model::snapshot::Snapshot;

use super::*;
use crate::outcome::NotReached;
use crate::world::compile::{Own, Rules, compile};

fn world() -> World {
    world_of(&["weather-1"])
}

fn world_of(replicas: &[&str]) -> World {
    let own = |replica: &&str| Own {
        replica: ReplicaId::new(replica).expect("name"),
        agent: AgentName::new("weather").expect("name"),
        upstream: Uri::from_static("http://127.0.0.1:8081/mcp"),
        generation: Generation(1),
        serving: false,
    };
    let own: Vec<Own> = replicas.iter().map(own).collect();
    let rules = Rules { plaintext_beyond_loopback: false, seed: 0, zone: String::new() };
    compile(&Snapshot::default(), None, &own, rules, &World::default(), Instant::now()).expect("a world")
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
fn a_peer_that_names_an_agent_reaches_its_only_replica_and_none_is_guessed() {
    let (only, _) = visit(&world(), Asked::of("/agents/weather/mcp")).expect("the only one");
    assert_eq!(only.replica.as_str(), "weather-1");
    let two = world_of(&["weather-1", "weather-2"]);
    let unknown = visit(&two, Asked::of("/agents/weather/mcp")).expect_err("one of two");
    assert_eq!(unknown, Refusal::UnknownReplica { replica: "weather".to_owned() });
    let named = world_of(&["weather", "weather-2"]);
    let (named, _) = visit(&named, Asked::of("/agents/weather/mcp")).expect("a replica of that name comes first");
    assert_eq!(named.replica.as_str(), "weather");
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
