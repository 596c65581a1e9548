//! Sessions that no store knows: each replica is asked once, and the one that accepts is remembered.

use outrigger_model::endpoint::EndpointState;

use crate::caller::{Answer, CALL, Caller, message, post};
use crate::mesh::{Proxy, Scene, closed_port};
use crate::server::{Manner, Server, field};

const NOTICE: &str = r#"{"jsonrpc":"2.0","method":"notifications/initialized"}"#;
const RESPONSE: &str = r#"{"jsonrpc":"2.0","id":1,"result":{}}"#;
const INITIALIZE: &str = r#"{"jsonrpc":"2.0","id":0,"method":"initialize","params":{}}"#;
const REPLICAS: [&str; 5] = ["weather-1", "weather-2", "weather-3", "weather-4", "weather-5"];

async fn servers(count: usize, manner: Manner) -> Vec<Server> {
    let mut servers = Vec::new();
    for name in &REPLICAS[..count] {
        servers.push(Server::start(name, manner).await);
    }
    servers
}

fn scene(servers: &[Server]) -> Scene {
    let agents: Vec<_> = servers.iter().zip(REPLICAS).map(|(server, name)| (name, server.address())).collect();
    Scene::of_own(&agents)
}

fn with(session: &str) -> String {
    format!("Mcp-Session-Id: {session}\r\nMCP-Protocol-Version: 2025-11-25\r\n")
}

fn bare(verb: &str, fields: &str) -> String {
    format!("{verb} /weather/mcp HTTP/1.1\r\nHost: localhost\r\nAccept: text/event-stream\r\n{fields}\r\n")
}

/// A session that `server` opened by itself, so that no proxy knows of it.
async fn opened_by(server: &Server) -> String {
    let answer = Caller::connect(server.address()).await.post("/mcp", "", INITIALIZE).await;
    field(&answer.head, "mcp-session-id").expect("an id")
}

async fn asked(proxy: &Proxy, request: &str) -> Answer {
    let mut caller = Caller::connect(proxy.outbound).await;
    caller.send(request).await;
    caller.answer().await
}

fn requests(servers: &[Server]) -> Vec<usize> {
    servers.iter().map(|server| server.requests().len()).collect()
}

#[tokio::test]
async fn every_kind_of_request_finds_its_session_wherever_that_is() {
    for stranger in [404, 400] {
        let manner = Manner { stranger, ..Manner::default() };
        for (kind, status) in
            [("call", 200), ("notice", 202), ("response", 202), ("get", 200), ("resume", 200), ("delete", 200)]
        {
            let servers = servers(5, manner).await;
            for server in &servers {
                let session = opened_by(server).await;
                let fields = with(&session);
                let request = match kind {
                    "call" => post("/weather/mcp", &fields, CALL),
                    "notice" => post("/weather/mcp", &fields, NOTICE),
                    "response" => post("/weather/mcp", &fields, RESPONSE),
                    "get" => bare("GET", &fields),
                    "resume" => bare("GET", &format!("{fields}Last-Event-ID: 7\r\n")),
                    _ => bare("DELETE", &fields),
                };
                let before = requests(&servers);
                let answer = asked(&scene(&servers).start(), &request).await;
                assert_eq!(answer.status, status, "{kind} {stranger}: {}", answer.head);
                let after = requests(&servers);
                assert!(after.iter().zip(&before).all(|(after, before)| after - before <= 1), "{kind}: once each");
            }
        }
    }
}

#[tokio::test]
async fn the_replica_that_accepts_is_remembered() {
    let servers = servers(3, Manner::default()).await;
    let proxy = scene(&servers).start();
    for server in &servers {
        let session = opened_by(server).await;
        let call = post("/weather/mcp", &with(&session), CALL);
        let first = asked(&proxy, &call).await;
        let before = requests(&servers).iter().sum::<usize>();
        assert_eq!(asked(&proxy, &call).await.body, first.body);
        assert_eq!(requests(&servers).iter().sum::<usize>(), before + 1);
    }
    assert_eq!(proxy.count("outrigger_session_searches_total{result=\"found\"}"), 3);
}

#[tokio::test]
async fn a_session_that_nobody_accepts_is_told_what_the_first_said() {
    let agents =
        [Server::start("weather-1", Manner::default()).await, Server::start("weather-2", Manner::default()).await];
    let mut scene = scene(&agents);
    scene.own.push(("weather-3", closed_port()));
    let proxy = scene.start();
    let answer = asked(&proxy, &post("/weather/mcp", &with("nobodys"), CALL)).await;
    assert_eq!(answer.status, 404);
    assert!(answer.text().starts_with("unknown to weather-"), "the agent's own words: {}", answer.text());
    assert_eq!(requests(&agents), [1, 1], "each once, and the one that is away is passed over");
    assert_eq!(proxy.count("outrigger_session_searches_total{result=\"unknown\"}"), 1);
}

#[tokio::test]
async fn a_replica_that_drains_is_asked_too() {
    let servers = servers(3, Manner::default()).await;
    let session = opened_by(&servers[1]).await;
    let mut scene = scene(&servers);
    scene.states = vec![("weather-2", EndpointState::Draining)];
    let answer = asked(&scene.start(), &post("/weather/mcp", &with(&session), CALL)).await;
    assert_eq!((answer.status, &answer.json()["result"]["from"]), (200, &"weather-2".into()));
}

#[tokio::test]
async fn only_what_is_unknown_legacy_and_kept_is_asked_elsewhere() {
    let servers = servers(3, Manner::default()).await;
    let proxy = scene(&servers).start();
    // A session that is known.
    let opened = asked(&proxy, &post("/weather/mcp", "", INITIALIZE)).await;
    let session = field(&opened.head, "mcp-session-id").expect("an id");
    servers.iter().for_each(Server::forget);
    let before = requests(&servers).iter().sum::<usize>();
    assert_eq!(asked(&proxy, &post("/weather/mcp", &with(&session), CALL)).await.status, 404);
    assert_eq!(requests(&servers).iter().sum::<usize>(), before + 1);
    // A modern call, which has no session, whatever its head says.
    let modern = "Mcp-Session-Id: x\r\nMCP-Protocol-Version: 2026-07-28\r\nMcp-Method: tools/call\r\n";
    assert_eq!(asked(&proxy, &post("/weather/mcp", modern, CALL)).await.status, 404);
    assert_eq!(requests(&servers).iter().sum::<usize>(), before + 2);
    // A body that is larger than what is kept.
    assert_eq!(asked(&proxy, &post("/weather/mcp", &with("x"), &message(100_000))).await.status, 404);
    assert_eq!(requests(&servers).iter().sum::<usize>(), before + 3);
}
