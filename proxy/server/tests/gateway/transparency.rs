//! What passes, and how it arrives.

use crate::agent::Agent;
use crate::caller::{CALL, Caller, message, post};
use crate::mesh::Scene;

#[tokio::test]
async fn a_call_reaches_the_own_agent_with_its_bytes_unchanged() {
    let agent = Agent::echoing().await;
    let proxy = Scene::of_own(&[("weather-1", agent.address)]).start();
    let odd = "{ \"jsonrpc\" :\"2.0\",\t\"id\": 1e2, \"method\":\"x/y\", \"n\": 12345678901234567890123 }\n";
    let mut caller = Caller::connect(proxy.outbound).await;
    let answer = caller.post("/weather/mcp", "X-Unknown_header.a: b\r\nMcp-Param-a_b: \r\n", odd).await;
    assert_eq!(answer.status, 200);
    let seen = answer.text();
    assert!(seen.ends_with(odd), "{seen}");
    assert!(seen.starts_with("POST /mcp HTTP/1.1\r\n"), "{seen}");
    assert!(seen.contains(&format!("Host: {}\r\n", agent.address)), "{seen}");
    assert!(seen.to_lowercase().contains("x-forwarded-host: 127.0.0.1\r\n"), "{seen}");
    assert!(seen.contains("X-Unknown_header.a: b\r\n") && seen.contains("Mcp-Param-a_b: "), "{seen}");
}

#[tokio::test]
async fn a_connection_carries_many_calls_and_all_path_forms() {
    let agent = Agent::echoing().await;
    let proxy = Scene::of_own(&[("weather-1", agent.address)]).start();
    let mut caller = Caller::connect(proxy.outbound).await;
    for path in ["/weather/mcp", "/weather/mcp/", "/agents/weather/mcp", "/agents/weather-1/mcp/"] {
        let answer = caller.post(path, "", CALL).await;
        assert_eq!(answer.status, 200, "{path}: {}", answer.text());
    }
    assert_eq!(agent.requests(), 4);
}

#[tokio::test]
async fn two_calls_sent_at_once_are_both_answered() {
    let agent = Agent::echoing().await;
    let proxy = Scene::of_own(&[("weather-1", agent.address)]).start();
    let mut caller = Caller::connect(proxy.outbound).await;
    let both = format!("{}{}", post("/weather/mcp", "", CALL), post("/weather/mcp", "X-Second: yes\r\n", CALL));
    caller.send(&both).await;
    assert_eq!(caller.answer().await.status, 200);
    assert!(caller.answer().await.text().contains("X-Second: yes"));
}

#[tokio::test]
async fn methods_of_http_pass_as_they_are() {
    let agent = Agent::echoing().await;
    let proxy = Scene::of_own(&[("weather-1", agent.address)]).start();
    for method in ["GET", "DELETE", "OPTIONS", "PUT"] {
        let mut caller = Caller::connect(proxy.outbound).await;
        caller.send(&format!("{method} /weather/mcp?a=%20b HTTP/1.1\r\nHost: localhost:1\r\n\r\n")).await;
        let answer = caller.answer().await;
        assert!(answer.text().starts_with(&format!("{method} /mcp?a=%20b HTTP/1.1\r\n")), "{}", answer.text());
    }
    let mut caller = Caller::connect(proxy.outbound).await;
    caller.send("HEAD /weather/mcp HTTP/1.1\r\nHost: localhost:1\r\n\r\n").await;
    assert_eq!(caller.head().await.status, 200);
}

#[tokio::test]
async fn a_body_without_a_length_arrives_whole() {
    let agent = Agent::echoing().await;
    let proxy = Scene::of_own(&[("weather-1", agent.address)]).start();
    let head = "POST /weather/mcp HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n";
    let big = message(200_000);
    for parts in [vec![CALL], vec![&CALL[..9], &CALL[9..]], vec![&big[..150_000], &big[150_000..]]] {
        let mut caller = Caller::connect(proxy.outbound).await;
        caller.send(head).await;
        for part in &parts {
            caller.send(&format!("{:x}\r\n{part}\r\n", part.len())).await;
        }
        caller.send("0\r\n\r\n").await;
        let answer = caller.answer().await;
        assert!(answer.whole && answer.text().ends_with(&parts.concat()), "{}", parts.len());
    }
}

#[tokio::test]
async fn large_bodies_with_a_length_arrive_whole() {
    let agent = Agent::echoing().await;
    let proxy = Scene::of_own(&[("weather-1", agent.address)]).start();
    let mut caller = Caller::connect(proxy.outbound).await;
    for size in [0, 1, 10_000, 65_470, 65_471, 65_472, 65_473, 65_474, 65_535, 65_536, 65_537, 100_000, 3_000_000] {
        let body = message(size);
        let answer = caller.post("/weather/mcp", "", &body).await;
        assert!(answer.whole && answer.text().ends_with(&body), "{size}");
    }
}

#[tokio::test]
async fn who_waits_for_a_continue_gets_one_and_the_agent_does_not_hear_of_it() {
    let agent = Agent::echoing().await;
    let proxy = Scene::of_own(&[("weather-1", agent.address)]).start();
    let mut caller = Caller::connect(proxy.outbound).await;
    // The second has to be looked into before it is known where it goes.
    for headers in ["MCP-Protocol-Version: 2025-11-25\r\n", ""] {
        let request = post("/weather/mcp", &format!("{headers}Expect: 100-continue\r\n"), CALL);
        let (head, body) = request.split_once("\r\n\r\n").expect("a head");
        caller.send(&format!("{head}\r\n\r\n")).await;
        assert_eq!(caller.head().await.status, 100);
        caller.send(body).await;
        let answer = caller.answer().await;
        assert_eq!(answer.status, 200);
        assert!(
            answer.text().ends_with(CALL) && !answer.text().to_lowercase().contains("expect:"),
            "{}",
            answer.text()
        );
    }
    let headers = "MCP-Protocol-Version: 2025-11-25\r\nExpect: 100-continue\r\n";
    let refused = caller.post("/nobody/mcp", headers, "").await;
    assert_eq!(refused.status, 404, "a refusal needs no body");
}

#[tokio::test]
async fn headers_of_ours_never_reach_an_agent() {
    let agent = Agent::echoing().await;
    let proxy = Scene::of_own(&[("weather-1", agent.address)]).start();
    let mut caller = Caller::connect(proxy.outbound).await;
    let answer = caller.post("/weather/mcp", "Outrigger-Caller: boss\r\n", CALL).await;
    assert!(!answer.text().to_lowercase().contains("outrigger-"), "{}", answer.text());
}

#[tokio::test]
async fn an_agent_may_be_named_by_a_host_name() {
    let agent = Agent::echoing().await;
    let proxy = Scene { host: Some("localhost"), ..Scene::of_own(&[("weather-1", agent.address)]) }.start();
    for _ in 0..3 {
        let answer = Caller::connect(proxy.outbound).await.post("/weather/mcp", "", CALL).await;
        assert!(answer.text().contains(&format!("Host: localhost:{}\r\n", agent.address.port())), "{}", answer.text());
    }
}
