//! Where calls go that nothing holds.

use std::time::Duration;

use outrigger_model::pool::Balance;
use outrigger_model::route::{Affinity, RoutePolicy};

use crate::agent::Agent;
use crate::caller::{CALL, Caller};
use crate::mesh::Scene;

const OK: &str = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}";

fn tool(name: &str) -> String {
    format!("MCP-Protocol-Version: 2026-07-28\r\nMcp-Method: tools/call\r\nMcp-Name: {name}\r\n")
}

fn anywhere() -> RoutePolicy {
    RoutePolicy { affinity: Affinity::None, ..RoutePolicy::default() }
}

/// Answers each request after a while: slow by nature, not to wait for anything.
async fn slow() -> Agent {
    Agent::start(|mut conversation| async move {
        while conversation.request().await.is_some() {
            tokio::time::sleep(Duration::from_millis(40)).await;
            conversation.send(OK.as_bytes()).await;
        }
    })
    .await
}

#[tokio::test]
async fn a_slow_replica_is_asked_once_and_then_hardly_ever() {
    let agents = [Agent::answering(OK).await, slow().await, Agent::answering(OK).await];
    let own = [("weather-1", agents[0].address), ("weather-2", agents[1].address), ("weather-3", agents[2].address)];
    let proxy = Scene { policy: anywhere(), balance: Balance::PeakEwma, ..Scene::of_own(&own) }.start();
    let mut caller = Caller::connect(proxy.outbound).await;
    for _ in 0..60 {
        assert_eq!(caller.post("/weather/mcp", &tool("forecast"), CALL).await.status, 200);
    }
    let [first, second, third] = agents.each_ref().map(Agent::requests);
    assert!((1..=6).contains(&second) && first > 10 && third > 10, "{first} {second} {third}");
}

#[tokio::test]
async fn every_strategy_reaches_every_replica() {
    for balance in [Balance::RoundRobin, Balance::LeastRequest, Balance::Random, Balance::PeakEwma] {
        let (one, other) = (Agent::answering(OK).await, Agent::answering(OK).await);
        let own = [("weather-1", one.address), ("weather-2", other.address)];
        let proxy = Scene { policy: anywhere(), balance, ..Scene::of_own(&own) }.start();
        let mut caller = Caller::connect(proxy.outbound).await;
        for _ in 0..40 {
            assert_eq!(caller.post("/weather/mcp", &tool("forecast"), CALL).await.status, 200);
        }
        assert!(one.requests() > 0 && other.requests() > 0, "{balance:?}: {} {}", one.requests(), other.requests());
    }
    let (one, other) = (Agent::answering(OK).await, Agent::answering(OK).await);
    let own = [("weather-1", one.address), ("weather-2", other.address)];
    let proxy = Scene { policy: anywhere(), balance: Balance::ConsistentHash, ..Scene::of_own(&own) }.start();
    let mut caller = Caller::connect(proxy.outbound).await;
    for _ in 0..10 {
        caller.post("/weather/mcp", &tool("forecast"), CALL).await;
    }
    assert_eq!(one.requests().max(other.requests()), 10, "a caller stays where it is");
}

/// Fails at `forecast`, by an error in an answer with 200, and at nothing else.
async fn without_forecast() -> Agent {
    Agent::start(|mut conversation| async move {
        while let Some(request) = conversation.request().await {
            let body = match request.head.contains("Mcp-Name: forecast") {
                true => r#"{"jsonrpc":"2.0","id":"call-7","error":{"code":-32603,"message":"boom"}}"#,
                false => "{}",
            };
            let head =
                format!("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {}\r\n", body.len());
            conversation.send(format!("{head}\r\n{body}").as_bytes()).await;
        }
    })
    .await
}

#[tokio::test]
async fn a_tool_that_fails_at_one_replica_is_called_at_the_others_and_the_other_tools_stay() {
    let (bad, good) = (without_forecast().await, Agent::answering(OK).await);
    let own = [("weather-1", bad.address), ("weather-2", good.address)];
    let proxy = Scene { policy: anywhere(), ..Scene::of_own(&own) }.start();
    let mut caller = Caller::connect(proxy.outbound).await;
    let mut failed = 0;
    for _ in 0..20 {
        let answer = caller.post("/weather/mcp", &tool("forecast"), CALL).await;
        failed += usize::from(answer.text().contains("boom"));
    }
    assert_eq!(failed, 5, "then it is put aside");
    assert_eq!(proxy.count("outrigger_tools_put_aside_total"), 1);
    let before = bad.requests();
    let history = CALL.replace("forecast", "history");
    for _ in 0..10 {
        assert_eq!(caller.post("/weather/mcp", &tool("history"), &history).await.status, 200);
    }
    assert_eq!(bad.requests() - before, 5, "half of the calls of another tool");
    assert_eq!(proxy.count("outrigger_circuit_changes_total{to=\"open\"}"), 0);
}
