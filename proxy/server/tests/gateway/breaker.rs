//! What answers badly is left alone, and tried again one call at a time.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use outrigger_model::pool::policy::{Breaker, PoolPolicy};
use outrigger_model::route::{Affinity, RoutePolicy};
use tokio::sync::Notify;

use crate::agent::Agent;
use crate::caller::{Answer, CALL, Caller, PATIENCE, in_session};
use crate::mesh::{Proxy, Scene};

const OK: &str = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}";
const BAD: &str = "HTTP/1.1 500 x\r\nContent-Length: 3\r\n\r\nbad";
const TOOL: &str = "MCP-Protocol-Version: 2026-07-28\r\nMcp-Method: tools/call\r\nMcp-Name: forecast\r\n";

fn anywhere() -> RoutePolicy {
    RoutePolicy { affinity: Affinity::None, ..RoutePolicy::default() }
}

async fn call(proxy: &Proxy) -> Answer {
    Caller::connect(proxy.outbound).await.post("/weather/mcp", TOOL, CALL).await
}

#[tokio::test]
async fn a_replica_that_answers_badly_is_left_alone() {
    let (bad, good) = (Agent::answering(BAD).await, Agent::answering(OK).await);
    let own = [("weather-1", bad.address), ("weather-2", good.address)];
    let proxy = Scene { policy: anywhere(), ..Scene::of_own(&own) }.start();
    let mut failed = 0;
    for _ in 0..30 {
        failed += usize::from(call(&proxy).await.status == 500);
    }
    assert_eq!((failed, bad.requests(), good.requests()), (5, 5, 25));
    assert_eq!(proxy.count("outrigger_circuit_changes_total{to=\"open\"}"), 1);
}

#[tokio::test]
async fn a_pool_that_answers_badly_everywhere_takes_nothing_and_says_when_to_come_back() {
    let agents = [Agent::answering(BAD).await, Agent::answering(BAD).await];
    let own = [("weather-1", agents[0].address), ("weather-2", agents[1].address)];
    let proxy = Scene { policy: anywhere(), ..Scene::of_own(&own) }.start();
    for _ in 0..10 {
        assert_eq!(call(&proxy).await.status, 500);
    }
    let answer = call(&proxy).await;
    assert_eq!((answer.status, answer.reason().as_str()), (503, "circuit_open"));
    assert!(answer.has_header("retry-after: 30"), "{}", answer.head);
    assert_eq!(answer.json()["id"], "call-7");
    assert_eq!(agents.iter().map(Agent::requests).sum::<usize>(), 10, "nothing was sent");
}

#[tokio::test]
async fn what_a_session_is_held_by_fails_at_once_while_its_circuit_is_open() {
    let agent = Agent::start(|mut conversation| async move {
        while let Some(request) = conversation.request().await {
            let answer =
                match (request.head.starts_with("DELETE"), request.head.to_lowercase().contains("mcp-session-id")) {
                    (true, _) => OK,
                    (false, true) => BAD,
                    (false, false) => "HTTP/1.1 200 OK\r\nMcp-Session-Id: s-1\r\nContent-Length: 2\r\n\r\n{}",
                };
            conversation.send(answer.as_bytes()).await;
        }
    })
    .await;
    let proxy = Scene::of_own(&[("weather-1", agent.address)]).start();
    let mut caller = Caller::connect(proxy.outbound).await;
    let session = caller.open().await;
    for _ in 0..5 {
        assert_eq!(caller.call(&session).await.status, 500);
    }
    assert_eq!(caller.call(&session).await.reason(), "circuit_open");
    let end = format!("DELETE /weather/mcp HTTP/1.1\r\nHost: localhost\r\n{}\r\n", in_session(&session));
    caller.send(&end).await;
    assert_eq!(caller.answer().await.status, 200, "what ends it goes through");
}

/// Answers badly until it is well; then it says nothing until it is let.
struct Patient {
    agent: Agent,
    well: Arc<AtomicBool>,
    came: Arc<Notify>,
    answers: Arc<Notify>,
}

impl Patient {
    async fn new() -> Self {
        let (well, came, answers) = (Arc::<AtomicBool>::default(), Arc::<Notify>::default(), Arc::<Notify>::default());
        let (is_well, comes, may) = (Arc::clone(&well), Arc::clone(&came), Arc::clone(&answers));
        let agent = Agent::start(move |mut conversation| {
            let (is_well, comes, may) = (Arc::clone(&is_well), Arc::clone(&comes), Arc::clone(&may));
            async move {
                while conversation.request().await.is_some() {
                    if is_well.load(Ordering::SeqCst) {
                        comes.notify_one();
                        may.notified().await;
                        conversation.send(OK.as_bytes()).await;
                    } else {
                        conversation.send(BAD.as_bytes()).await;
                    }
                }
            }
        });
        Self { agent: agent.await, well, came, answers }
    }
}

#[tokio::test]
async fn after_a_while_one_call_tries_and_its_answer_lets_the_others_in() {
    let patient = Patient::new().await;
    let pool_policy = PoolPolicy {
        breaker: Breaker { failure_threshold: 2, recovery: Duration::from_secs(1) },
        ..PoolPolicy::default()
    };
    let own = [("weather-1", patient.agent.address)];
    let proxy = Arc::new(Scene { policy: anywhere(), pool_policy, ..Scene::of_own(&own) }.start());
    for _ in 0..2 {
        assert_eq!(call(&proxy).await.status, 500);
    }
    patient.well.store(true, Ordering::SeqCst);
    let same = Arc::clone(&proxy);
    let trial = tokio::spawn(async move {
        loop {
            let answer = call(&same).await;
            if answer.status == 200 {
                break;
            }
            assert_eq!(answer.reason(), "circuit_open");
        }
    });
    tokio::time::timeout(PATIENCE, patient.came.notified()).await.expect("a trial");
    for _ in 0..9 {
        assert_eq!(call(&proxy).await.reason(), "circuit_open", "the trial is not over");
    }
    assert_eq!(patient.agent.requests(), 3);
    patient.answers.notify_one();
    trial.await.expect("the trial");
    patient.answers.notify_one();
    assert_eq!(call(&proxy).await.status, 200);
    assert_eq!(proxy.count("outrigger_circuit_changes_total{to=\"closed\"}"), 1);
}
