use std::time::Instant;

use outrigger_model::revocation::Revocations;

use super::*;
use crate::tests::Mesh;

const BEGAN: u64 = 1_700_000_000;
const LIFETIME: u64 = 30 * 86_400;

fn name() -> SessionName {
    "0123456789abcdef".parse().unwrap()
}

fn weather() -> AgentName {
    AgentName::new("weather").unwrap()
}

fn held(began: Option<u64>) -> Held {
    Held { name: Some(name()), kind: KeyKind::Session, began }
}

fn over(held: Held, world: &World, unix: u64) -> Option<Over> {
    held.over(world, &weather(), Some(&Caller::new("planner")), unix)
}

fn world(change: impl FnOnce(&mut Revocations)) -> World {
    let mut mesh = Mesh::of("weather", 1);
    change(&mut mesh.resources.revocations);
    mesh.world(Instant::now())
}

#[test]
fn a_session_ends_by_its_name_its_caller_or_its_agent() {
    let worlds = [
        world(|all| _ = all.sessions.insert(name(), BEGAN)),
        world(|all| _ = all.callers.insert("planner".to_owned(), BEGAN)),
        world(|all| _ = all.agents.insert(weather(), BEGAN)),
    ];
    for world in worlds {
        assert_eq!(over(held(Some(BEGAN)), &world, BEGAN + 1), Some(Over::Revoked));
    }
    let others = world(|all| {
        all.sessions.insert("fedcba9876543210".parse().unwrap(), BEGAN);
        all.callers.insert("desk".to_owned(), BEGAN);
        all.agents.insert(AgentName::new("news").unwrap(), BEGAN);
    });
    assert_eq!(over(held(Some(BEGAN)), &others, BEGAN + 1), None);
}

#[test]
fn what_begins_after_the_revocation_of_its_caller_or_agent_goes_on() {
    let world = world(|all| {
        all.callers.insert("planner".to_owned(), BEGAN);
        all.agents.insert(weather(), BEGAN);
    });
    assert_eq!(over(held(Some(BEGAN + 1)), &world, BEGAN + 1), None);
}

#[test]
fn a_name_stays_revoked_whatever_a_store_learned_later() {
    let world = world(|all| _ = all.sessions.insert(name(), BEGAN));
    assert_eq!(over(held(Some(BEGAN + 9)), &world, BEGAN + 9), Some(Over::Revoked));
    assert_eq!(over(held(None), &world, BEGAN + 9), Some(Over::Revoked));
}

#[test]
fn what_no_store_knows_may_have_begun_before_unless_its_caller_makes_it_up() {
    let world = world(|all| _ = all.callers.insert("planner".to_owned(), BEGAN));
    let kind = |kind| over(Held { kind, ..held(None) }, &world, BEGAN + 9);
    assert_eq!(kind(KeyKind::Session), Some(Over::Revoked));
    assert_eq!(kind(KeyKind::Task), Some(Over::Revoked));
    assert_eq!(kind(KeyKind::State), Some(Over::Revoked));
    assert_eq!(kind(KeyKind::Handle), None);
}

#[test]
fn a_session_ends_with_its_lifetime_however_much_it_is_used() {
    let world = world(|_| ());
    assert_eq!(over(held(Some(BEGAN)), &world, BEGAN + LIFETIME - 1), None);
    assert_eq!(over(held(Some(BEGAN)), &world, BEGAN + LIFETIME), Some(Over::Aged));
    assert_eq!(over(held(None), &world, BEGAN + LIFETIME), None, "nobody knows when it began");
}

#[test]
fn stores_keep_no_session_beyond_its_end() {
    let (idle, lifetime) = (Duration::from_secs(3_600), Duration::from_secs(7_200));
    let kept = |unix| {
        let idle = idle_left(idle, lifetime, BEGAN, unix);
        idle + idle / 10
    };
    assert_eq!(idle_left(idle, lifetime, BEGAN, BEGAN), idle);
    for unix in (BEGAN..BEGAN + 7_198).step_by(97) {
        assert!(Duration::from_secs(unix - BEGAN) + kept(unix) <= lifetime + Duration::from_secs(1), "{unix}");
    }
    assert_eq!(idle_left(idle, lifetime, BEGAN, BEGAN + 9_999), Duration::from_secs(1));
}
