use super::{Revocations, SessionName};
use crate::digest::Digest;
use crate::name::AgentName;

#[test]
fn what_began_before_a_revocation_is_over_and_what_begins_after_it_is_not() {
    let name = SessionName::of(&Digest::of(b"a"));
    let other = SessionName::of(&Digest::of(b"b"));
    let agent = AgentName::new("weather").unwrap();
    let revoked = |change: fn(&mut Revocations, SessionName, AgentName)| {
        let mut all = Revocations::default();
        change(&mut all, name, agent.clone());
        all
    };
    let one = revoked(|all, name, _| {
        all.sessions.insert(name, 10);
    });
    let of_caller = revoked(|all, _, _| {
        all.callers.insert("desk".to_owned(), 10);
    });
    let of_agent = revoked(|all, _, agent| {
        all.agents.insert(agent, 10);
    });
    for (all, session, caller, began, over) in [
        (&one, name, "desk", 10, true),
        (&one, name, "desk", 11, false),
        (&one, other, "desk", 1, false),
        (&of_caller, other, "desk", 10, true),
        (&of_caller, other, "attic", 10, false),
        (&of_agent, other, "attic", 9, true),
        (&of_agent, other, "attic", 11, false),
    ] {
        assert_eq!(all.ended(session, caller, &agent, began), over, "{all:?} {session} {caller} {began}");
    }
    assert!(Revocations::default().is_empty() && !one.is_empty());
}

#[test]
fn a_session_is_named_by_sixteen_digits() {
    let name = SessionName::of(&Digest::of(b"a"));
    assert_eq!(name.to_string().parse(), Ok(name));
    for text in ["", "12", "+000000000000001", "000000000000000g", "00000000000000001"] {
        let error = text.parse::<SessionName>().unwrap_err();
        assert!(error.to_string().contains("outrigger get sessions"), "{error}");
    }
}
