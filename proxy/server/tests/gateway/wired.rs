//! Dependencies of agents of mcp-mesh: calls are of one function, which each provider may call by a name of its own.

use std::collections::BTreeSet;

use crate::agent::Agent;
use crate::caller::{Caller, post};
use crate::mesh::{Scene, closed_port};

const PATH: &str = "/d/ask/weather/mcp";
const CALL: &str =
    r#"{"jsonrpc":"2.0", "id":1, "method":"tools/call", "params":{"name":"greet", "arguments":{"name":"greet"}}}"#;
const RENAMED: &str =
    r#"{"jsonrpc":"2.0", "id":1, "method":"tools/call", "params":{"name":"hello", "arguments":{"name":"greet"}}}"#;

fn scene(first: &Agent, second: &Agent) -> Scene {
    let own = [("weather-1", first.address), ("weather-2", second.address)];
    Scene { function: Some("greet"), tools: vec![("weather-2", "hello")], ..Scene::of_own(&own) }
}

/// What agents got of two calls, which go to one each.
async fn both(scene: &Scene, path: &str, headers: &str, body: &str) -> BTreeSet<String> {
    let proxy = scene.start();
    let mut seen = BTreeSet::new();
    for _ in 0..2 {
        // A caller of its own, so that none is held by where the one before went.
        let mut caller = Caller::connect(proxy.outbound).await;
        let answer = caller.post(path, headers, body).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        let text = answer.text().to_owned();
        let (head, body) = text.split_once("\r\n\r\n").expect("a head");
        assert!(head.to_lowercase().contains(&format!("content-length: {}", body.len())), "{text}");
        seen.insert(text);
    }
    seen
}

#[tokio::test]
async fn each_provider_gets_the_name_that_it_knows_and_every_other_byte_as_it_was() {
    let (first, second) = (Agent::echoing().await, Agent::echoing().await);
    let seen = both(&scene(&first, &second), PATH, "", CALL).await;
    assert!(seen.iter().any(|text| text.ends_with(CALL)), "{seen:?}");
    assert!(seen.iter().any(|text| text.ends_with(RENAMED)), "{seen:?}");
    assert_eq!((first.requests(), second.requests()), (1, 1));
}

#[tokio::test]
async fn the_head_says_the_same_as_the_body() {
    let (first, second) = (Agent::echoing().await, Agent::echoing().await);
    let headers = "MCP-Protocol-Version: 2026-07-28\r\nMcp-Method: tools/call\r\nMcp-Name: greet\r\n";
    let seen = both(&scene(&first, &second), PATH, headers, CALL).await;
    let renamed = seen.iter().find(|text| text.ends_with(RENAMED)).expect("one went to the other");
    assert!(renamed.contains("Mcp-Name: hello\r\n") && !renamed.contains("Mcp-Name: greet"), "{renamed}");
}

#[tokio::test]
async fn a_call_that_fails_over_is_written_for_the_next_provider() {
    let second = Agent::echoing().await;
    let own = [("weather-1", closed_port()), ("weather-2", second.address)];
    let proxy = Scene { function: Some("greet"), tools: vec![("weather-2", "hello")], ..Scene::of_own(&own) }.start();
    for _ in 0..3 {
        let answer = Caller::connect(proxy.outbound).await.post(PATH, "", CALL).await;
        assert!(answer.status == 200 && answer.text().ends_with(RENAMED), "{}", answer.text());
    }
}

#[tokio::test]
async fn a_caller_that_was_told_another_name_before_calls_what_there_is_now() {
    let agent = Agent::echoing().await;
    let proxy = Scene { function: Some("hello"), ..Scene::of_own(&[("weather-1", agent.address)]) }.start();
    let answer = Caller::connect(proxy.outbound).await.post(PATH, "", CALL).await;
    assert!(answer.text().ends_with(RENAMED), "{}", answer.text());
}

#[tokio::test]
async fn who_names_the_route_alone_calls_any_tool() {
    let agent = Agent::echoing().await;
    let proxy = Scene { function: Some("hello"), ..Scene::of_own(&[("weather-1", agent.address)]) }.start();
    let answer = Caller::connect(proxy.outbound).await.post("/weather/mcp", "", CALL).await;
    assert!(answer.text().ends_with(CALL), "{}", answer.text());
}

#[tokio::test]
async fn what_is_too_large_to_be_written_anew_goes_where_it_need_not_be() {
    let (first, second) = (Agent::echoing().await, Agent::echoing().await);
    let proxy = scene(&first, &second).start();
    let filler = "x".repeat(200_000);
    let large = CALL.replace(r#""name":"greet"}"#, &format!(r#""name":"{filler}"}}"#));
    for _ in 0..4 {
        let answer = Caller::connect(proxy.outbound).await.post(PATH, "", &large).await;
        assert!(answer.status == 200 && answer.text().ends_with(&large));
    }
    assert_eq!((first.requests(), second.requests()), (4, 0));
}

#[tokio::test]
async fn a_body_in_chunks_is_written_with_its_length() {
    let agent = Agent::echoing().await;
    let proxy = Scene { function: Some("hello"), ..Scene::of_own(&[("weather-1", agent.address)]) }.start();
    let mut caller = Caller::connect(proxy.outbound).await;
    caller.send(&format!("POST {PATH} HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n")).await;
    let (front, rest) = CALL.split_at(40);
    caller.send(&format!("{:x}\r\n{front}\r\n", front.len())).await;
    caller.send(&format!("{:x}\r\n{rest}\r\n0\r\n\r\n", rest.len())).await;
    let answer = caller.answer().await;
    assert!(answer.text().ends_with(RENAMED) && !answer.text().to_lowercase().contains("chunked"), "{}", answer.text());
    caller.send(&post(PATH, "", CALL)).await;
    assert!(caller.answer().await.text().ends_with(RENAMED), "the connection goes on");
}
