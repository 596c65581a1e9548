use outrigger_model::key::{ArgumentKey, KeySource};
use outrigger_model::name::AgentName;

use super::{carried, reading};
use crate::http1::written::fields;
use crate::mcp::envelope::Scanner;
use crate::mcp::facts::{CallFacts, Caller, Reading, Verb};
use crate::mcp::wanted;
use crate::session::key::SessionKey;
use crate::target::Target;

const MODERN: (&str, &str) = ("mcp-protocol-version", "2026-07-28");
const CALL: (&str, &str) = ("mcp-method", "tools/call");
const ADD: (&str, &str) = ("mcp-name", "add");

fn argument(path: &str, tools: &[&str]) -> KeySource {
    KeySource::Argument(ArgumentKey::new(path, tools.iter().map(|tool| (*tool).to_owned()).collect()).unwrap())
}

fn agent() -> AgentName {
    AgentName::new("weather").unwrap()
}

fn handles(source: &KeySource, lines: &[(&str, &str)], body: &str) -> Vec<SessionKey> {
    let headers = fields(lines);
    let facts = CallFacts::read(Verb::Post, &headers, Target::Route("weather"), Caller::new("me")).unwrap();
    let keys = std::slice::from_ref(source);
    if body.is_empty() {
        return carried(&agent(), keys, &facts, None).iter().map(|carried| carried.key).collect();
    }
    let mut scanner = Scanner::wanting(wanted::of_route(keys).unwrap_or_else(|| wanted::of_protocol(facts.era)));
    scanner.read_on(body.as_bytes()).unwrap();
    let envelope = scanner.envelope(body.as_bytes());
    let facts = facts.with_envelope(&envelope, true).unwrap();
    carried(&agent(), keys, &facts, Some(&envelope)).iter().map(|carried| carried.key).collect()
}

fn of(source: &KeySource, value: &str) -> SessionKey {
    let digest = outrigger_model::digest::Digest::of(value.as_bytes());
    SessionKey::of_handle(&agent(), &Caller::new("me"), source, &digest)
}

/// (source, headers, the value that is the key)
#[test]
fn handles_are_read_from_heads() {
    let header = KeySource::header("X-Cart").unwrap();
    let param = KeySource::param("Cart").unwrap();
    let cookie = KeySource::cookie("cart").unwrap();
    for (source, lines, value) in [
        (&header, &[("X-CART", "c-1")][..], Some("c-1")),
        (&header, &[("x-cart", "")], None),
        (&header, &[("x-cart", "a"), ("x-cart", "b")], None),
        (&param, &[MODERN, ("Mcp-Param-Cart", "c-1")], Some("c-1")),
        (&param, &[MODERN, ("mcp-param-cart", "=?base64?WsO8cg==?=")], Some("Zür")),
        (&param, &[("mcp-param-cart", "c-1")], None),
        (&cookie, &[("cookie", "a=1; cart=c-1; b=2")], Some("c-1")),
        (&cookie, &[("cookie", "Cart=no"), ("cookie", "cart=c=1")], Some("c=1")),
        (&cookie, &[("cookie", "cart=a; cart=b")], None),
        (&cookie, &[("cookie", "cart=; cartwheel=x; cart")], None),
    ] {
        let expected: Vec<SessionKey> = value.iter().map(|value| of(source, value)).collect();
        assert_eq!(handles(source, lines, ""), expected, "{source} {lines:?}");
    }
}

/// (key, params, the value that is the key)
#[test]
fn handles_are_read_from_arguments_of_the_tools_that_they_are_of() {
    let all = argument("session_id", &[]);
    let some = argument("cart.id", &["add", "pay"]);
    for (source, params, value) in [
        (&all, r#"{"name":"add","arguments":{"session_id":"a"}}"#, Some("a")),
        (&all, r#"{"arguments":{"session_id":7}}"#, Some("7")),
        (&all, r#"{"name":"add","arguments":{"session_id":"7"}}"#, Some("7")),
        (&all, r#"{"name":"add","arguments":{"session_id":null}}"#, None),
        (&some, r#"{"name":"pay","arguments":{"cart":{"id":"a"}}}"#, Some("a")),
        (&some, r#"{"arguments":{"cart":{"id":"a"}},"name":"pay"}"#, Some("a")),
        (&some, r#"{"name":"look","arguments":{"cart":{"id":"a"}}}"#, None),
        (&some, r#"{"arguments":{"cart":{"id":"a"}}}"#, None),
    ] {
        let body = format!(r#"{{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{params}}}"#);
        let expected: Vec<SessionKey> = value.iter().map(|value| of(source, value)).collect();
        assert_eq!(handles(source, &[], &body), expected, "{source} {params}");
    }
    let other =
        r#"{"jsonrpc":"2.0","id":1,"method":"prompts/get","params":{"name":"add","arguments":{"session_id":"a"}}}"#;
    assert_eq!(handles(&all, &[], other), [], "only tools have keys in their arguments");
    let batch =
        r#"[{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"add","arguments":{"session_id":"a"}}}]"#;
    assert_eq!(handles(&all, &[], batch), [], "a batch has none");
}

/// (keys, headers, how much of the body is read for them)
#[test]
fn the_body_of_a_modern_call_is_read_only_for_keys_that_may_stand_there() {
    let (all, some) = (argument("session_id", &[]), argument("session_id", &["add"]));
    let header = KeySource::header("x-cart").unwrap();
    for (keys, lines, expected) in [
        (&[][..], &[MODERN, CALL, ADD][..], Reading::Peeked),
        (&[], &[MODERN, ("mcp-method", "prompts/get"), ADD], Reading::Peeked),
        (&[], &[MODERN, ("mcp-method", "tools/list")], Reading::Untouched),
        (&[], &[MODERN, ("mcp-method", "tasks/get"), ("mcp-name", "t")], Reading::Untouched),
        (std::slice::from_ref(&header), &[MODERN, CALL, ADD], Reading::Peeked),
        (std::slice::from_ref(&all), &[MODERN, CALL, ADD], Reading::First),
        (std::slice::from_ref(&all), &[MODERN, CALL], Reading::First),
        (std::slice::from_ref(&some), &[MODERN, CALL, ADD], Reading::First),
        (std::slice::from_ref(&some), &[MODERN, CALL, ("mcp-name", "look")], Reading::Peeked),
        (std::slice::from_ref(&some), &[MODERN, ("mcp-method", "tools/list")], Reading::Untouched),
    ] {
        let headers = fields(lines);
        let facts = CallFacts::read(Verb::Post, &headers, Target::Route("weather"), Caller::new("me")).unwrap();
        assert_eq!(reading(keys, &facts), expected, "{keys:?} {lines:?}");
    }
}
