use outrigger_model::revision::Era;

use super::{CallFacts, Caller, Verb};
use crate::http1::field::Fields;
use crate::http1::written::fields;
use crate::mcp::envelope::Envelope;
use crate::mcp::method::Method;
use crate::target::Target;

fn read(verb: Verb, fields: &Fields) -> CallFacts<'_> {
    CallFacts::read(verb, fields, Target::Route("weather"), Caller::new("me")).unwrap()
}

#[test]
fn a_modern_call_has_no_session_whatever_its_headers_say() {
    let headers = fields(&[("mcp-protocol-version", "2026-07-28"), ("mcp-session-id", "s")]);
    let facts = read(Verb::Post, &headers);
    assert_eq!((facts.era, facts.session), (Some(Era::Modern), None));
}

#[test]
fn the_body_is_looked_at_only_where_no_header_tells_what_the_call_is() {
    for (verb, lines, peeks) in [
        (Verb::Post, &[][..], true),
        (Verb::Post, &[("mcp-session-id", "s")], false),
        (Verb::Post, &[("mcp-protocol-version", "2025-11-25")], false),
        (Verb::Post, &[("mcp-protocol-version", "nonsense")], false),
        (Verb::Post, &[("mcp-method", "initialize")], false),
        (Verb::Get, &[], false),
        (Verb::Delete, &[], false),
    ] {
        assert_eq!(read(verb, &fields(lines)).needs_peek(), peeks, "{verb:?} {lines:?}");
    }
}

#[test]
fn a_body_tells_the_method_and_the_era_that_only_it_can_tell() {
    for (body, method, era) in [
        (r#"{"id":1,"method":"initialize"}"#, Some(Method::Initialize), Some(Era::Legacy)),
        (r#"{"id":1,"method":"tools/list"}"#, Some(Method::ToolsList), None),
        (r#"[{"id":1,"method":"ping"}]"#, None, Some(Era::Legacy)),
        ("nonsense", None, None),
    ] {
        let headers = fields::<&str, &str>(&[]);
        let facts = read(Verb::Post, &headers).with_envelope(&Envelope::scan(body.as_bytes()));
        assert_eq!((facts.method, facts.era, facts.needs_peek()), (method, era, false), "{body}");
    }
}

#[test]
fn event_streams_are_taken_if_any_accept_line_says_so() {
    for (accept, takes) in [
        ("application/json, text/event-stream", true),
        ("text/event-stream;q=0.5", true),
        ("Text/Event-Stream", true),
        ("*/*", true),
        ("application/json", false),
        ("text/event-streams", false),
    ] {
        let headers = fields(&[("accept", accept)]);
        assert_eq!(read(Verb::Get, &headers).takes_stream, takes, "{accept}");
    }
    assert!(!read(Verb::Get, &fields::<&str, &str>(&[])).takes_stream);
}
