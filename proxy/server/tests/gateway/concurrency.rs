//! How many calls are under way at once.

use std::sync::Arc;
use std::time::Duration;

use outrigger_model::pool::policy::{Concurrency, PoolPolicy};
use tokio::sync::Semaphore;

use crate::agent::Agent;
use crate::caller::{Answer, CALL, Caller, PATIENCE};
use crate::mesh::{Proxy, Scene};

const OK: &str = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}";
const STREAM: &str = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n";
const TOOL: &str = "MCP-Protocol-Version: 2026-07-28\r\nMcp-Method: tools/call\r\nMcp-Name: forecast\r\n";

/// Answers as many calls as it is let; a stream it opens at once and says nothing on.
async fn held() -> (Agent, Arc<Semaphore>) {
    let lets = Arc::new(Semaphore::new(0));
    let may = Arc::clone(&lets);
    let agent = Agent::start(move |mut conversation| {
        let may = Arc::clone(&may);
        async move {
            while let Some(request) = conversation.request().await {
                if request.head.starts_with("GET") {
                    conversation.send(STREAM.as_bytes()).await;
                    continue;
                }
                may.acquire().await.expect("open").forget();
                conversation.send(OK.as_bytes()).await;
            }
        }
    });
    (agent.await, lets)
}

fn scene(agent: &Agent, concurrency: Concurrency) -> Scene {
    let pool_policy = PoolPolicy { concurrency, ..PoolPolicy::default() };
    Scene { pool_policy, ..Scene::of_own(&[("weather-1", agent.address)]) }
}

fn of_total(total: u32) -> Concurrency {
    Concurrency { total: Some(total), queue_wait: Duration::from_secs(60), ..Concurrency::default() }
}

async fn call(address: std::net::SocketAddr, path: &str) -> Answer {
    Caller::connect(address).await.post(path, TOOL, CALL).await
}

/// Until as many requests came.
async fn reached(agent: &Agent, count: usize) {
    let come = async {
        while agent.requests() < count {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(PATIENCE, come).await.expect("a request in time");
}

/// Until as many calls wait.
async fn waiting(proxy: &Proxy, count: u64) {
    let reached = async {
        while proxy.count("outrigger_calls_waiting") != count {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(PATIENCE, reached).await.unwrap_or_else(|_| panic!("{count} calls never waited"));
}

#[tokio::test]
async fn calls_beyond_the_limit_wait_and_are_sent_when_there_is_room() {
    for concurrency in [of_total(2), Concurrency { total: None, per_endpoint: Some(2), ..of_total(1) }] {
        let (agent, lets) = held().await;
        let proxy = scene(&agent, concurrency).start();
        let calls: Vec<_> = (0..5).map(|_| tokio::spawn(call(proxy.outbound, "/weather/mcp"))).collect();
        waiting(&proxy, 3).await;
        reached(&agent, 2).await;
        assert_eq!(agent.requests(), 2, "nothing of those that wait was sent");
        lets.add_permits(5);
        for call in calls {
            assert_eq!(call.await.expect("a call").status, 200);
        }
        waiting(&proxy, 0).await;
        assert_eq!(proxy.count("outrigger_calls_waited_total{result=\"entered\"}"), 3);
    }
}

#[tokio::test]
async fn the_line_is_bounded_in_length_and_in_time() {
    let (agent, lets) = held().await;
    let mut proxy = scene(&agent, Concurrency { queue: 0, ..of_total(1) }).start();
    let first = tokio::spawn(call(proxy.outbound, "/weather/mcp"));
    reached(&agent, 1).await;
    let answer = call(proxy.outbound, "/weather/mcp").await;
    assert_eq!((answer.status, answer.reason().as_str()), (503, "overloaded"));
    assert!(answer.has_header("retry-after: 1"), "{}", answer.head);
    lets.add_permits(1);
    assert_eq!(first.await.expect("a call").status, 200);
    proxy.stop(Duration::ZERO).await;

    let proxy = scene(&agent, Concurrency { queue_wait: Duration::from_millis(20), ..of_total(1) }).start();
    let first = tokio::spawn(call(proxy.outbound, "/weather/mcp"));
    reached(&agent, 2).await;
    assert_eq!(call(proxy.outbound, "/weather/mcp").await.reason(), "overloaded");
    assert_eq!(proxy.count("outrigger_calls_waited_total{result=\"timed_out\"}"), 1);
    lets.add_permits(1);
    assert_eq!(first.await.expect("a call").status, 200);
    assert_eq!(agent.requests(), 2);
}

#[tokio::test]
async fn who_leaves_the_line_is_not_waited_for() {
    let (agent, lets) = held().await;
    let proxy = scene(&agent, of_total(1)).start();
    let first = tokio::spawn(call(proxy.outbound, "/weather/mcp"));
    reached(&agent, 1).await;
    let leaves = tokio::spawn(call(proxy.outbound, "/weather/mcp"));
    waiting(&proxy, 1).await;
    leaves.abort();
    waiting(&proxy, 0).await;
    lets.add_permits(1);
    assert_eq!(first.await.expect("a call").status, 200);
    assert_eq!((agent.requests(), proxy.count("outrigger_calls_waited_total{result=\"left\"}")), (1, 1));
}

#[tokio::test]
async fn a_stream_that_only_listens_takes_no_room() {
    let (agent, lets) = held().await;
    let proxy = scene(&agent, Concurrency { queue: 0, ..of_total(1) }).start();
    let mut streams = Vec::new();
    for _ in 0..3 {
        let mut caller = Caller::connect(proxy.outbound).await;
        caller.send("GET /weather/mcp HTTP/1.1\r\nHost: localhost\r\nAccept: text/event-stream\r\n\r\n").await;
        assert_eq!(caller.head().await.status, 200);
        streams.push(caller);
    }
    lets.add_permits(1);
    assert_eq!(call(proxy.outbound, "/weather/mcp").await.status, 200);
    let world = proxy.worlds.current();
    let live = &world.replica("weather-1").expect("a replica").live;
    assert_eq!((live.streams(), live.in_flight()), (3, 0));
}

#[tokio::test]
async fn the_proxy_beside_an_agent_holds_all_callers_together_to_its_limit() {
    let (agent, lets) = held().await;
    let concurrency = Concurrency { per_endpoint: Some(1), total: None, queue: 0, ..of_total(1) };
    let beside = scene(&agent, concurrency).start();
    let far = Scene::of_peers(&[("weather-1", beside.inbound, None)]).start();
    let first = tokio::spawn(call(far.outbound, "/weather/mcp"));
    reached(&agent, 1).await;
    let answer = call(beside.inbound, "/agents/weather-1/mcp").await;
    assert_eq!((answer.status, answer.reason().as_str()), (503, "overloaded"));
    assert!(answer.has_header("outrigger-refusal: overloaded"), "{}", answer.head);
    assert_eq!(
        call(far.outbound, "/weather/mcp").await.reason(),
        "no_endpoint",
        "nothing was sent, and nobody else is there"
    );
    lets.add_permits(1);
    assert_eq!(first.await.expect("a call").status, 200);
    assert_eq!(agent.requests(), 1);
}
