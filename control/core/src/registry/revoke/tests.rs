use super::*;
use crate::fixture::{Mesh, kinds};
use crate::registry::{Applied, Command};
use crate::revocation::Full;
use outrigger_model::revocation::REVOCATIONS_MAX;

fn agent(name: &str) -> Target {
    Target::parse("agent", name).unwrap()
}

fn revoke(mesh: &mut Mesh, name: &str) -> Applied {
    mesh.apply(Command::Revoke { target: agent(name), reason: "stolen\nkey".to_owned() })
}

fn now(mesh: &Mesh) -> u64 {
    unix_seconds(crate::fixture::at(mesh.seconds).time)
}

#[test]
fn a_revocation_is_an_event_is_stored_and_makes_a_snapshot() {
    let mut mesh = Mesh::new();
    let applied = revoke(&mut mesh, "weather");
    assert_eq!(applied.answer, Answer::Revoked { at: now(&mesh) });
    assert_eq!(kinds(&applied.events), [EventKind::SessionsRevoked]);
    assert_eq!(
        (applied.events[0].subject.as_str(), applied.events[0].detail.as_str()),
        ("agent weather", "stolen key")
    );
    assert!(applied.is_relevant);
    assert_eq!(applied.revoked, Some(agent("weather")));
    assert_eq!(mesh.registry.book().get(&agent("weather")).unwrap().reason, "stolen key");
}

#[test]
fn the_same_again_in_the_same_second_is_answered_and_changes_nothing() {
    let mut mesh = Mesh::new();
    let first = revoke(&mut mesh, "weather");
    let again = revoke(&mut mesh, "weather");
    assert_eq!(again, Applied { answer: first.answer, ..Applied::default() });
}

#[test]
fn a_revocation_leaves_once_no_session_can_be_older() {
    let mut mesh = Mesh::new();
    revoke(&mut mesh, "weather");
    let kept = mesh.registry.rules().revocations_kept.as_secs();
    mesh.seconds += kept;
    assert!(mesh.apply(Command::Sweep).released.is_empty());
    mesh.seconds += 1;
    let applied = mesh.apply(Command::Sweep);
    assert_eq!((applied.released, applied.released_before), (vec![agent("weather")], now(&mesh) - kept));
    assert!(applied.is_relevant && mesh.registry.book().revocations().is_empty());
}

#[test]
fn a_full_book_is_an_answer_and_no_event() {
    let mut mesh = Mesh::new();
    for number in 0..REVOCATIONS_MAX {
        revoke(&mut mesh, &format!("agent-{number}"));
    }
    let applied = revoke(&mut mesh, "one-more");
    assert_eq!(applied, Applied { answer: Answer::NotRevoked(Full), ..Applied::default() });
}
