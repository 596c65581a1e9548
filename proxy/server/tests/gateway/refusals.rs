//! What the proxy says itself, and when.

use std::time::{Duration, Instant};

use outrigger_model::route::RoutePolicy;

use crate::agent::Agent;
use crate::caller::{Answer, CALL, Caller, message};
use crate::mesh::{Scene, closed_port};

const MODERN: &str = "MCP-Protocol-Version: 2026-07-28\r\nMcp-Method: tools/call\r\n";
const DISCOVER: &str = "MCP-Protocol-Version: 2026-07-28\r\nMcp-Method: server/discover\r\n";

async fn asked(scene: &Scene, path: &str, headers: &str) -> Answer {
    let proxy = scene.start();
    Caller::connect(proxy.outbound).await.post(path, headers, CALL).await
}

#[tokio::test]
async fn an_unknown_name_is_404_for_legacy_callers_and_503_for_modern_ones() {
    let scene = Scene::of_own(&[("weather-1", closed_port())]);
    let answer = asked(&scene, "/wether/mcp", "").await;
    assert_eq!((answer.status, answer.reason().as_str()), (404, "no_route"));
    assert_eq!(answer.json()["id"], "call-7");
    assert!(answer.json()["error"]["data"]["hint"].as_str().expect("a hint").contains("/weather/mcp"));
    assert!(answer.has_header("content-type: application/json"));
    let answer = asked(&scene, "/wether/mcp", MODERN).await;
    assert_eq!((answer.status, answer.reason().as_str()), (503, "no_route"));
    assert!(answer.has_header("retry-after: 5"), "{}", answer.head);
    assert_eq!(asked(&scene, "/elsewhere", "").await.reason(), "no_such_path");
}

#[tokio::test]
async fn a_route_that_nobody_serves_is_503() {
    let answer = asked(&Scene::empty(), "/weather/mcp", "").await;
    assert_eq!((answer.status, answer.reason().as_str()), (503, "no_provider"));
}

#[tokio::test]
async fn agents_that_accept_no_connection_are_503_after_each_was_tried() {
    let scene = Scene::of_own(&[("weather-1", closed_port()), ("weather-2", closed_port())]);
    let answer = asked(&scene, "/weather/mcp", "").await;
    assert_eq!((answer.status, answer.reason().as_str()), (503, "no_endpoint"));
    assert!(answer.has_header("retry-after: 1"), "{}", answer.head);
}

#[tokio::test]
async fn a_closed_port_costs_nothing_while_another_replica_is_there() {
    let agent = Agent::echoing().await;
    let scene =
        Scene::of_own(&[("weather-1", closed_port()), ("weather-2", agent.address), ("weather-3", closed_port())]);
    let proxy = scene.start();
    let mut caller = Caller::connect(proxy.outbound).await;
    for size in [10, 30_000, 65_000] {
        let body = message(size);
        for _ in 0..5 {
            let answer = caller.post("/weather/mcp", "", &body).await;
            assert_eq!(answer.status, 200);
            assert!(answer.text().ends_with(&body));
        }
    }
    assert_eq!(agent.requests(), 15);
}

#[tokio::test]
async fn foreign_hosts_and_origins_are_403() {
    let scene = Scene::of_own(&[("weather-1", closed_port())]);
    let proxy = scene.start();
    let mut caller = Caller::connect(proxy.outbound).await;
    caller.send("POST /weather/mcp HTTP/1.1\r\nHost: evil.example\r\nContent-Length: 2\r\n\r\n{}").await;
    assert_eq!(caller.answer().await.reason(), "host_not_allowed");
    let answer = asked(&scene, "/weather/mcp", "Origin: https://evil.example\r\n").await;
    assert_eq!((answer.status, answer.reason().as_str()), (403, "origin_not_allowed"));
}

#[tokio::test]
async fn heads_that_can_be_read_in_two_ways_are_400() {
    let agent = Agent::echoing().await;
    let proxy = Scene::of_own(&[("weather-1", agent.address)]).start();
    for head in [
        "POST /weather/mcp HTTP/1.1\r\nHost: localhost\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        "POST /weather/mcp HTTP/1.1\r\nContent-Length: 2\r\n\r\n{}",
        "POST /weather/mcp HTTP/1.1\r\nHost: localhost\r\nHost: localhost\r\nContent-Length: 2\r\n\r\n{}",
        "POST /weather/mcp HTTP/1.1\r\nHost: localhost\r\nMcp-Session-Id: a\r\nMcp-Session-Id: b\r\nContent-Length: 2\r\n\r\n{}",
    ] {
        let mut caller = Caller::connect(proxy.outbound).await;
        caller.send(head).await;
        assert_eq!(caller.head().await.status, 400, "{head}");
    }
    assert_eq!(agent.requests(), 0);
}

#[tokio::test]
async fn what_is_no_message_goes_nowhere() {
    let agent = Agent::echoing().await;
    let proxy = Scene::of_own(&[("weather-1", agent.address)]).start();
    let open = "{\"jsonrpc\":\"2.0\",\"id\":\"a\",\"method\":\"x\"";
    let mut late = message(300_000);
    late.truncate(late.len() - 2);
    for (body, code, id) in [
        (format!("{open},"), -32700, "\"a\""),
        (format!("{open},\"method\":\"y\"}}"), -32600, "\"a\""),
        (format!("{open},\"\\u0069d\":1}}"), -32600, "null"),
        (String::new(), -32700, "null"),
        (late, -32700, "\"big\""),
    ] {
        for headers in ["", "Mcp-Session-Id: s-1\r\n"] {
            let answer = Caller::connect(proxy.outbound).await.post("/weather/mcp", headers, &body).await;
            assert_eq!((answer.status, answer.reason().as_str()), (400, "not_a_message"), "{headers}");
            let error = answer.json();
            assert_eq!((&error["error"]["code"], error["id"].to_string().as_str()), (&code.into(), id), "{headers}");
        }
    }
    assert_eq!(agent.requests(), 0);
}

/// "Any component that processes the body MUST compare" (2026-07-28 `basic/transports`).
#[tokio::test]
async fn a_route_that_inspects_refuses_heads_that_say_something_else() {
    let agent = Agent::echoing().await;
    let policy = RoutePolicy { inspect: true, ..RoutePolicy::default() };
    let scene = Scene { policy, ..Scene::of_own(&[("weather-1", agent.address)]) };
    let proxy = scene.start();
    let mut caller = Caller::connect(proxy.outbound).await;
    let answer = caller.post("/weather/mcp", &format!("{MODERN}Mcp-Name: other\r\n"), CALL).await;
    assert_eq!((answer.status, answer.reason().as_str()), (400, "header_mismatch"));
    assert_eq!((&answer.json()["error"]["code"], &answer.json()["id"]), (&(-32020).into(), &"call-7".into()));
    let plain = format!("{MODERN}Mcp-Name: forecast\r\nContent-Type: text/plain\r\n");
    assert_eq!(caller.post("/weather/mcp", &plain, CALL).await.reason(), "not_json_type");
    assert_eq!(agent.requests(), 0);
    assert_eq!(caller.post("/weather/mcp", &format!("{MODERN}Mcp-Name: forecast\r\n"), CALL).await.status, 200);
}

/// More than is kept cannot be waited for: what stands behind it is not believed.
#[tokio::test]
async fn a_large_body_is_inspected_as_far_as_it_is_kept() {
    let agent = Agent::echoing().await;
    let policy = RoutePolicy { inspect: true, ..RoutePolicy::default() };
    let scene = Scene { policy, ..Scene::of_own(&[("weather-1", agent.address)]) };
    let proxy = scene.start();
    let headers = format!("{MODERN}Mcp-Name: forecast\r\n");
    let large = "x".repeat(200_000);
    let call = |params: String| format!(r#"{{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{{{params}}}}}"#);
    let front = call(format!(r#""name":"forecast","arguments":{{"a":"{large}"}}"#));
    let back = call(format!(r#""arguments":{{"a":"{large}"}},"name":"forecast""#));
    let long = call(format!(r#""name":"{}""#, "y".repeat(10_000)));
    for (body, reason) in [(&back, "header_mismatch"), (&long, "header_mismatch")] {
        let answer = Caller::connect(proxy.outbound).await.post("/weather/mcp", &headers, body).await;
        assert_eq!((answer.status, answer.reason().as_str()), (400, reason));
    }
    assert_eq!(agent.requests(), 0);
    assert_eq!(Caller::connect(proxy.outbound).await.post("/weather/mcp", &headers, &front).await.status, 200);
}

/// The head tells all that is needed, and nobody asked for more.
#[tokio::test]
async fn the_body_of_a_modern_call_is_not_looked_at() {
    let agent = Agent::echoing().await;
    let proxy = Scene::of_own(&[("weather-1", agent.address)]).start();
    let mut caller = Caller::connect(proxy.outbound).await;
    let answer = caller.post("/weather/mcp", MODERN, "anything").await;
    assert_eq!((answer.status, answer.text().ends_with("anything")), (200, true));
}

#[tokio::test]
async fn discovery_waits_for_an_endpoint_to_appear() {
    let agent = Agent::echoing().await;
    let proxy = Scene::empty().start();
    let mut caller = Caller::connect(proxy.outbound).await;
    let (answer, ()) = tokio::join!(caller.post("/weather/mcp", DISCOVER, CALL), async {
        tokio::time::sleep(Duration::from_millis(100)).await;
        proxy.show(&Scene::of_own(&[("weather-1", agent.address)]));
    });
    assert_eq!(answer.status, 200);
}

#[tokio::test]
async fn discovery_that_finds_nobody_gets_no_answer_rather_than_a_wrong_one() {
    let proxy = Scene::of_own(&[("weather-1", closed_port())]).start();
    let mut caller = Caller::connect(proxy.outbound).await;
    caller.send(&crate::caller::post("/weather/mcp", DISCOVER, CALL)).await;
    let began = Instant::now();
    // Waits longer than the proxy does, which is 10 s.
    let mut byte = [0];
    let ended = tokio::time::timeout(Duration::from_secs(20), caller.stream.peek(&mut byte)).await;
    assert!(matches!(ended, Ok(Ok(0) | Err(_))), "{ended:?}");
    assert!(began.elapsed() > Duration::from_secs(9), "{:?}", began.elapsed());
}
