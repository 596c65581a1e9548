use std::time::{Duration, Instant};

use http::StatusCode;
use outrigger_model::name::AgentName;
use outrigger_model::revision::Era;

use super::{Asked, Binding, Lesson, Standing, is_due, judge, lesson};
use crate::mcp::facts::{Caller, Verb};
use crate::session::key::{KeyKind, SessionKey};
use crate::tests::Mesh;

const HOUR: Duration = Duration::from_secs(3_600);
const UNIX: u64 = 1_700_000_000;

fn key(id: &[u8]) -> SessionKey {
    SessionKey::of(&AgentName::new("weather").unwrap(), id)
}

#[test]
fn a_session_is_followed_only_by_its_caller_and_only_to_the_process_that_held_it() {
    let mesh = Mesh::of("weather", 2);
    let world = mesh.world(Instant::now());
    let endpoint = world.replica("weather-1").unwrap();
    let binding = Binding::new(KeyKind::Session, endpoint, &Caller::new("me"), UNIX);
    let standing = |binding: &Binding, world, caller| match judge(binding, world, &Caller::new(caller)) {
        Standing::Bound(endpoint) => endpoint.replica.to_string(),
        Standing::Gone => "gone".into(),
        Standing::NotYours => "not yours".into(),
    };
    assert_eq!(standing(&binding, &world, "me"), "weather-1");
    assert_eq!(standing(&binding, &world, "other"), "not yours");
    let restarted = mesh.clone().generation("weather-1", 2).world(Instant::now());
    assert_eq!(standing(&binding, &restarted, "me"), "gone");
    let removed = mesh.without("weather-1").world(Instant::now());
    assert_eq!(standing(&binding, &removed, "me"), "gone");
    assert_eq!(standing(&binding, &removed, "other"), "not yours", "others learn nothing about it");
}

/// 2025-11-25 `basic/transports`: "A server using the Streamable HTTP transport MAY assign a session ID at initialization
/// time, by including it in an MCP-Session-Id header on the HTTP response containing the InitializeResult."
#[test]
fn answers_teach() {
    let world = Mesh::of("weather", 1).world(Instant::now());
    let endpoint = world.replica("weather-1").unwrap();
    let me = Caller::new("me");
    let learn = |id: &[u8]| Lesson::Learn(key(id), Binding::new(KeyKind::Session, endpoint, &me, UNIX));
    let (legacy, none) = (Some(Era::Legacy), None::<&[u8]>);
    // verb, era, id on the request, known, status, id on the answer
    for (row, (verb, era, id, known, status, minted, expected)) in [
        (Verb::Post, None, none, false, 200, Some(&b"new"[..]), learn(b"new")),
        (Verb::Post, legacy, none, false, 200, None, Lesson::Nothing),
        (Verb::Post, None, none, false, 400, Some(b"new"), Lesson::Nothing),
        (Verb::Get, None, none, false, 200, Some(b"new"), Lesson::Nothing),
        (Verb::Post, Some(Era::Modern), none, false, 200, Some(b"new"), Lesson::Nothing),
        (Verb::Post, legacy, Some(b"s"), true, 200, Some(b"s"), Lesson::Touch(key(b"s"))),
        (Verb::Post, legacy, Some(b"s"), true, 500, None, Lesson::Touch(key(b"s"))),
        (Verb::Post, legacy, Some(b"s"), true, 404, None, Lesson::Forget(key(b"s"))),
        (Verb::Get, legacy, Some(b"s"), true, 405, None, Lesson::Touch(key(b"s"))),
        (Verb::Delete, legacy, Some(b"s"), true, 200, None, Lesson::Forget(key(b"s"))),
        (Verb::Delete, legacy, Some(b"s"), true, 404, None, Lesson::Forget(key(b"s"))),
        (Verb::Delete, legacy, Some(b"s"), true, 405, None, Lesson::Touch(key(b"s"))),
        (Verb::Post, legacy, Some(b"s"), false, 202, None, learn(b"s")),
        (Verb::Post, legacy, Some(b"s"), false, 400, None, Lesson::Nothing),
        (Verb::Post, legacy, Some(b"s"), false, 404, None, Lesson::Forget(key(b"s"))),
    ]
    .into_iter()
    .enumerate()
    {
        let last_seen = known.then_some(UNIX - HOUR.as_secs());
        let asked = Asked { verb, era, caller: &me, key: id.map(key), last_seen, idle: HOUR };
        let got = lesson(asked, endpoint, StatusCode::from_u16(status).unwrap(), minted, UNIX);
        assert_eq!(got, expected, "row {row}");
    }
}

#[test]
fn use_is_noted_only_when_that_is_due() {
    let world = Mesh::of("weather", 1).world(Instant::now());
    let me = Caller::new("me");
    let key = Some(key(b"s"));
    let asked = Asked { verb: Verb::Post, era: None, caller: &me, key, last_seen: Some(UNIX - 1), idle: HOUR };
    let got = lesson(asked, world.replica("weather-1").unwrap(), StatusCode::OK, None, UNIX);
    assert_eq!(got, Lesson::Nothing);
}

#[test]
fn equal_ids_of_two_agents_are_two_sessions() {
    assert_ne!(key(b"1"), SessionKey::of(&AgentName::new("other").unwrap(), b"1"));
}

#[test]
fn a_binding_is_renewed_at_most_once_in_a_tenth_of_its_idle_time() {
    for (after, due) in [(0, false), (359, false), (360, true), (4_000, true)] {
        assert_eq!(is_due(UNIX, HOUR, UNIX + after), due, "{after}");
    }
    assert!(!is_due(UNIX, HOUR, 0), "a clock that went back is no reason");
}

#[test]
fn a_binding_gives_way_to_one_that_moved_more_often_and_else_only_to_itself() {
    let world = Mesh::of("weather", 2).world(Instant::now());
    let at = |replica, moves| {
        let endpoint = world.replica(replica).unwrap();
        Binding { moves, ..Binding::new(KeyKind::Session, endpoint, &Caller::new("me"), UNIX) }
    };
    for (held, offered, gives_way) in [
        (at("weather-1", 0), at("weather-1", 0), true),
        (at("weather-1", 0), at("weather-2", 0), false),
        (at("weather-1", 0), at("weather-2", 1), true),
        (at("weather-1", 1), at("weather-1", 0), false),
    ] {
        assert_eq!(held.gives_way_to(&offered), gives_way, "{held:?} {offered:?}");
    }
}
