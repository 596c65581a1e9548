use std::time::Duration;

use outrigger_model::rate::{Allowance, Per, RateLimit};

use super::{Subject, reading};
use crate::announce::Token;
use crate::asked::Part;
use crate::http1::written::fields;
use crate::mcp::envelope::Envelope;
use crate::mcp::facts::{CallFacts, Caller, Reading, Verb};
use crate::target::Target;

const MODERN: (&str, &str) = ("mcp-protocol-version", "2026-07-28");
const LEGACY: (&str, &str) = ("mcp-protocol-version", "2025-11-25");

fn tool(name: &str) -> Subject {
    Subject::Tool(name.into())
}

fn subject(verb: Verb, lines: &[(&str, &str)], part: Part, body: Option<&str>) -> Subject {
    let headers = fields(lines);
    let facts = CallFacts::read(verb, &headers, Target::Route("weather"), Caller::new("me")).unwrap().beside(part);
    let Some(body) = body else { return Subject::of(&facts, None) };
    let envelope = Envelope::read(body.as_bytes()).unwrap();
    Subject::of(&facts.with_envelope(&envelope, true).unwrap(), Some(&envelope))
}

#[test]
fn a_modern_call_says_in_its_head_what_it_is() {
    let rows = [
        (&[("mcp-method", "tools/call"), ("mcp-name", "radar")][..], tool("radar")),
        (&[("mcp-method", "tools/call")], Subject::Unknown),
        (&[("mcp-method", "tools/list")], Subject::Plain),
        (&[("mcp-method", "notifications/cancelled")], Subject::Free),
        (&[], Subject::Unknown),
    ];
    for (lines, expected) in rows {
        let lines = [&[MODERN][..], lines].concat();
        assert_eq!(subject(Verb::Post, &lines, Part::Endpoint, None), expected, "{lines:?}");
    }
}

#[test]
fn the_body_of_a_legacy_call_says_it_and_not_its_head() {
    let lie = [LEGACY, ("mcp-method", "tools/list"), ("mcp-name", "cheap")];
    let rows = [
        (r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"radar"}}"#, tool("radar")),
        (r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{}}"#, Subject::Unknown),
        (r#"{"jsonrpc":"2.0","id":1,"method":"initialize"}"#, Subject::Plain),
        (r#"{"jsonrpc":"2.0","method":"notifications/initialized"}"#, Subject::Free),
        (r#"{"jsonrpc":"2.0","id":1,"result":{}}"#, Subject::Free),
        (r#"[{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"radar"}}]"#, Subject::Unknown),
    ];
    for (body, expected) in rows {
        assert_eq!(subject(Verb::Post, &lie, Part::Endpoint, Some(body)), expected, "{body}");
    }
}

#[test]
fn what_has_no_message_is_a_call_and_only_what_ends_a_session_is_free() {
    assert_eq!(subject(Verb::Get, &[LEGACY], Part::Endpoint, None), Subject::Plain);
    assert_eq!(subject(Verb::Other, &[], Part::Endpoint, None), Subject::Plain);
    assert_eq!(subject(Verb::Delete, &[LEGACY], Part::Endpoint, None), Subject::Free);
    assert_eq!(subject(Verb::Post, &[("content-encoding", "gzip")], Part::Endpoint, None), Subject::Unknown);
    assert_eq!(subject(Verb::Post, &[], Part::Messages(Token([7; 16])), None), Subject::Unknown);
}

#[test]
fn what_is_not_known_counts_as_any_tool() {
    let allowance = Allowance::Quota { calls: 1, window: Duration::from_secs(1) };
    let of = |tools: &[&str]| RateLimit {
        per: Per::All,
        tools: tools.iter().map(|tool| tool.parse().expect("a pattern")).collect(),
        allowance,
    };
    let rows = [
        (Subject::Free, [false, false, false]),
        (Subject::Plain, [true, false, false]),
        (tool("get_radar"), [true, true, false]),
        (Subject::Unknown, [true, true, true]),
    ];
    for (subject, expected) in rows {
        let is_of = [of(&[]), of(&["get_*"]), of(&["put_*"])].map(|rate| subject.is_of(&rate));
        assert_eq!(is_of, expected, "{subject:?}");
    }
}

#[test]
fn bodies_of_legacy_calls_are_read_and_waited_for() {
    for (lines, expected) in [
        (&[LEGACY, ("mcp-session-id", "s")][..], Reading::First),
        (&[MODERN], Reading::Untouched),
        (&[("content-type", "text/plain")], Reading::Untouched),
    ] {
        let headers = fields(lines);
        let facts = CallFacts::read(Verb::Post, &headers, Target::Route("w"), Caller::new("me")).unwrap();
        assert_eq!(reading(&facts, facts.reading(false)), expected, "{lines:?}");
    }
}
