//! Event streams, answers that break off, and callers that leave.

use std::sync::Arc;
use std::time::{Duration, Instant};

use outrigger_model::route::{Limits, RoutePolicy, Timeouts};
use tokio::sync::{Notify, mpsc};

use crate::agent::Agent;
use crate::caller::{CALL, Caller, PATIENCE, post};
use crate::mesh::{Authority, Scene};

const WEATHER: &str = "spiffe://mesh.local/agent/weather";

const STREAM: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n";

#[tokio::test]
async fn events_arrive_one_by_one_through_one_proxy_and_through_two() {
    let (go, went) = mpsc::channel::<()>(1);
    let went = Arc::new(tokio::sync::Mutex::new(went));
    let agent = Agent::start(move |mut conversation| {
        let went = Arc::clone(&went);
        async move {
            conversation.request().await;
            conversation.send(STREAM).await;
            for number in 0..5 {
                let event = event(number);
                conversation.send(format!("{:x}\r\n{event}\r\n", event.len()).as_bytes()).await;
                went.lock().await.recv().await;
            }
            conversation.send(b"0\r\n\r\n").await;
        }
    })
    .await;
    let authority = Authority::new();
    let own = Scene::of_own(&[("weather-1", agent.address)]);
    let alone = own.start();
    let provider = Scene { material: Some(authority.issue(WEATHER)), ..own.clone() }.start();
    let peers = Scene::of_peers(&[("weather-1", provider.inbound, Some(WEATHER.parse().expect("an id")))]);
    let caller = Scene { material: Some(authority.issue(WEATHER)), ..peers }.start();
    for proxy in [&alone, &caller] {
        let mut caller = Caller::connect(proxy.outbound).await;
        caller.send(&post("/weather/mcp", "", CALL)).await;
        assert_eq!(caller.head().await.status, 200);
        for number in 0..5 {
            // The agent sends the next event only after this one was read here: nothing may be held back.
            let chunk = caller.chunk().await.expect("an event");
            assert_eq!(String::from_utf8(chunk).expect("text"), event(number));
            go.send(()).await.expect("the agent listens");
        }
        assert_eq!(caller.chunk().await, Some(Vec::new()));
    }
}

/// The first kind of event that a 2025-11-25 server sends: an id, and no data.
fn event(number: usize) -> String {
    format!("id: {number}\r\ndata: \r\n\r\n")
}

#[tokio::test]
async fn an_answer_that_breaks_off_is_seen_as_broken() {
    for beginning in [
        [STREAM, b"5\r\nhello\r\n"].concat(),
        // Short ones are awaited whole.
        b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 100000\r\n\r\n{\"a\":".to_vec(),
    ] {
        let agent = Agent::start(move |mut conversation| {
            let beginning = beginning.clone();
            async move {
                conversation.request().await;
                conversation.send(&beginning).await;
            }
        })
        .await;
        let proxy = Scene::of_own(&[("weather-1", agent.address)]).start();
        let answer = Caller::connect(proxy.outbound).await.post("/weather/mcp", "", CALL).await;
        assert_eq!(answer.status, 200);
        assert!(!answer.body.is_empty() && !answer.whole, "{answer:?}");
    }
}

#[tokio::test]
async fn a_caller_that_leaves_closes_the_call_at_the_agent_at_once() {
    for begun in [true, false] {
        let gone = Arc::new(Notify::new());
        let told = Arc::clone(&gone);
        let agent = Agent::start(move |mut conversation| {
            let told = Arc::clone(&told);
            async move {
                conversation.request().await;
                if begun {
                    conversation.send(STREAM).await;
                }
                conversation.closed().await;
                told.notify_one();
            }
        })
        .await;
        let proxy = Scene::of_own(&[("weather-1", agent.address)]).start();
        let mut caller = Caller::connect(proxy.outbound).await;
        caller.send(&post("/weather/mcp", "", CALL)).await;
        if begun {
            caller.head().await;
        } else {
            while agent.requests() == 0 {
                tokio::task::yield_now().await;
            }
        }
        drop(caller);
        tokio::time::timeout(PATIENCE, gone.notified()).await.expect("the agent's connection closes");
    }
}

#[tokio::test]
async fn an_agent_that_dies_before_it_answers_is_a_502_and_is_asked_once() {
    let agent = Agent::start(|mut conversation| async move {
        conversation.request().await;
    })
    .await;
    let proxy = Scene::of_own(&[("weather-1", agent.address)]).start();
    let answer = Caller::connect(proxy.outbound).await.post("/weather/mcp", "", CALL).await;
    assert_eq!((answer.status, answer.reason().as_str()), (502, "upstream_lost"));
    assert_eq!(answer.json()["error"]["data"]["may_have_run"], true);
    assert_eq!(answer.json()["id"], "call-7");
    assert_eq!(agent.requests(), 1);
}

#[tokio::test]
async fn an_agent_that_does_not_answer_in_time_is_a_504_and_a_quiet_stream_is_not() {
    let agent = Agent::start(|mut conversation| async move {
        if conversation.request().await.is_some_and(|request| request.head.contains("X-Stream")) {
            conversation.send(STREAM).await;
        }
        conversation.closed().await;
    })
    .await;
    let usual = Timeouts::default();
    let call = Limits { first_byte: Some(Duration::from_millis(100)), ..usual.call };
    let timeouts = Timeouts { call, ..usual };
    let policy = RoutePolicy { timeouts, ..RoutePolicy::default() };
    let proxy = Scene { policy, ..Scene::of_own(&[("weather-1", agent.address)]) }.start();
    let mut quiet = Caller::connect(proxy.outbound).await;
    quiet.send(&post("/weather/mcp", "X-Stream: yes\r\n", CALL)).await;
    assert_eq!(quiet.head().await.status, 200);

    let answer = Caller::connect(proxy.outbound).await.post("/weather/mcp", "", CALL).await;
    assert_eq!((answer.status, answer.reason().as_str()), (504, "upstream_timeout"));
    assert_eq!(agent.requests(), 2);
    // The quiet stream began before the call that ran into its limit, and is still open.
    let more = tokio::time::timeout(Duration::from_millis(50), quiet.chunk()).await;
    assert!(more.is_err(), "{more:?}");
}

#[tokio::test]
async fn stopping_lets_a_call_end_within_the_grace_and_cuts_it_after() {
    let release = Arc::new(Notify::new());
    let released = Arc::clone(&release);
    let agent = Agent::start(move |mut conversation| {
        let released = Arc::clone(&released);
        async move {
            conversation.request().await;
            released.notified().await;
            conversation.send(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok").await;
        }
    })
    .await;
    let mut proxy = Scene::of_own(&[("weather-1", agent.address)]).start();
    let mut caller = Caller::connect(proxy.outbound).await;
    caller.send(&post("/weather/mcp", "", CALL)).await;
    while agent.requests() == 0 {
        tokio::task::yield_now().await;
    }
    let (stopped, answer) = tokio::join!(proxy.stop(PATIENCE), async {
        release.notify_one();
        caller.answer().await
    });
    let () = stopped;
    assert_eq!(answer.text(), "ok");

    let mut proxy = Scene::of_own(&[("weather-1", agent.address)]).start();
    let mut caller = Caller::connect(proxy.outbound).await;
    caller.send(&post("/weather/mcp", "", CALL)).await;
    while agent.requests() == 1 {
        tokio::task::yield_now().await;
    }
    proxy.stop(Duration::from_millis(50)).await;
    assert!(caller.try_head().await.is_none());
}

#[tokio::test]
async fn stopping_waits_for_no_idle_connection() {
    let agent = Agent::echoing().await;
    let mut proxy = Scene::of_own(&[("weather-1", agent.address)]).start();
    let _silent = Caller::connect(proxy.outbound).await;
    let mut idle = Caller::connect(proxy.outbound).await;
    assert_eq!(idle.post("/weather/mcp", "", CALL).await.status, 200);
    let began = Instant::now();
    proxy.stop(Duration::from_secs(30)).await;
    assert!(began.elapsed() < Duration::from_secs(5), "{:?}", began.elapsed());
    assert!(idle.try_head().await.is_none());
}
