//! What is asked of another replica when an answer is lost, and what is not.

use crate::agent::Agent;
use crate::caller::{CALL, Caller};
use crate::mesh::Scene;

const OK: &str = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}";
const UNAVAILABLE: &str = "HTTP/1.1 503 x\r\nRetry-After: 9\r\nContent-Length: 4\r\n\r\nlate";

fn modern(method: &str) -> String {
    format!("MCP-Protocol-Version: 2026-07-28\r\nMcp-Method: {method}\r\n")
}

/// Reads a request and hangs up.
async fn dying() -> Agent {
    Agent::start(|mut conversation| async move {
        let _ = conversation.request().await;
    })
    .await
}

/// Every caller has its own replica, so one of several callers is sure to meet the bad one first.
async fn asked(bad: &Agent, good: &Agent, headers: &str, body: &str) -> Vec<(u16, String)> {
    let mut answers = Vec::new();
    for caller in ["a", "b", "c", "d", "e", "f", "g", "h"] {
        let agents = [("weather-1", bad.address), ("weather-2", good.address)];
        let proxy = Scene { caller, ..Scene::of_own(&agents) }.start();
        let answer = Caller::connect(proxy.outbound).await.post("/weather/mcp", headers, body).await;
        answers.push((answer.status, answer.text().to_owned()));
    }
    answers
}

#[tokio::test]
async fn a_read_whose_answer_is_lost_is_asked_elsewhere() {
    for method in ["tools/list", "resources/read", "prompts/get", "completion/complete", "tasks/get"] {
        let (bad, good) = (dying().await, Agent::answering(OK).await);
        for (status, _) in asked(&bad, &good, &modern(method), CALL).await {
            assert_eq!(status, 200, "{method}");
        }
        assert!(bad.requests() > 0, "{method}: nobody met the bad one");
        assert_eq!(good.requests(), 8, "{method}");
    }
}

#[tokio::test]
async fn a_read_that_is_answered_503_is_asked_elsewhere_and_the_answer_passes_if_all_say_so() {
    let (bad, good) = (Agent::answering(UNAVAILABLE).await, Agent::answering(OK).await);
    for (status, _) in asked(&bad, &good, &modern("tools/list"), CALL).await {
        assert_eq!(status, 200);
    }
    assert!(bad.requests() > 0);
    let other = Agent::answering(UNAVAILABLE).await;
    for (status, text) in asked(&bad, &other, &modern("tools/list"), CALL).await {
        assert_eq!((status, text.as_str()), (503, "late"), "as the agent said it");
    }
}

#[tokio::test]
async fn what_may_act_runs_once_and_the_caller_is_told_that_it_may_have() {
    for (headers, body) in [
        (modern("tools/call"), CALL),
        (modern("tasks/cancel"), CALL),
        ("MCP-Protocol-Version: 2025-11-25\r\n".to_owned(), CALL),
    ] {
        let (bad, good) = (dying().await, Agent::answering(OK).await);
        let answers = asked(&bad, &good, &headers, body).await;
        let lost: Vec<_> = answers.iter().filter(|(status, _)| *status == 502).collect();
        assert_eq!((lost.len(), lost.len() + good.requests()), (bad.requests(), 8), "{headers}");
        assert!(!lost.is_empty() && lost.iter().all(|(_, text)| text.contains(r#""may_have_run":true"#)), "{lost:?}");
    }
}

/// One 5xx makes SDKs take the agent for a legacy one for good.
#[tokio::test]
async fn discovery_is_never_answered_by_a_5xx_while_another_replica_may_answer() {
    let (bad, good) = (Agent::answering(UNAVAILABLE).await, Agent::answering(OK).await);
    for (status, _) in asked(&bad, &good, &modern("server/discover"), CALL).await {
        assert_eq!(status, 200);
    }
    assert!(bad.requests() > 0);
    // Alone it is asked again and again, and what it says at last when it has come round passes.
    let turns = std::sync::Arc::new(std::sync::atomic::AtomicUsize::new(0));
    let slow = Agent::start(move |mut conversation| {
        let turns = std::sync::Arc::clone(&turns);
        async move {
            while conversation.request().await.is_some() {
                let turn = turns.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
                conversation.send(if turn < 3 { UNAVAILABLE } else { OK }.as_bytes()).await;
            }
        }
    })
    .await;
    let proxy = Scene::of_own(&[("weather-1", slow.address)]).start();
    let answer = Caller::connect(proxy.outbound).await.post("/weather/mcp", &modern("server/discover"), CALL).await;
    assert_eq!((answer.status, slow.requests()), (200, 4));
}
