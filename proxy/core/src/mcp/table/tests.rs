use outrigger_model::route::TimeClass;

use super::{AtDrain, Order, Retry, Row, Stick, TABLE};
use crate::http1::written::fields;
use crate::mcp::envelope::Envelope;
use crate::mcp::facts::{CallFacts, Caller, Verb};
use crate::target::Target;

const MODERN: &str = "mcp-protocol-version: 2026-07-28";
const LATER: &str = "mcp-protocol-version: 2027-01-01";
const LEGACY: &str = "mcp-protocol-version: 2025-11-25";
const SESSION: &str = "mcp-session-id: s-1";

/// A call as it is written: verb, headers, body.
fn row(verb: &str, headers: &[&str], body: &str) -> &'static Row {
    let lines: Vec<(&str, &str)> = headers.iter().map(|line| line.split_once(": ").unwrap()).collect();
    let written = fields(&lines);
    let verb = Verb::of(verb.as_bytes());
    let facts = CallFacts::read(verb, &written, Target::Route("weather"), Caller::new("me")).unwrap();
    if body.is_empty() {
        return Row::of(&facts);
    }
    Row::of(&facts.with_envelope(&Envelope::read(body.as_bytes()).unwrap(), true).unwrap())
}

/// Every row of the table, by the calls it is for.
#[test]
fn each_shape_of_call_has_its_row() {
    use Retry::{ConnectOnly, SafeRead};
    use Stick::{Caller, Nowhere, Opens};
    use TimeClass::{Call, Quick, Stream};
    let request = |method: &str| format!(r#"{{"jsonrpc":"2.0","id":1,"method":"{method}"}}"#);
    let (initialize, list, call) = (request("initialize"), request("tools/list"), request("tools/call"));
    let continued = r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"a","requestState":"x","inputResponses":{}}}"#;
    let note = r#"{"jsonrpc":"2.0","method":"notifications/cancelled"}"#;
    let response = r#"{"jsonrpc":"2.0","id":1,"result":{}}"#;
    let batch = r#"[{"jsonrpc":"2.0","id":1,"method":"ping"}]"#;
    let named = |method: &'static str| [MODERN, method];
    for (verb, headers, body, number, stick, retry, time) in [
        ("POST", &named("mcp-method: server/discover")[..], "", 1, Caller, SafeRead, Quick),
        ("POST", &[LATER, "mcp-method: server/discover"], "", 1, Caller, SafeRead, Quick),
        ("POST", &named("mcp-method: tools/list"), "", 2, Caller, SafeRead, Quick),
        ("POST", &named("mcp-method: completion/complete"), "", 2, Caller, SafeRead, Quick),
        ("POST", &named("mcp-method: resources/read"), "", 3, Caller, SafeRead, Quick),
        ("POST", &named("mcp-method: prompts/get"), "", 3, Caller, SafeRead, Quick),
        ("POST", &named("mcp-method: tools/call"), "", 4, Caller, ConnectOnly, Call),
        ("POST", &[MODERN, SESSION, "mcp-method: tools/call"], "", 4, Caller, ConnectOnly, Call),
        ("POST", &[MODERN, "mcp-method: tools/call", "mcp-name: a"], continued, 5, Caller, ConnectOnly, Call),
        ("POST", &named("mcp-method: subscriptions/listen"), "", 6, Caller, SafeRead, Stream),
        ("POST", &named("mcp-method: tasks/get"), "", 7, Caller, SafeRead, Quick),
        ("POST", &named("mcp-method: tasks/cancel"), "", 8, Caller, ConnectOnly, Quick),
        ("POST", &named("mcp-method: acme/own"), "", 9, Caller, ConnectOnly, Quick),
        ("POST", &[MODERN], "", 9, Caller, ConnectOnly, Quick),
        ("POST", &[], initialize.as_str(), 11, Opens, SafeRead, Quick),
        ("POST", &[LEGACY], initialize.as_str(), 11, Opens, SafeRead, Quick),
        ("POST", &[SESSION], list.as_str(), 12, Caller, ConnectOnly, Quick),
        ("POST", &[SESSION], call.as_str(), 12, Caller, ConnectOnly, Call),
        ("POST", &[SESSION], "", 12, Caller, ConnectOnly, Call),
        ("POST", &[SESSION, LEGACY, "mcp-method: server/discover"], "", 12, Caller, ConnectOnly, Call),
        ("POST", &[SESSION], note, 13, Caller, ConnectOnly, Quick),
        ("POST", &[SESSION], response, 13, Caller, ConnectOnly, Quick),
        ("POST", &[SESSION], batch, 14, Caller, ConnectOnly, Call),
        ("GET", &[SESSION], "", 15, Caller, ConnectOnly, Stream),
        ("GET", &[SESSION, "last-event-id: 7"], "", 16, Caller, ConnectOnly, Stream),
        ("GET", &["last-event-id: 7"], "", 16, Caller, ConnectOnly, Stream),
        ("GET", &[], "", 17, Caller, ConnectOnly, Stream),
        ("DELETE", &[SESSION], "", 18, Caller, ConnectOnly, Quick),
        ("POST", &[], list.as_str(), 19, Caller, ConnectOnly, Quick),
        ("POST", &[], call.as_str(), 19, Caller, ConnectOnly, Call),
        ("POST", &[LEGACY], batch, 19, Caller, ConnectOnly, Call),
        ("OPTIONS", &[], "", 22, Nowhere, ConnectOnly, Quick),
        ("GET", &[MODERN], "", 23, Nowhere, ConnectOnly, Quick),
        ("DELETE", &[MODERN, SESSION], "", 23, Nowhere, ConnectOnly, Quick),
        ("PUT", &[MODERN], "", 23, Nowhere, ConnectOnly, Quick),
    ] {
        let got = row(verb, headers, body);
        let said = (got.number, got.stick, got.retry, got.time);
        assert_eq!(said, (number, stick, retry, time), "{verb} {headers:?} {body}");
    }
}

#[test]
fn only_discovery_of_the_modern_era_is_patient() {
    assert_eq!(TABLE.iter().filter(|row| row.patient).map(|row| row.number).collect::<Vec<_>>(), [1]);
}

/// A legacy request keeps its id for ever, so sending it twice into one session is a violation of its own.
#[test]
fn nothing_inside_a_session_is_sent_twice() {
    for row in TABLE.iter().filter(|row| (12..=18).contains(&row.number)) {
        assert_eq!(row.retry, Retry::ConnectOnly, "{}", row.number);
    }
}

#[test]
fn only_a_stream_that_is_opened_again_ends_when_the_listener_drains() {
    for (verb, headers, ends) in [
        ("GET", &[SESSION][..], true),
        ("GET", &["last-event-id: 7"], true),
        ("GET", &[LEGACY], true),
        ("GET", &[], false),
        ("POST", &[MODERN, "mcp-method: subscriptions/listen"], true),
        ("POST", &[MODERN, "mcp-method: tools/call"], false),
        ("POST", &[SESSION], false),
    ] {
        assert_eq!(row(verb, headers, "").at_drain == AtDrain::EndsBetweenEvents, ends, "{verb} {headers:?}");
    }
}

/// A server asks its client on the stream of the session (2025-11-25 `basic/transports`, "Listening for Messages from the Server"); what it is
/// asked by a request that overtook the stream has nowhere to go. Who answers a question must never wait for a stream.
#[test]
fn a_request_of_a_session_follows_its_stream_and_nothing_else_waits() {
    let request = r#"{"jsonrpc":"2.0","id":1,"method":"tools/call"}"#;
    let note = r#"{"jsonrpc":"2.0","method":"notifications/initialized"}"#;
    let response = r#"{"jsonrpc":"2.0","id":1,"result":{}}"#;
    for (verb, headers, body, order) in [
        ("GET", &[SESSION][..], "", Order::Opens),
        ("GET", &[SESSION, "last-event-id: 7"], "", Order::Any),
        ("GET", &[LEGACY], "", Order::Any),
        ("POST", &[SESSION], request, Order::Follows),
        ("POST", &[SESSION], r#"{"jsonrpc":"2.0","id":1,"method":"tools/list"}"#, Order::Follows),
        ("POST", &[SESSION], r#"[{"jsonrpc":"2.0","id":1,"method":"ping"}]"#, Order::Follows),
        ("POST", &[SESSION], note, Order::Any),
        ("POST", &[SESSION], response, Order::Any),
        ("POST", &[LEGACY], request, Order::Any),
        ("POST", &[MODERN, SESSION, "mcp-method: tools/call"], "", Order::Any),
        ("DELETE", &[SESSION], "", Order::Any),
    ] {
        assert_eq!(row(verb, headers, body).order, order, "{verb} {headers:?} {body}");
    }
}
