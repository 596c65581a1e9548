use std::sync::Arc;
use std::time::Instant;

use outrigger_model::endpoint::EndpointState;
use outrigger_model::identity::SpiffeId;

use crate::outcome::Outcome;
use crate::tests::Mesh;
use crate::world::endpoint::Place;
use crate::world::table::World;

#[test]
fn every_name_of_a_snapshot_is_found() {
    let world = Mesh::of("weather", 2).and("maps", 1).world(Instant::now());
    assert_eq!(world.route("weather").unwrap().pool.endpoints.len(), 2);
    assert_eq!(world.agent("maps").unwrap().pool.name.as_str(), "maps");
    assert_eq!(world.replica("weather-2").unwrap().agent.as_str(), "weather");
    assert!(world.route("nobody").is_none() && world.replica("weather-3").is_none());
    assert_eq!(world.serial().unwrap().0, 7);
    assert_eq!(World::default().serial(), None);
}

#[test]
fn live_state_outlives_a_world_while_the_endpoint_is_the_same() {
    let now = Instant::now();
    let mesh = Mesh::of("weather", 3);
    let before = mesh.world(now);
    for replica in ["weather-1", "weather-2", "weather-3"] {
        before.replica(replica).unwrap().live.record(Outcome::ConnectFailed, now);
    }
    let changed = mesh.weight("weather-1", 5).generation("weather-2", 2).address("weather-3", "127.0.0.1:1");
    let after = changed.after(&before, now).unwrap();
    let ejected = |replica| after.replica(replica).unwrap().live.is_ejected(now);
    assert!(ejected("weather-1"), "another weight is the same endpoint");
    assert!(!ejected("weather-2"), "another generation is another process");
    assert!(!ejected("weather-3"), "another address is another place");
    assert!(Arc::ptr_eq(&before.route("weather").unwrap().pool.live, &after.route("weather").unwrap().pool.live));
}

#[test]
fn live_state_of_what_left_is_dropped_with_the_last_world_that_had_it() {
    let now = Instant::now();
    let before = Mesh::of("weather", 1).world(now);
    let live = Arc::downgrade(&before.replica("weather-1").unwrap().live);
    let after = Mesh::of("weather", 1).without("weather-1").after(&before, now).unwrap();
    drop(before);
    assert!(live.upgrade().is_none());
    assert!(after.route("weather").is_some(), "the route stays and is empty");
}

#[test]
fn the_proxy_believes_its_own_agents_before_control() {
    let now = Instant::now();
    let mesh = Mesh::of("weather", 2).state("weather-1", EndpointState::Suspect).weight("weather-1", 7);
    let world = mesh.clone().own("weather-1", 9, true).world(now);
    let own = &world.route("weather").unwrap().pool.endpoints[0];
    assert!(matches!(own.place, Place::Own { .. }));
    assert_eq!((own.generation.0, own.state, own.weight), (9, EndpointState::Up, 7));

    let world = mesh.own("weather-1", 9, false).world(now);
    let left: Vec<_> = world.route("weather").unwrap().pool.endpoints.iter().map(|e| e.replica.as_str()).collect();
    assert_eq!(left, ["weather-2"], "its port is closed");
    assert!(world.replica("weather-1").is_none());
    assert!(world.own("weather-1").is_some(), "the inbound listener still knows it");
}

#[test]
fn own_agents_are_there_before_any_snapshot() {
    let world = Mesh::default().own("weather-1", 1, true).world(Instant::now());
    assert!(world.own("weather-1").unwrap().is_own() && world.replica("weather-1").is_some());
}

#[test]
fn an_own_agent_keeps_its_live_state_when_it_appears_in_the_mesh() {
    let now = Instant::now();
    let alone = Mesh::default().own("weather-1", 1, true).world(now);
    let joined = Mesh::of("weather", 1).own("weather-1", 1, true).after(&alone, now).unwrap();
    let live = |world: &World| Arc::clone(&world.own("weather-1").unwrap().live);
    assert!(Arc::ptr_eq(&live(&alone), &live(&joined)));
    assert!(Arc::ptr_eq(&live(&joined), &joined.route("weather").unwrap().pool.endpoints[0].live));
}

#[test]
fn an_endpoint_beyond_loopback_must_prove_who_it_is() {
    let now = Instant::now();
    let mut mesh = Mesh::of("weather", 2).address("weather-2", "10.0.0.5:17006");
    let refusal = mesh.after(&World::default(), now).unwrap_err().to_string();
    assert!(refusal.starts_with("Endpoints/weather.endpoints[1].identity:"), "{refusal}");
    mesh.insecure = true;
    assert!(mesh.after(&World::default(), now).is_ok());
    mesh.insecure = false;
    let identity: SpiffeId = "spiffe://mesh.local/agent/weather".parse().unwrap();
    for endpoints in mesh.resources.endpoints.values_mut() {
        endpoints.endpoints.iter_mut().for_each(|endpoint| endpoint.identity = Some(identity.clone()));
    }
    assert!(mesh.after(&World::default(), now).is_ok());
}
