//! Sessions: learned, followed, lost, and never waiting for Redis.

use std::sync::Arc;
use std::time::{Duration, Instant};

use outrigger_model::route::Affinity;
use outrigger_proxy::config::file::SessionsFile;
use outrigger_proxy::config::{ProxyFile, Settings, Written};
use outrigger_proxy::lifecycle::Readiness;
use outrigger_proxy::session::redis::Redis;
use outrigger_proxy::session::sealer::Sealer;
use outrigger_proxy::telemetry::{Events, Metrics};
use tokio::net::TcpListener;

use crate::agent::Agent;
use crate::caller::{CALL, Caller};
use crate::mesh::{Scene, closed_port};

const INITIALIZE: &str = r#"{"jsonrpc":"2.0","id":0,"method":"initialize","params":{}}"#;

/// An agent that mints `id`, answers calls of that session with its own name, and 404 to every other session.
async fn stateful(id: &'static str) -> Agent {
    Agent::start(move |mut conversation| async move {
        while let Some(request) = conversation.request().await {
            let head = request.head.to_lowercase();
            let answer = match head.split_once("mcp-session-id: ") {
                None => format!("HTTP/1.1 200 OK\r\nMcp-Session-Id: {id}\r\nContent-Length: 2\r\n\r\n{{}}"),
                Some((_, rest)) if rest.lines().next() == Some(id) => {
                    format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{id}", id.len())
                }
                Some(_) => "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n".to_owned(),
            };
            conversation.send(answer.as_bytes()).await;
        }
    })
    .await
}

fn session_of(head: &str) -> String {
    let lower = head.to_lowercase();
    let (_, rest) = lower.split_once("mcp-session-id: ").expect("a session id");
    rest.lines().next().expect("a line").to_owned()
}

async fn open(caller: &mut Caller) -> String {
    let answer = caller.post("/weather/mcp", "", INITIALIZE).await;
    assert_eq!(answer.status, 200, "{}", answer.head);
    session_of(&answer.head)
}

fn with(session: &str) -> String {
    format!("Mcp-Session-Id: {session}\r\nMCP-Protocol-Version: 2025-11-25\r\n")
}

#[tokio::test]
async fn every_call_of_a_session_lands_on_its_replica() {
    let (one, two) = (stateful("s-one").await, stateful("s-two").await);
    let mut scene = Scene::of_own(&[("weather-1", one.address), ("weather-2", two.address)]);
    scene.policy.affinity = Affinity::Keys;
    let proxy = scene.start();
    let mut caller = Caller::connect(proxy.outbound).await;
    let (first, second) = (open(&mut caller).await, open(&mut caller).await);
    assert_ne!(first, second, "new sessions spread");
    for _ in 0..10 {
        assert_eq!(caller.post("/weather/mcp", &with(&first), CALL).await.text(), first);
        assert_eq!(caller.post("/weather/mcp", &with(&second), CALL).await.text(), second);
    }
}

#[tokio::test]
async fn a_session_whose_replica_left_or_restarted_is_404() {
    let (one, two) = (stateful("s-one").await, stateful("s-one").await);
    let scene = Scene::of_own(&[("weather-1", one.address)]);
    let proxy = scene.start();
    let mut caller = Caller::connect(proxy.outbound).await;
    let session = open(&mut caller).await;
    proxy.show(&Scene { generation: 2, ..scene });
    let answer = caller.post("/weather/mcp", &with(&session), CALL).await;
    assert_eq!((answer.status, answer.reason().as_str()), (404, "session_gone"));

    let session = open(&mut caller).await;
    proxy.show(&Scene::of_own(&[("weather-2", two.address)]));
    let answer = caller.post("/weather/mcp", &with(&session), CALL).await;
    assert_eq!((answer.status, answer.reason().as_str()), (404, "session_gone"));
}

#[tokio::test]
async fn a_session_whose_peer_refuses_connections_waits_for_it_and_never_goes_elsewhere() {
    let (one, two) = (stateful("s-one").await, stateful("s-two").await);
    let provider = Scene::of_own(&[("weather-1", one.address)]).start();
    let proxy = Scene::of_peers(&[("weather-1", provider.inbound, None)]).start();
    let mut caller = Caller::connect(proxy.outbound).await;
    let session = open(&mut caller).await;
    let other = Scene::of_own(&[("weather-2", two.address)]).start();
    proxy.show(&Scene::of_peers(&[("weather-1", closed_port(), None), ("weather-2", other.inbound, None)]));
    let answer = caller.post("/weather/mcp", &with(&session), CALL).await;
    assert_eq!((answer.status, answer.reason().as_str()), (503, "session_unreachable"));
    assert_eq!(two.requests(), 0);
}

#[tokio::test]
async fn a_session_whose_agent_closed_its_port_is_gone_at_once() {
    let (one, two) = (stateful("s-one").await, stateful("s-two").await);
    let scene = Scene::of_own(&[("weather-1", one.address)]);
    let provider = scene.start();
    let far = Scene::of_peers(&[("weather-1", provider.inbound, None)]).start();
    let near = scene.start();
    let closed = Scene::of_own(&[("weather-1", closed_port()), ("weather-2", two.address)]);
    for proxy in [&far, &near] {
        let mut caller = Caller::connect(proxy.outbound).await;
        let session = open(&mut caller).await;
        let watched = if std::ptr::eq(proxy, &far) { &provider } else { &near };
        watched.show(&closed);
        let answer = caller.post("/weather/mcp", &with(&session), CALL).await;
        assert_eq!((answer.status, answer.reason().as_str()), (404, "session_gone"));
    }
    assert_eq!(two.requests(), 0);
}

#[tokio::test]
async fn an_agents_404_forgets_the_session_and_its_delete_too() {
    let agent = stateful("s-one").await;
    let scene = Scene::of_own(&[("weather-1", agent.address)]);
    let proxy = scene.start();
    let mut caller = Caller::connect(proxy.outbound).await;
    let session = open(&mut caller).await;
    caller.send(&format!("DELETE /weather/mcp HTTP/1.1\r\nHost: localhost\r\nMcp-Session-Id: {session}\r\n\r\n")).await;
    assert_eq!(caller.answer().await.status, 200);
    // Forgotten, so that a new generation is no reason for a refusal of ours: the agent itself is asked.
    proxy.show(&Scene { generation: 2, ..scene });
    let answer = caller.post("/weather/mcp", &with(&session), CALL).await;
    assert_eq!((answer.status, answer.text()), (200, "s-one"));
}

async fn silent_redis() -> Arc<Redis> {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("bind");
    let url = format!("redis://{}/", listener.local_addr().expect("address"));
    tokio::spawn(async move {
        let mut held = Vec::new();
        while let Ok(connection) = listener.accept().await {
            held.push(connection);
        }
    });
    let file =
        ProxyFile { sessions: SessionsFile { redis_url: Some(url), ..Default::default() }, ..Default::default() };
    let written = Written { file, host_name: "here".to_owned(), ..Default::default() };
    let settings = Settings::try_from(written).expect("settings").sessions.redis.expect("redis");
    let (events, readiness) = (Arc::new(Events::new(Metrics::default())), Readiness::default());
    let redis = Redis::start(&settings, "session:", Duration::from_millis(50), Sealer::default(), &events, &readiness);
    Arc::new(redis.expect("started"))
}

#[tokio::test]
async fn a_redis_that_never_answers_delays_no_call() {
    let agent = stateful("s-one").await;
    let mut scene = Scene::of_own(&[("weather-1", agent.address)]);
    scene.shared = Some(silent_redis().await);
    let began = Instant::now();
    let proxy = scene.start();
    let mut caller = Caller::connect(proxy.outbound).await;
    for _ in 0..20 {
        let session = open(&mut caller).await;
        assert_eq!(caller.post("/weather/mcp", &with(&session), CALL).await.text(), "s-one");
    }
    assert!(began.elapsed() < Duration::from_secs(3), "{:?}", began.elapsed());
}
