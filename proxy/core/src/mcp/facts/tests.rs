use outrigger_model::revision::Era;

use super::Reading::{First, Passing, Untouched};
use super::{CallFacts, Caller, Message, Verb};
use crate::http1::field::Fields;
use crate::http1::written::fields;
use crate::mcp::envelope::Envelope;
use crate::mcp::method::Method;
use crate::refusal::Refusal;
use crate::target::Target;

const MODERN: (&str, &str) = ("mcp-protocol-version", "2026-07-28");
const LEGACY: (&str, &str) = ("mcp-protocol-version", "2025-11-25");
const SESSION: (&str, &str) = ("mcp-session-id", "s");

fn read(verb: Verb, fields: &Fields) -> CallFacts<'_> {
    CallFacts::read(verb, fields, Target::Route("weather"), Caller::new("me")).unwrap()
}

#[test]
fn a_modern_call_has_no_session_whatever_its_headers_say() {
    let headers = fields(&[MODERN, SESSION]);
    let facts = read(Verb::Post, &headers);
    assert_eq!((facts.era, facts.session), (Some(Era::Modern), None));
}

/// (verb, headers, how much of the body is read, the same where the route inspects)
#[test]
fn a_body_is_read_where_the_head_does_not_tell_and_waited_for_where_nothing_else_does() {
    for (verb, lines, usual, inspected) in [
        (Verb::Post, &[][..], First, First),
        (Verb::Post, &[LEGACY], First, First),
        (Verb::Post, &[("mcp-protocol-version", "nonsense")], First, First),
        (Verb::Post, &[("mcp-method", "initialize")], First, First),
        (Verb::Post, &[SESSION], Passing, First),
        (Verb::Post, &[MODERN, ("mcp-method", "tools/list")], Untouched, First),
        (Verb::Post, &[("content-type", "application/json; charset=utf-8")], First, First),
        (Verb::Post, &[("content-type", "text/plain")], Untouched, Untouched),
        (Verb::Post, &[("content-encoding", "gzip")], Untouched, Untouched),
        (Verb::Get, &[], Untouched, Untouched),
        (Verb::Delete, &[SESSION], Untouched, Untouched),
    ] {
        let headers = fields(lines);
        let facts = read(verb, &headers);
        assert_eq!((facts.reading(false), facts.reading(true)), (usual, inspected), "{verb:?} {lines:?}");
    }
}

#[test]
fn a_body_tells_the_method_and_the_era_that_only_it_can_tell() {
    for (body, method, era, message, notice) in [
        (
            r#"{"jsonrpc":"2.0","id":1,"method":"initialize"}"#,
            Some(Method::Initialize),
            Some(Era::Legacy),
            Message::Single,
            false,
        ),
        (r#"{"jsonrpc":"2.0","id":1,"method":"tools/list"}"#, Some(Method::ToolsList), None, Message::Single, false),
        (r#"{"jsonrpc":"2.0","method":"notifications/x"}"#, Some(Method::Notification), None, Message::Single, true),
        (r#"{"jsonrpc":"2.0","id":1,"result":{}}"#, None, None, Message::Single, true),
        (r#"[{"jsonrpc":"2.0","id":1,"method":"ping"}]"#, None, Some(Era::Legacy), Message::Batch, false),
    ] {
        let headers = fields(&[("mcp-method", "tools/call")]);
        let facts = read(Verb::Post, &headers);
        let facts = facts.with_envelope(&Envelope::read(body.as_bytes()).unwrap(), true).unwrap();
        let got = (facts.method, facts.era, facts.message, facts.notice);
        assert_eq!(got, (method, era, message, notice), "{body}");
    }
}

/// "Any component that processes the body MUST compare" (2026-07-28 `basic/transports`).
#[test]
fn a_modern_head_that_says_something_else_than_the_body_is_refused() {
    let call = r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"Zür","_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28"}}}"#;
    let method = ("mcp-method", "tools/call");
    for (lines, mismatch) in [
        (&[MODERN, method, ("mcp-name", "=?base64?WsO8cg==?=")][..], None),
        (&[MODERN, method, ("mcp-name", "Zur")], Some("mcp-name")),
        (&[MODERN, method], Some("mcp-name")),
        (&[MODERN, ("mcp-method", "tools/list"), ("mcp-name", "Zür")], Some("mcp-method")),
        (&[MODERN, ("mcp-name", "Zür")], Some("mcp-method")),
        (&[("mcp-protocol-version", "2026-08-01"), method, ("mcp-name", "Zür")], Some("mcp-protocol-version")),
        (&[LEGACY, ("mcp-method", "tools/list"), ("mcp-name", "other")], None),
    ] {
        let headers = fields(lines);
        let got = read(Verb::Post, &headers).with_envelope(&Envelope::read(call.as_bytes()).unwrap(), true);
        let refused = match got {
            Err(Refusal::HeaderMismatch { header }) => Some(header),
            _ => None,
        };
        assert_eq!(refused, mismatch, "{lines:?}");
    }
}
