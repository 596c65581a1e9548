//! What is asked of another replica when an answer is lost, and what is not.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use outrigger_model::pool::policy::{Breaker, PoolPolicy};
use outrigger_model::retries::{Backoff, Budget, Retries};
use outrigger_model::route::{Affinity, RoutePolicy};

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

/// Writes the head of an answer and part of its body, and hangs up.
async fn half_done() -> Agent {
    Agent::start(|mut conversation| async move {
        let _ = conversation.request().await;
        conversation
            .send(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 40\r\n\r\n{\"json")
            .await;
    })
    .await
}

#[tokio::test]
async fn a_read_whose_short_answer_breaks_off_is_asked_elsewhere_and_what_may_act_is_not() {
    let (bad, good) = (half_done().await, Agent::answering(OK).await);
    for (status, _) in asked(&bad, &good, &modern("tools/list"), CALL).await {
        assert_eq!(status, 200);
    }
    assert!(bad.requests() > 0, "nobody met the bad one");
    let (bad, good) = (half_done().await, Agent::answering(OK).await);
    for (status, text) in asked(&bad, &good, &modern("tools/call"), CALL).await {
        assert!(status == 200 || text.contains("\"may_have_run\":true"), "{status} {text}");
    }
    assert!(bad.requests() > 0 && bad.requests() + good.requests() == 8, "each was sent once");
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
    let turns = Arc::new(AtomicUsize::new(0));
    let slow = Agent::start(move |mut conversation| {
        let turns = Arc::clone(&turns);
        async move {
            while conversation.request().await.is_some() {
                let turn = turns.fetch_add(1, Ordering::SeqCst);
                conversation.send(if turn < 3 { UNAVAILABLE } else { OK }.as_bytes()).await;
            }
        }
    })
    .await;
    let proxy = Scene::of_own(&[("weather-1", slow.address)]).start();
    let answer = Caller::connect(proxy.outbound).await.post("/weather/mcp", &modern("server/discover"), CALL).await;
    assert_eq!((answer.status, slow.requests()), (200, 4));
}

fn tools(names: &[&str]) -> RoutePolicy {
    let tools = names.iter().map(|name| name.parse().expect("a pattern")).collect();
    RoutePolicy { retries: Retries { tools, ..Retries::default() }, ..RoutePolicy::default() }
}

/// As `asked`, on a route that the operator has something to say of.
async fn asked_by(policy: &RoutePolicy, agents: &[&Agent], headers: &str, body: &str) -> Vec<(u16, String)> {
    let names = ["weather-1", "weather-2", "weather-3", "weather-4", "weather-5"];
    let agents: Vec<_> = names.into_iter().zip(agents).map(|(name, agent)| (name, agent.address)).collect();
    let mut answers = Vec::new();
    for caller in ["a", "b", "c", "d", "e", "f", "g", "h"] {
        let proxy = Scene { caller, policy: policy.clone(), ..Scene::of_own(&agents) }.start();
        let answer = Caller::connect(proxy.outbound).await.post("/weather/mcp", headers, body).await;
        answers.push((answer.status, answer.text().to_owned()));
    }
    answers
}

#[tokio::test]
async fn a_tool_that_the_operator_names_is_asked_elsewhere_when_its_answer_is_lost_and_no_other_is() {
    let named =
        |tool: &str| format!("MCP-Protocol-Version: 2026-07-28\r\nMcp-Method: tools/call\r\nMcp-Name: {tool}\r\n");
    let body = |tool: &str| format!(r#"{{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{{"name":"{tool}"}}}}"#);
    let task = r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"get_it","task":{}}}"#;
    let goes_on = r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"get_it","requestState":"x","inputResponses":{}}}"#;
    let legacy = "MCP-Protocol-Version: 2025-11-25\r\n";
    let policy = tools(&["search", "get_*"]);
    for (headers, body, again) in [
        (named("search"), body("search"), true),
        (named("get_it"), body("get_it"), true),
        (named("forget"), body("forget"), false),
        (named("get_it"), goes_on.to_owned(), false),
        (legacy.to_owned(), body("search"), true),
        (legacy.to_owned(), body("pay"), false),
        (legacy.to_owned(), task.to_owned(), false),
        (legacy.to_owned(), format!("[{}]", body("search")), false),
    ] {
        let (bad, good) = (dying().await, Agent::answering(OK).await);
        let answers = asked_by(&policy, &[&bad, &good], &headers, &body).await;
        let lost = answers.iter().filter(|(status, _)| *status == 502).count();
        assert!(bad.requests() > 0, "nobody met the bad one");
        assert_eq!(lost, if again { 0 } else { bad.requests() }, "{headers}{body}: {answers:?}");
    }
}

#[tokio::test]
async fn who_says_when_to_ask_again_is_not_the_only_one_that_is_asked() {
    let too_many = "HTTP/1.1 429 x\r\nRetry-After: 9\r\nContent-Length: 4\r\n\r\nmany";
    let without = "HTTP/1.1 429 x\r\nContent-Length: 4\r\n\r\nmany";
    for (answer, method, again) in
        [(too_many, "tools/list", true), (without, "tools/list", false), (too_many, "tools/call", false)]
    {
        let (bad, good) = (Agent::answering(answer).await, Agent::answering(OK).await);
        let passed = asked(&bad, &good, &modern(method), CALL).await.into_iter().filter(|(status, _)| *status == 429);
        assert!(bad.requests() > 0);
        assert_eq!(passed.count(), if again { 0 } else { bad.requests() }, "{answer} {method}");
    }
}

#[tokio::test]
async fn the_route_says_how_often_a_call_is_tried() {
    let pause = Backoff { first: Duration::ZERO, longest: Duration::ZERO };
    for attempts in [1, 2, 5] {
        let bad = [dying().await, dying().await, dying().await, dying().await, dying().await];
        let policy = RoutePolicy {
            retries: Retries { attempts, backoff: pause, ..Retries::default() },
            ..RoutePolicy::default()
        };
        let agents: Vec<&Agent> = bad.iter().collect();
        let answers = asked_by(&policy, &agents, &modern("tools/list"), CALL).await;
        assert!(answers.iter().all(|(status, _)| *status == 502), "{answers:?}");
        let requests: usize = bad.iter().map(Agent::requests).sum();
        assert_eq!(requests, 8 * usize::from(attempts));
    }
}

#[tokio::test]
async fn a_pool_in_which_everything_fails_gets_no_more_than_its_budget() {
    let (one, other) = (dying().await, dying().await);
    let budget = Budget { percent: 20, per_second_min: 0 };
    let policy = RoutePolicy {
        retries: Retries { budget, ..Retries::default() },
        affinity: Affinity::None,
        ..RoutePolicy::default()
    };
    let agents = [("weather-1", one.address), ("weather-2", other.address)];
    // What a circuit would do is not asked here.
    let breaker = Breaker { failure_threshold: 0, ..Breaker::default() };
    let pool_policy = PoolPolicy { breaker, ..PoolPolicy::default() };
    let proxy = Scene { policy, pool_policy, ..Scene::of_own(&agents) }.start();
    let mut caller = Caller::connect(proxy.outbound).await;
    for _ in 0..100 {
        assert_eq!(caller.post("/weather/mcp", &modern("tools/list"), CALL).await.status, 502);
    }
    let sent = one.requests() + other.requests();
    assert!((115..=120).contains(&sent), "100 calls were sent {sent} times");
    assert_eq!(proxy.count("outrigger_retry_budget_exhausted_total"), 200 - sent as u64);
}

#[tokio::test]
async fn what_may_have_run_is_told_even_if_the_next_replica_got_nothing_and_the_budget_is_spent() {
    let full = "HTTP/1.1 503 x\r\nOutrigger-Refusal: overloaded\r\nContent-Length: 2\r\n\r\nno";
    let (one, other) = (Agent::answering(full).await, Agent::answering(full).await);
    let retries = Retries { budget: Budget { percent: 0, per_second_min: 1 }, ..Retries::default() };
    let mut lost = 0;
    for caller in ["a", "b", "c", "d", "e", "f", "g", "h"] {
        let bad = dying().await;
        let peers =
            [("weather-1", bad.address, None), ("weather-2", one.address, None), ("weather-3", other.address, None)];
        let policy = RoutePolicy { retries: retries.clone(), ..RoutePolicy::default() };
        let proxy = Scene { caller, policy, ..Scene::of_peers(&peers) }.start();
        let answer = Caller::connect(proxy.outbound).await.post("/weather/mcp", &modern("tools/list"), CALL).await;
        let (ran, told) = (bad.requests() > 0, answer.text().contains(r#""may_have_run":true"#));
        assert_eq!((ran, ran), (answer.status == 502, told), "{}", answer.text());
        lost += usize::from(ran);
    }
    assert!(lost > 0, "nobody met the bad one");
}

#[tokio::test]
async fn a_body_is_sent_again_up_to_the_size_that_the_route_keeps() {
    let body = crate::caller::message(100_000);
    for (body_bytes_max, status) in [(64 * 1024, 502), (128 * 1024, 200), (0, 502)] {
        let (bad, good) = (dying().await, Agent::answering(OK).await);
        let policy =
            RoutePolicy { retries: Retries { body_bytes_max, ..Retries::default() }, ..RoutePolicy::default() };
        let answers = asked_by(&policy, &[&bad, &good], &modern("tools/list"), &body).await;
        let met_the_bad = answers.iter().filter(|(got, _)| *got == 502).count();
        assert!(bad.requests() > 0);
        assert_eq!(met_the_bad, if status == 200 { 0 } else { bad.requests() }, "{body_bytes_max}: {answers:?}");
    }
}

/// The pause is as long as the clock says, so all that is measured is that there was one, and none where nothing was sent.
#[tokio::test]
async fn a_caller_that_leaves_during_a_pause_is_not_served_any_more() {
    let (bad, good) = (dying().await, Agent::answering(OK).await);
    let backoff = Backoff { first: Duration::from_secs(3_600), longest: Duration::from_secs(3_600) };
    let policy = RoutePolicy {
        retries: Retries { backoff, ..Retries::default() },
        affinity: Affinity::None,
        ..RoutePolicy::default()
    };
    let proxy = Scene { policy, ..Scene::of_own(&[("weather-1", bad.address), ("weather-2", good.address)]) }.start();
    for _ in 0..4 {
        let mut caller = Caller::connect(proxy.outbound).await;
        let before = (bad.requests(), good.requests());
        caller.send(&crate::caller::post("/weather/mcp", &modern("tools/list"), CALL)).await;
        while (bad.requests(), good.requests()) == before {
            tokio::task::yield_now().await;
        }
        if bad.requests() > before.0 {
            drop(caller);
            let left = || proxy.count("outrigger_calls_in_flight{direction=\"outbound\"}");
            tokio::time::timeout(crate::caller::PATIENCE, async {
                while left() > 0 {
                    tokio::task::yield_now().await
                }
            })
            .await
            .expect("the call ends with its caller");
            return;
        }
    }
    panic!("nobody met the bad one");
}

/// One try of a read that hangs is over before the call is.
#[tokio::test]
async fn a_replica_that_hangs_is_left_for_another_one_after_the_time_of_one_try() {
    let hanging = Arc::new(AtomicUsize::new(0));
    let met = Arc::clone(&hanging);
    let slow = Agent::start(move |mut conversation| {
        let met = Arc::clone(&met);
        async move {
            if conversation.request().await.is_some() {
                met.fetch_add(1, Ordering::SeqCst);
            }
            conversation.closed().await;
        }
    })
    .await;
    let good = Agent::answering(OK).await;
    let retries = Retries { per_try: Some(Duration::from_millis(50)), ..Retries::default() };
    let policy = RoutePolicy { retries, ..RoutePolicy::default() };
    let answers = asked_by(&policy, &[&slow, &good], &modern("tools/list"), CALL).await;
    assert!(answers.iter().all(|(status, _)| *status == 200), "{answers:?}");
    assert!(hanging.load(Ordering::SeqCst) > 0, "nobody met the slow one");
}
