use proptest::{prop_assert, prop_assert_eq, proptest};

use super::{EVENT_BYTES_MAX, First, Message, Token, first, may_announce, of_agent, of_peer};
use crate::http1::written;
use crate::site::Site;

fn announced(stream: &str) -> Option<(&str, &str)> {
    match first(stream.as_bytes()) {
        First::Announcement { uri, end } => Some((&stream[uri], &stream[end..])),
        First::Unknown | First::Other => None,
    }
}

#[test]
fn an_endpoint_event_at_the_front_is_an_announcement() {
    for (stream, uri, rest) in [
        ("event: endpoint\ndata: /m?s=1\n\n", "/m?s=1", ""),
        ("event: endpoint\r\ndata: /m?s=1\r\n\r\nevent: message\r\n", "/m?s=1", "event: message\r\n"),
        ("event:endpoint\ndata:/m\n\n: ping\n\n", "/m", ": ping\n\n"),
        ("event: endpoint\rdata: /m\r\rx", "/m", "x"),
        ("\u{feff}event: endpoint\ndata: /m\n\n", "/m", ""),
        (": hello\nid: 0\nretry: 5\nevent: endpoint\ndata: /m\n\n", "/m", ""),
    ] {
        assert_eq!(announced(stream), Some((uri, rest)), "{stream:?}");
    }
}

#[test]
fn every_other_beginning_is_none_and_is_told_as_soon_as_it_can_be() {
    for stream in [
        "event: message\n",
        "data: a\n",
        "data: /m\nevent: endpoint\n\n",
        "event: endpoint\ndata: /m\ndata: /n\n",
        "event: endpoint\n\n",
        ": ping\n\n",
        "\n",
        "id: 0\ndata:\n\n",
        "event: endpoint \ndata: /m\n\n",
        "event: endpointx\n",
    ] {
        assert_eq!(first(stream.as_bytes()), First::Other, "{stream:?}");
    }
    for stream in ["", "\u{feff}", "event: endpoint\ndata: /m\n", "event: endpoint\ndata: /m\r\n\r", "data: {", "even"]
    {
        assert_eq!(first(stream.as_bytes()), First::Unknown, "{stream:?}");
    }
    let long = format!("event: endpoint\ndata: {}", "x".repeat(EVENT_BYTES_MAX));
    assert_eq!(first(long.as_bytes()), First::Other);
}

proptest! {
    #[test]
    fn a_part_of_an_announcement_is_never_taken_for_something_else(cut in 0usize..36) {
        let stream = b"event: endpoint\r\ndata: /m?s=1\r\n\r\n";
        let cut = cut.min(stream.len() - 1);
        prop_assert_eq!(first(&stream[..cut]), First::Unknown);
    }

    #[test]
    fn any_bytes_are_told_without_panic(stream: Vec<u8>, uri: Vec<u8>) {
        if let First::Announcement { uri, end } = first(&stream) {
            prop_assert!(uri.end <= end && end <= stream.len());
        }
        let site = "127.0.0.1:8081".parse().unwrap();
        if let Some(path) = of_agent(&uri, &site, "/sse") {
            prop_assert!(path.starts_with('/') && path.bytes().all(|byte| byte.is_ascii_graphic()));
        }
        let _ = of_peer(&uri, "/agents/a/mcp", "a");
    }
}

#[test]
fn an_agent_announces_paths_of_its_own_and_no_others() {
    let site: Site = "127.0.0.1:8081".parse().unwrap();
    for (uri, path) in [
        ("/messages/?session_id=abc", Some("/messages/?session_id=abc")),
        ("http://127.0.0.1:8081/messages?s=1", Some("/messages?s=1")),
        ("http://localhost:8081/messages?s=1", Some("/messages?s=1")),
        ("HTTP://127.0.0.1:8081?s=1", Some("/?s=1")),
        ("//127.0.0.1:8081/m", Some("/m")),
        ("message?s=1", Some("/api/message?s=1")),
        ("?s=1", Some("/api/sse?s=1")),
        ("http://127.0.0.1:8082/messages", None),
        ("http://evil.example/messages", None),
        ("https://127.0.0.1:8081/messages", None),
        ("//evil.example/messages", None),
        ("http://127.0.0.1:8081@evil.example/", None),
        ("javascript:alert(1)", None),
        ("/a b", None),
        ("/a\r\nX: y", None),
        ("/a#b", None),
        ("/ä", None),
        ("", None),
    ] {
        assert_eq!(of_agent(uri.as_bytes(), &site, "/api/sse").as_deref(), path, "{uri}");
    }
    let long = format!("/{}", "x".repeat(4_096));
    assert_eq!(of_agent(long.as_bytes(), &site, "/sse"), None);
}

#[test]
fn a_message_names_its_replica_and_survives_the_way_through_two_proxies() {
    let token = Token([7; 16]);
    let told = Message { replica: "weather-1.eu", token, query: "session_id=a&b=.c" };
    let between = told.uri("/agents/weather-1.eu/mcp");
    let heard = of_peer(between.as_bytes(), "/agents/weather-1.eu/mcp", "weather-1.eu").unwrap();
    assert_eq!(heard, told);
    let to_client = heard.uri("/weather/sse/");
    assert_eq!(to_client, format!("/weather/sse?outrigger-message=weather-1.eu.{}&session_id=a&b=.c", "07".repeat(16)));
    assert_eq!(Message::of(to_client.split_once('?').unwrap().1), Some(told));
    assert_eq!(of_peer(between.as_bytes(), "/agents/weather-1.eu/mcp", "weather-2"), None);
    assert_eq!(of_peer(b"/agents/weather-1.eu/mcp?x=1", "/agents/weather-1.eu/mcp", "weather-1.eu"), None);
    assert_eq!(format!("{token:?}"), "Token(…)");
}

#[test]
fn what_is_no_message_is_none() {
    let good = "07".repeat(16);
    for query in [
        format!("outrigger-message=.{good}"),
        format!("outrigger-message={good}"),
        format!("outrigger-message=a.{}", good.to_uppercase().replace('7', "F")),
        format!("a=1&outrigger-message=a.{good}"),
        format!("outrigger-message=a.+{}", &good[1..]),
        String::new(),
    ] {
        assert_eq!(Message::of(&query), None, "{query}");
    }
}

#[test]
fn only_a_stream_without_a_session_may_begin_so() {
    let ok = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream; charset=utf-8";
    let may = |method: &[u8], asked: &[(&str, &str)], answer: &str| {
        may_announce(method, &written::fields(asked), &written::answer(answer))
    };
    assert!(may(b"GET", &[("Accept", "text/event-stream")], ok));
    assert!(!may(b"POST", &[], ok));
    assert!(!may(b"GET", &[("Mcp-Session-Id", "a")], ok));
    assert!(!may(b"GET", &[("MCP-Protocol-Version", "2025-06-18")], ok));
    assert!(!may(b"GET", &[("Last-Event-ID", "a")], ok));
    assert!(!may(b"GET", &[], &format!("{ok}\r\nMcp-Session-Id: a")));
    assert!(!may(b"GET", &[], &format!("{ok}\r\nContent-Encoding: gzip")));
    assert!(!may(b"GET", &[], "HTTP/1.1 200 OK\r\nContent-Type: application/json"));
    assert!(!may(b"GET", &[], "HTTP/1.1 405 No\r\nContent-Type: text/event-stream"));
}
