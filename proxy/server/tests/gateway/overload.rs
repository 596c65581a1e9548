//! Too much to do: who is refused first, on both sides, and who is let in whatever there is to do.

use outrigger_model::route::RoutePolicy;
use outrigger_model::traffic::{Priority, Traffic};

use crate::agent::Agent;
use crate::caller::{Answer, CALL, Caller, in_session};
use crate::mesh::{Proxy, Scene};

fn scene(agent: &Agent, priority: Priority) -> Scene {
    let traffic = Traffic { priority, ..Traffic::default() };
    let policy = RoutePolicy { traffic, ..RoutePolicy::default() };
    Scene { policy, in_flight_max: Some(1_000), ..Scene::of_own(&[("weather-1", agent.address)]) }
}

fn under(proxy: &Proxy, level: u32) {
    proxy.overload.as_ref().expect("limits").memory_is(level);
}

fn is_overloaded(answer: &Answer) {
    assert_eq!((answer.status, answer.reason().as_str()), (503, "overloaded"));
    assert!(answer.has_header("Retry-After: 1"), "{}", answer.head);
}

const GET: &str = "GET /weather/mcp HTTP/1.1\r\nHost: localhost\r\nAccept: text/event-stream\r\n\r\n";

/// How calls and streams of each priority fare at so much pressure.
#[tokio::test]
async fn streams_and_low_priority_are_refused_first_and_high_priority_last() {
    let rows = [
        (Priority::Low, [(849, 200, 200), (850, 503, 503), (1_000, 503, 503)]),
        (Priority::Normal, [(849, 200, 200), (850, 200, 503), (950, 503, 503)]),
        (Priority::High, [(849, 200, 200), (950, 200, 503), (1_000, 503, 503)]),
    ];
    for (priority, rows) in rows {
        let agent = Agent::echoing().await;
        let proxy = scene(&agent, priority).start();
        for (level, call, stream) in rows {
            under(&proxy, level);
            let mut caller = Caller::connect(proxy.outbound).await;
            assert_eq!(caller.post("/weather/mcp", "", CALL).await.status, call, "{priority:?} at {level}");
            caller.send(GET).await;
            assert_eq!(caller.answer().await.status, stream, "a stream, {priority:?} at {level}");
        }
        under(&proxy, 0);
        let mut caller = Caller::connect(proxy.outbound).await;
        assert_eq!(caller.post("/weather/mcp", "", CALL).await.status, 200, "it recovers");
    }
}

#[tokio::test]
async fn a_refusal_comes_with_the_id_and_the_time_to_wait_and_nothing_reaches_the_agent() {
    let agent = Agent::echoing().await;
    let proxy = scene(&agent, Priority::Normal).start();
    under(&proxy, 960);
    let mut caller = Caller::connect(proxy.outbound).await;
    let answer = caller.post("/weather/mcp", "", CALL).await;
    is_overloaded(&answer);
    assert_eq!(answer.json()["id"], "call-7");
    assert_eq!(agent.requests(), 0);
    assert_eq!(caller.end("s-1").await.status, 200, "what ends a session makes room");
}

#[tokio::test]
async fn calls_in_flight_press_too() {
    let agent = Agent::start(|mut conversation| async move {
        conversation.request().await;
        // It never answers.
        conversation.closed().await;
    })
    .await;
    let proxy = Scene { in_flight_max: Some(2), ..scene(&agent, Priority::Normal) }.start();
    let (mut first, mut second) = (Caller::connect(proxy.outbound).await, Caller::connect(proxy.outbound).await);
    for (at, caller) in [&mut first, &mut second].into_iter().enumerate() {
        caller.send(&crate::caller::post("/weather/mcp", "", CALL)).await;
        while agent.requests() <= at {
            tokio::task::yield_now().await;
        }
    }
    let mut third = Caller::connect(proxy.outbound).await;
    is_overloaded(&third.post("/weather/mcp", "", CALL).await);
}

#[tokio::test]
async fn the_proxy_beside_the_agent_goes_by_what_the_calling_proxy_says_and_not_by_strangers() {
    let agent = Agent::echoing().await;
    let beside = scene(&agent, Priority::Normal).start();
    under(&beside, 960);
    for (priority, status) in [(Priority::Low, 503), (Priority::Normal, 503), (Priority::High, 200)] {
        let policy = scene(&agent, priority).policy;
        let proxy = Scene { policy, ..Scene::of_peers(&[("weather-1", beside.inbound, None)]) }.start();
        let mut caller = Caller::connect(proxy.outbound).await;
        let answer = caller.post("/weather/mcp", "Outrigger-Priority: high\r\n", CALL).await;
        assert_eq!(answer.status, status, "{priority:?}: {}", answer.text());
        if status == 200 {
            assert!(!answer.text().to_lowercase().contains("outrigger-"), "{}", answer.text());
        }
    }
}

#[tokio::test]
async fn a_session_goes_on_below_the_limits() {
    let agent = Agent::echoing().await;
    let proxy = scene(&agent, Priority::Normal).start();
    under(&proxy, 900);
    let mut caller = Caller::connect(proxy.outbound).await;
    assert_eq!(caller.post("/weather/mcp", &in_session("s-1"), CALL).await.status, 200);
}
