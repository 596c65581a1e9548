use std::sync::Arc;
use std::time::Instant;

use outrigger_model::endpoint::EndpointState;
use outrigger_model::name::{AgentName, ReplicaId};
use outrigger_model::replica::Generation;
use outrigger_proxy_core::live::Live;

use super::*;

fn endpoint(place: Place) -> Endpoint {
    Endpoint {
        replica: ReplicaId::new("weather-1").expect("name"),
        agent: AgentName::new("weather").expect("name"),
        place,
        generation: Generation(1),
        weight: 100,
        state: EndpointState::Up,
        live: Arc::new(Live::new(Instant::now())),
    }
}

fn rewritten(path: &str, place: Place) -> RequestHeader {
    let mut head = RequestHeader::build("POST", path.as_bytes(), None).expect("head");
    head.insert_header("Host", "localhost:17001").expect("header");
    head.insert_header("Expect", "100-continue").expect("header");
    head.insert_header("Outrigger-Refusal", "agent_unreachable").expect("header");
    head.insert_header("Mcp-Session-Id", "abc").expect("header");
    request(&mut head, &endpoint(place)).expect("rewritten");
    head
}

fn own(upstream: &'static str) -> Place {
    Place::Own { upstream: Uri::from_static(upstream) }
}

#[test]
fn an_agent_sees_its_own_host_and_path() {
    let head = rewritten("/weather/mcp", own("http://127.0.0.1:8081/deep/mcp"));
    assert_eq!(head.uri, "/deep/mcp");
    assert_eq!(head.headers["host"], "127.0.0.1:8081");
    assert_eq!(head.headers["x-forwarded-host"], "localhost:17001");
}

#[test]
fn a_query_reaches_the_agent_unless_its_address_has_one() {
    assert_eq!(rewritten("/weather/mcp?a=1", own("http://127.0.0.1:8081/mcp")).uri, "/mcp?a=1");
    assert_eq!(rewritten("/weather/mcp?a=1", own("http://127.0.0.1:8081/mcp?key=2")).uri, "/mcp?key=2");
}

#[test]
fn a_peer_is_asked_for_the_replica_and_sees_the_host_that_was_called() {
    let place = Place::Peer { address: "127.0.0.1:17006".parse().expect("address"), identity: None };
    let head = rewritten("/weather/mcp?a=1", place);
    assert_eq!(head.uri, "/agents/weather-1/mcp?a=1");
    assert_eq!(head.headers["host"], "localhost:17001");
}

#[test]
fn headers_of_ours_and_expect_go_no_further_and_all_others_do() {
    let head = rewritten("/weather/mcp", own("http://127.0.0.1:8081/mcp"));
    assert!(!head.headers.contains_key("outrigger-refusal"));
    assert!(!head.headers.contains_key("expect"));
    assert_eq!(head.headers["mcp-session-id"], "abc");
    let mut head = ResponseHeader::build(200, None).expect("head");
    head.insert_header("outrigger-refusal", "draining").expect("header");
    head.insert_header("mcp-session-id", "abc").expect("header");
    answer(&mut head);
    assert!(!head.headers.contains_key("outrigger-refusal"));
    assert_eq!(head.headers["mcp-session-id"], "abc");
}
