//! How many sessions may be open: refused beyond, and room again as soon as one ends.

use outrigger_model::settings::{SessionLimits, Settings};

use crate::agent::Agent;
use crate::caller::{Answer, Caller};
use crate::mesh::{Proxy, Scene};

const INITIALIZE: &str = r#"{"jsonrpc":"2.0","id":3,"method":"initialize","params":{}}"#;

fn proxy(agent: &Agent, session_limits: SessionLimits) -> Proxy {
    let settings = Settings { session_limits, ..Settings::default() };
    Scene { settings, ..Scene::of_own(&[("weather-1", agent.address)]) }.start()
}

fn is_refused(answer: &Answer, limit: &str) {
    assert_eq!((answer.status, answer.reason().as_str()), (429, "session_limit"));
    assert!(answer.has_header("Retry-After: 10"), "{}", answer.head);
    let json = answer.json();
    assert_eq!((&json["id"], &json["error"]["data"]["limit"]), (&3.into(), &limit.into()), "{json}");
}

#[tokio::test]
async fn one_session_too_many_is_refused_and_one_that_ends_makes_room() {
    let cases = [
        (SessionLimits { per_caller: Some(2), ..SessionLimits::default() }, "sessions_per_caller_max"),
        (SessionLimits { per_agent: Some(2), ..SessionLimits::default() }, "sessions_per_agent_max"),
        (SessionLimits { total: Some(2), ..SessionLimits::default() }, "sessions_max"),
    ];
    for (limits, key) in cases {
        let agent = Agent::minting().await;
        let proxy = proxy(&agent, limits);
        let mut caller = Caller::connect(proxy.outbound).await;
        let (first, second) = (caller.open().await, caller.open().await);
        is_refused(&caller.post("/weather/mcp", "", INITIALIZE).await, key);
        assert_eq!(agent.requests(), 2, "the agent is not asked");
        assert_eq!(caller.call(&second).await.text(), second, "what is open goes on");
        assert_eq!(caller.end(&first).await.status, 200);
        let third = caller.open().await;
        assert_eq!(caller.call(&third).await.text(), third);
        assert_eq!(proxy.metric(&format!("outrigger_sessions_limited_total{{limit=\"{key}\"}}")), 1);
    }
}

#[tokio::test]
async fn sessions_that_are_opened_at_once_do_not_pass_the_limit_together() {
    let agent = Agent::minting().await;
    let proxy = proxy(&agent, SessionLimits { total: Some(5), ..SessionLimits::default() });
    let open =
        |address| async move { Caller::connect(address).await.post("/weather/mcp", "", INITIALIZE).await.status };
    let all: Vec<_> = (0..40).map(|_| tokio::spawn(open(proxy.outbound))).collect();
    let mut opened = 0;
    for one in all {
        match one.await.expect("a status") {
            200 => opened += 1,
            status => assert_eq!(status, 429),
        }
    }
    assert_eq!((opened, agent.requests()), (5, 5));
}

#[tokio::test]
async fn an_agent_that_refuses_takes_no_place() {
    let agent = Agent::answering("HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n").await;
    let proxy = proxy(&agent, SessionLimits { total: Some(1), ..SessionLimits::default() });
    let mut caller = Caller::connect(proxy.outbound).await;
    for _ in 0..3 {
        assert_eq!(caller.post("/weather/mcp", "", INITIALIZE).await.status, 400);
    }
}
