use outrigger_model::revision::Era;
use outrigger_model::route::TimeClass;

use super::{AtDrain, at_drain, class};
use crate::http1::written::fields;
use crate::mcp::facts::Verb;
use crate::mcp::method::Method;

#[test]
fn a_call_is_as_patient_as_what_it_asks_for() {
    use TimeClass::{Call, Quick, Stream};
    let post = |text: &str, expected| {
        for era in [None, Some(Era::Legacy), Some(Era::Modern)] {
            assert_eq!(class(Verb::Post, era, Some(Method::from_text(text))), expected, "{text}");
        }
    };
    for text in ["initialize", "ping", "server/discover", "tools/list", "resources/read", "prompts/get", "tasks/get"] {
        post(text, Quick);
    }
    post("notifications/cancelled", Quick);
    post("tools/call", Call);
    post("tasks/result", Call);
    post("x/unheard", Call);
    post("subscriptions/listen", Stream);
    for (verb, era, expected) in [
        (Verb::Post, None, Call),
        (Verb::Get, None, Stream),
        (Verb::Get, Some(Era::Legacy), Stream),
        (Verb::Get, Some(Era::Modern), Quick),
        (Verb::Delete, Some(Era::Legacy), Quick),
        (Verb::Other, None, Quick),
    ] {
        assert_eq!(class(verb, era, None), expected, "{verb:?} {era:?}");
    }
}

#[test]
fn only_a_stream_that_is_opened_again_ends_when_the_listener_drains() {
    use AtDrain::{EndsBetweenEvents, GoesOn};
    let session = ("mcp-session-id", "a");
    for (verb, class, lines, expected) in [
        (Verb::Get, TimeClass::Stream, &[session][..], EndsBetweenEvents),
        (Verb::Get, TimeClass::Stream, &[("last-event-id", "7")], EndsBetweenEvents),
        (Verb::Get, TimeClass::Stream, &[("mcp-protocol-version", "2025-11-25")], EndsBetweenEvents),
        (Verb::Get, TimeClass::Stream, &[], GoesOn),
        (Verb::Post, TimeClass::Stream, &[], EndsBetweenEvents),
        (Verb::Post, TimeClass::Call, &[session], GoesOn),
        (Verb::Post, TimeClass::Quick, &[session], GoesOn),
    ] {
        assert_eq!(at_drain(verb, class, &fields(lines)), expected, "{verb:?} {class:?} {lines:?}");
    }
}
