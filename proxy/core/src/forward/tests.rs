use std::sync::Arc;
use std::time::Instant;

use outrigger_model::endpoint::EndpointState;
use outrigger_model::name::{AgentName, ReplicaId};
use outrigger_model::replica::Generation;
use outrigger_model::traffic::{HeaderEdits, Priority};

use super::{Delivery, Renewed, Spot, answer, copy, request, wants_as_is};
use crate::announce::Token;
use crate::asked::{Document, Form, Page, Part};
use crate::http1::written;
use crate::live::Live;
use crate::world::endpoint::{Endpoint, Lead, Place, Terms};

fn endpoint(place: Place) -> Endpoint {
    let replica = ReplicaId::new("weather-1").unwrap();
    Endpoint {
        lead: Arc::new(Lead::of(&replica, &place)),
        replica,
        agent: AgentName::new("weather").unwrap(),
        place,
        generation: Generation(1),
        weight: 100,
        tier: 0,
        zone: String::new(),
        tool: None,
        state: EndpointState::Up,
        live: Arc::new(Live::new(Instant::now())),
        terms: Arc::new(Terms::alone()),
    }
}

fn own(upstream: &'static str) -> Endpoint {
    endpoint(Place::Own { upstream: http::Uri::from_static(upstream) })
}

fn peer() -> Endpoint {
    endpoint(Place::Peer { address: "127.0.0.1:17006".parse().unwrap(), identity: None })
}

fn forwarded(target: &str, lines: &[(&str, &str)], endpoint: &Endpoint) -> String {
    asked(target, Part::Endpoint, lines, endpoint)
}

fn asked(target: &str, part: Part, lines: &[(&str, &str)], endpoint: &Endpoint) -> String {
    let mut out = Vec::new();
    request(&written::request(target, lines), endpoint, Spot::Part(part), Renewed::default(), None, &mut out);
    String::from_utf8(out).unwrap()
}

fn delivered(text: &str, delivery: Delivery) -> String {
    let mut out = Vec::new();
    answer(&written::answer(text), delivery, &mut out);
    String::from_utf8(out).unwrap()
}

#[test]
fn an_agent_sees_its_own_host_and_path_and_which_host_was_called() {
    let own = own("http://127.0.0.1:8081/deep/mcp");
    let seen = forwarded("/weather/mcp", &[("Host", "localhost:17001"), ("X-Forwarded-Host", "forged")], &own);
    let expected = "POST /deep/mcp HTTP/1.1\r\nHost: 127.0.0.1:8081\r\nX-Forwarded-Host: localhost:17001\r\n\r\n";
    assert_eq!(seen, expected);
}

#[test]
fn a_query_reaches_the_agent_unless_its_address_has_one() {
    let line = |own: &Endpoint| forwarded("/weather/mcp?a=1", &[("Host", "a")], own).lines().next().unwrap().to_owned();
    assert_eq!(line(&own("http://127.0.0.1:8081/mcp")), "POST /mcp?a=1 HTTP/1.1");
    assert_eq!(line(&own("http://127.0.0.1:8081/mcp?key=2")), "POST /mcp?key=2 HTTP/1.1");
}

#[test]
fn a_peer_is_asked_for_the_replica_and_sees_the_host_that_was_called() {
    let seen = forwarded("/weather/mcp?a=1", &[("Host", "localhost:17001")], &peer());
    assert_eq!(seen, "POST /agents/weather-1/mcp?a=1 HTTP/1.1\r\nHost: localhost:17001\r\n\r\n");
}

#[test]
fn fields_of_ours_and_of_one_connection_go_no_further_and_all_others_as_they_were_spelled() {
    let lines = [
        ("Host", "a"),
        ("Expect", "100-continue"),
        ("Outrigger-Refusal", "agent_unreachable"),
        ("mcp-session-id", "abc"),
        ("Connection", "keep-alive, X-Hop, Mcp-Session-Id"),
        ("Keep-Alive", "timeout=5"),
        ("Proxy-Connection", "keep-alive"),
        ("Proxy-Authorization", "Basic YTpi"),
        ("x-hop", "1"),
        ("TE", "trailers"),
        ("Upgrade", "h2c"),
        ("aCCept", "*/*"),
    ];
    let seen = forwarded("/weather/mcp", &lines, &peer());
    let expected = "POST /agents/weather-1/mcp HTTP/1.1\r\nHost: a\r\nmcp-session-id: abc\r\naCCept: */*\r\n\r\n";
    assert_eq!(seen, expected);
}

#[test]
fn an_answer_keeps_all_but_what_is_of_its_connection() {
    let text = "HTTP/1.1 200 Fine by me\r\noutrigger-refusal: draining\r\nMcp-Session-Id: abc\r\nConnection: close\r\nKeep-Alive: timeout=5\r\nTransfer-Encoding: chunked";
    let expected = "HTTP/1.1 200 Fine by me\r\nMcp-Session-Id: abc\r\nTransfer-Encoding: chunked\r\n\r\n";
    assert_eq!(delivered(text, Delivery::default()), expected);
    let expected = "HTTP/1.1 200 Fine by me\r\nMcp-Session-Id: abc\r\nConnection: close\r\n\r\n";
    assert_eq!(delivered(text, Delivery { close: true, without_chunks: true, ..Delivery::default() }), expected);
}

#[test]
fn what_lies_beside_an_endpoint_is_asked_of_the_same_endpoint_with_its_own_query() {
    let (own, peer) = (own("http://127.0.0.1:8081/api/mcp?key=2"), peer());
    let line = |part, endpoint| asked("/x?a=1", part, &[("Host", "a")], endpoint).lines().next().unwrap().to_owned();
    let inserted = Part::Document(Document::ProtectedResource, Form::Inserted);
    assert_eq!(line(inserted, &own), "POST /.well-known/oauth-protected-resource/api/mcp?a=1 HTTP/1.1");
    assert_eq!(line(inserted, &peer), "POST /.well-known/oauth-protected-resource/agents/weather-1/mcp?a=1 HTTP/1.1");
    let page = Part::Page(Page::Token);
    assert_eq!(line(page, &own), "POST /token?a=1 HTTP/1.1");
    assert_eq!(line(page, &peer), "POST /agents/weather-1/token?a=1 HTTP/1.1");
}

#[test]
fn what_is_forwarded_elsewhere_keeps_its_host_and_all_that_stands_in_it() {
    let address = "127.0.0.1:4555".parse().unwrap();
    let there = Endpoint::elsewhere(&"127.0.0.1:4555".parse().unwrap(), address, "/deep/x", Instant::now()).unwrap();
    let lines = [("Host", "127.0.0.1:4555"), ("X-Forwarded-Host", "b"), ("Authorization", "Bearer t")];
    let seen = forwarded("http://127.0.0.1:4555/deep/x?a=1", &lines, &there);
    let expected =
        "POST /deep/x?a=1 HTTP/1.1\r\nHost: 127.0.0.1:4555\r\nX-Forwarded-Host: b\r\nAuthorization: Bearer t\r\n\r\n";
    assert_eq!(seen, expected);
}

#[test]
fn a_client_that_wrote_a_whole_url_knows_the_agents_own_ones() {
    let head = |target| written::request(target, &[("Host", "weather.example"), ("Outrigger-As-Is", "1")]);
    let to_peer = |target| {
        let mut out = Vec::new();
        request(&head(target), &peer(), Spot::Part(Part::Endpoint), Renewed::default(), None, &mut out);
        String::from_utf8(out).unwrap().contains("outrigger-as-is: 1\r\n")
    };
    assert!(to_peer("http://weather.example/mcp") && !to_peer("/weather/mcp"));
    assert!(wants_as_is(&head("/")) && !wants_as_is(&written::request("/", &[("Host", "a"), ("outrigger-x", "1")])));
}

#[test]
fn messages_go_to_the_path_that_was_announced_and_to_a_peer_with_what_names_it() {
    let mut out = Vec::new();
    let head = written::request("/weather/mcp?outrigger-message=x", &[("Host", "a")]);
    request(
        &head,
        &own("http://127.0.0.1:8081/sse?key=2"),
        Spot::Announced("/messages/?s=1"),
        Renewed::default(),
        None,
        &mut out,
    );
    assert!(out.starts_with(b"POST /messages/?s=1 HTTP/1.1\r\n"));
    let token = Token([7; 16]);
    let seen = asked("/weather/mcp?outrigger-message=x", Part::Messages(token), &[("Host", "a")], &peer());
    assert!(seen.starts_with("POST /agents/weather-1/mcp?outrigger-message=x HTTP/1.1\r\n"), "{seen}");
}

#[test]
fn a_session_that_the_agent_knows_by_another_id_is_named_so_to_each_end() {
    let head = written::request("/weather/mcp", &[("Host", "a"), ("mcp-session-id", "callers")]);
    let mut out = Vec::new();
    request(
        &head,
        &peer(),
        Spot::Part(Part::Endpoint),
        Renewed { session: Some(b"agents"), ..Renewed::default() },
        None,
        &mut out,
    );
    assert!(String::from_utf8(out).unwrap().contains("mcp-session-id: agents\r\n"));
    let text = "HTTP/1.1 200 OK\r\nMcp-Session-Id: agents";
    let delivery = Delivery { session: Some(b"callers"), ..Delivery::default() };
    assert_eq!(delivered(text, delivery), "HTTP/1.1 200 OK\r\nMcp-Session-Id: callers\r\n\r\n");
}

#[test]
fn a_session_that_was_opened_again_is_marked() {
    let text = "HTTP/1.1 200 OK\r\nOutrigger-Session: of an agent\r\n\r\n";
    let delivery = Delivery { moved: true, ..Delivery::default() };
    assert_eq!(delivered(text, delivery), "HTTP/1.1 200 OK\r\noutrigger-session: reestablished\r\n\r\n");
}

#[test]
fn the_next_one_is_told_what_is_left_of_the_time_of_a_caller_that_gave_one() {
    for (lines, left, told) in [
        (&[("Host", "a"), ("X-Mesh-Timeout", "300")][..], Some(17), "X-Mesh-Timeout: 17\r\n"),
        (&[("Host", "a"), ("X-Mesh-Timeout", "soon")], None, "X-Mesh-Timeout: soon\r\n"),
        (&[("Host", "a")], Some(17), ""),
    ] {
        let (head, mut out) = (written::request("/weather/mcp", lines), Vec::new());
        let renewed = Renewed { time_left: left, ..Renewed::default() };
        request(&head, &peer(), Spot::Part(Part::Endpoint), renewed, None, &mut out);
        let out = String::from_utf8(out).unwrap();
        assert_eq!((out.contains(told), out.contains("X-Mesh")), (true, !told.is_empty()), "{out}");
    }
}

#[test]
fn edits_take_away_replace_and_add_fields_that_proxies_do_not_act_on() {
    let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    let edits = HeaderEdits {
        remove: vec!["x-debug".to_owned(), "host".to_owned(), "mcp-session-id".to_owned()],
        set: vec![pair("authorization", "Bearer mesh")],
        add: vec![pair("x-team", "blue")],
    };
    let lines = [
        ("Host", "a"),
        ("X-Debug", "1"),
        ("Authorization", "Bearer caller"),
        ("X-Team", "red"),
        ("mcp-session-id", "s"),
        ("x-debug", "2"),
    ];
    let mut out = Vec::new();
    let head = written::request("/weather/mcp", &lines);
    request(&head, &peer(), Spot::Part(Part::Endpoint), Renewed::default(), Some(&edits), &mut out);
    let text = String::from_utf8(out).unwrap();
    let (_, fields) = text.split_once("\r\n").unwrap();
    let expected = "Host: a\r\nX-Team: red\r\nmcp-session-id: s\r\nauthorization: Bearer mesh\r\nx-team: blue\r\n\r\n";
    assert_eq!(fields, expected);
}

#[test]
fn a_copy_is_the_same_request_with_its_own_length_and_a_mark() {
    let lines = [("Host", "a"), ("Transfer-Encoding", "chunked"), ("Mcp-Method", "tools/list"), ("x-team", "red")];
    let mut out = Vec::new();
    copy(&written::request("/weather/mcp", &lines), &peer(), None, b"{}", &mut out);
    let text = String::from_utf8(out).unwrap();
    let (line, fields) = text.split_once("\r\n").unwrap();
    assert!(line.ends_with("/agents/weather-1/mcp HTTP/1.1"), "{line}");
    let expected =
        "Host: a\r\nMcp-Method: tools/list\r\nx-team: red\r\nX-Mesh-Mirrored: 1\r\nContent-Length: 2\r\n\r\n{}";
    assert_eq!(fields, expected);
}

#[test]
fn a_peer_is_told_a_priority_that_is_not_the_usual_one_and_an_agent_none() {
    let own = own("http://127.0.0.1:8081/mcp");
    let told = |priority, endpoint: &Endpoint| {
        let head = written::request("/weather/mcp", &[("Host", "a"), ("Outrigger-Priority", "high")]);
        let mut out = Vec::new();
        request(
            &head,
            endpoint,
            Spot::Part(Part::Endpoint),
            Renewed { priority, ..Renewed::default() },
            None,
            &mut out,
        );
        let text = String::from_utf8(out).unwrap().to_lowercase();
        text.lines().filter_map(|line| line.strip_prefix("outrigger-priority: ")).map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(told(Priority::Low, &peer()), ["low"], "and what a stranger wrote is gone");
    assert_eq!(told(Priority::High, &peer()), ["high"]);
    assert!(told(Priority::Normal, &peer()).is_empty() && told(Priority::Low, &own).is_empty());
}
