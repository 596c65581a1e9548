//! How long a caller waits, as it says it in `X-Mesh-Timeout`, here and at the next one.

use std::time::{Duration, Instant};

use outrigger_model::route::{Limits, RoutePolicy, Timeouts};

use crate::agent::Agent;
use crate::caller::{CALL, Caller};
use crate::mesh::{Proxy, Scene};

/// Reads requests and says nothing.
async fn silent() -> Agent {
    Agent::start(|mut conversation| async move { while conversation.request().await.is_some() {} }).await
}

fn proxy(agent: &Agent, total: Option<Duration>) -> Proxy {
    let usual = Timeouts::default();
    let timeouts = Timeouts { call: Limits { total, ..usual.call }, ..usual };
    let policy = RoutePolicy { timeouts, ..RoutePolicy::default() };
    Scene { policy, ..Scene::of_own(&[("weather-1", agent.address)]) }.start()
}

#[tokio::test]
async fn the_time_of_the_caller_and_that_of_its_route_are_one_limit() {
    let long = Duration::from_secs(600);
    for (headers, total) in [
        ("X-Mesh-Timeout: 0.1\r\n", long),
        ("X-Mesh-Timeout: 600\r\n", Duration::from_millis(100)),
        ("X-Mesh-Timeout: soon\r\n", Duration::from_millis(100)),
        ("X-Mesh-Timeout: 1\r\nX-Mesh-Timeout: 2\r\n", Duration::from_millis(100)),
    ] {
        let agent = silent().await;
        let (proxy, asked) = (proxy(&agent, Some(total)), Instant::now());
        let answer = Caller::connect(proxy.outbound).await.post("/weather/mcp", headers, CALL).await;
        assert_eq!(answer.status, 504, "{headers}");
        assert!(answer.text().contains(r#""reason":"total_timeout""#), "{}", answer.text());
        assert!(answer.text().contains(r#""may_have_run":true"#), "{}", answer.text());
        assert!(asked.elapsed() >= Duration::from_millis(100), "{headers}");
    }
}

#[tokio::test]
async fn the_next_one_is_told_what_is_left_and_strangers_hear_nothing_new() {
    let agent = Agent::echoing().await;
    for (total, headers, told) in [
        (None, "X-Mesh-Timeout: 300\r\n", Some("300")),
        (None, "x-mesh-timeout: 16.2\r\n", Some("17")),
        (Some(Duration::from_secs(7)), "X-Mesh-Timeout: 300\r\n", Some("7")),
        (Some(Duration::from_secs(7)), "X-Mesh-Timeout: never\r\n", Some("never")),
        (Some(Duration::from_secs(7)), "", None),
    ] {
        let proxy = proxy(&agent, total);
        let answer = Caller::connect(proxy.outbound).await.post("/weather/mcp", headers, CALL).await;
        let heard = answer.text().to_lowercase();
        let heard = heard.split_once("x-mesh-timeout: ").and_then(|(_, rest)| rest.lines().next()).map(str::to_owned);
        assert_eq!(heard.as_deref(), told, "{headers}");
    }
}

/// The proxy beside the agent knows no route, and whoever called it may be gone without a word.
#[tokio::test]
async fn the_proxy_beside_the_agent_cuts_by_it_too() {
    let agent = silent().await;
    let proxy = proxy(&agent, None);
    let mut caller = Caller::connect(proxy.inbound).await;
    let answer = caller.post("/agents/weather-1/mcp", "X-Mesh-Timeout: 0.1\r\n", CALL).await;
    assert_eq!(answer.status, 504);
}
