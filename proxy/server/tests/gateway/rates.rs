//! Limits on how often: at the proxy that calls, at the one beside the agent, per caller and per tool, in both eras.

use std::time::Duration;

use outrigger_model::identity::SpiffeId;
use outrigger_model::pool::policy::PoolPolicy;
use outrigger_model::rate::{Allowance, Per, RateLimit};
use outrigger_model::route::RoutePolicy;

use crate::agent::Agent;
use crate::caller::{Answer, CALL, Caller, in_session};
use crate::mesh::{Authority, Proxy, Scene};

/// So long that no test sees the next.
const HOURS: Duration = Duration::from_secs(1_000 * 3_600);
const NOTICE: &str = r#"{"jsonrpc":"2.0","method":"notifications/initialized"}"#;

fn bucket(per: Per, burst: u32) -> RateLimit {
    RateLimit { per, tools: vec![], allowance: Allowance::Bucket { calls: 1, every: HOURS, burst } }
}

fn quota(per: Per, calls: u32) -> RateLimit {
    RateLimit { per, tools: vec![], allowance: Allowance::Quota { calls, window: HOURS } }
}

fn of_tools(tools: &[&str], rate: RateLimit) -> RateLimit {
    RateLimit { tools: tools.iter().map(|tool| tool.parse().expect("a pattern")).collect(), ..rate }
}

fn limited(agent: &Agent, rates: Vec<RateLimit>) -> Proxy {
    let policy = RoutePolicy { rates, ..RoutePolicy::default() };
    Scene { policy, ..Scene::of_own(&[("weather-1", agent.address)]) }.start()
}

fn tool(name: &str) -> String {
    format!(r#"{{"jsonrpc":"2.0","id":"call-7","method":"tools/call","params":{{"name":"{name}"}}}}"#)
}

fn modern(name: &str) -> String {
    format!("MCP-Protocol-Version: 2026-07-28\r\nMcp-Method: tools/call\r\nMcp-Name: {name}\r\n")
}

fn is_limited(answer: &Answer, words: &str) {
    assert_eq!((answer.status, answer.reason().as_str()), (429, "rate_limited"), "{}", answer.text());
    let wait = answer.head.lines().find_map(|line| line.strip_prefix("Retry-After: ")).expect("when to come back");
    assert!(wait.parse::<u64>().expect("seconds") >= 1);
    let json = answer.json();
    assert_eq!((&json["id"], &json["error"]["code"]), (&"call-7".into(), &(-32600).into()), "{json}");
    let detail = json["error"]["data"]["detail"].as_str().expect("a detail");
    assert!(detail.contains(words), "{detail}");
}

#[tokio::test]
async fn a_route_takes_its_burst_and_refuses_the_next_before_the_agent_is_asked() {
    for rate in [bucket(Per::All, 3), quota(Per::All, 3)] {
        for headers in [String::new(), in_session("s-1"), modern("forecast")] {
            let agent = Agent::echoing().await;
            let proxy = limited(&agent, vec![rate.clone()]);
            let mut caller = Caller::connect(proxy.outbound).await;
            for _ in 0..3 {
                assert_eq!(caller.post("/weather/mcp", &headers, CALL).await.status, 200);
            }
            for _ in 0..2 {
                is_limited(&caller.post("/weather/mcp", &headers, CALL).await, "route `weather`");
            }
            assert_eq!(agent.requests(), 3);
            assert_eq!(proxy.refusals()["rate_limited"], 2);
        }
    }
}

#[tokio::test]
async fn what_ends_a_session_or_answers_within_a_call_is_never_refused() {
    let agent = Agent::echoing().await;
    let proxy = limited(&agent, vec![quota(Per::All, 1)]);
    let mut caller = Caller::connect(proxy.outbound).await;
    assert_eq!(caller.post("/weather/mcp", &in_session("s-1"), CALL).await.status, 200);
    is_limited(&caller.post("/weather/mcp", &in_session("s-1"), CALL).await, "route `weather`");
    assert_eq!(caller.post("/weather/mcp", &in_session("s-1"), NOTICE).await.status, 200);
    let answer = r#"{"jsonrpc":"2.0","id":9,"result":{}}"#;
    assert_eq!(caller.post("/weather/mcp", &in_session("s-1"), answer).await.status, 200);
    assert_eq!(caller.end("s-1").await.status, 200);
}

#[tokio::test]
async fn each_tool_has_a_limit_of_its_own_in_both_eras() {
    let agent = Agent::echoing().await;
    let proxy = limited(&agent, vec![of_tools(&["get_*"], bucket(Per::Tool, 1))]);
    let mut caller = Caller::connect(proxy.outbound).await;
    let rows = [
        ("get_radar", 200),
        ("get_radar", 429),
        ("get_wind", 200),
        ("get_wind", 429),
        ("put_pin", 200),
        ("put_pin", 200),
    ];
    for (name, status) in rows {
        assert_eq!(caller.post("/weather/mcp", "", &tool(name)).await.status, status, "{name}");
    }
    is_limited(&caller.post("/weather/mcp", &modern("get_wind"), &tool("get_wind")).await, "per tool");
    assert_eq!(caller.post("/weather/mcp", &modern("put_pin"), &tool("put_pin")).await.status, 200);
    // A name in the head of a legacy call is not what its agent goes by.
    let lie = "Mcp-Method: tools/call\r\nMcp-Name: put_pin\r\n";
    is_limited(&caller.post("/weather/mcp", lie, &tool("get_radar")).await, "per tool");
}

#[tokio::test]
async fn a_body_that_comes_late_is_waited_for_and_counts_as_what_it_is() {
    let agent = Agent::echoing().await;
    let proxy = limited(&agent, vec![of_tools(&["radar"], quota(Per::All, 1))]);
    for (name, statuses) in [("wind", [200, 200]), ("radar", [200, 429])] {
        for status in statuses {
            let mut caller = Caller::connect(proxy.outbound).await;
            let text = crate::caller::post("/weather/mcp", &in_session("s-1"), &tool(name));
            let (first, rest) = text.split_at(text.len() - 20);
            caller.send(first).await;
            tokio::task::yield_now().await;
            caller.send(rest).await;
            assert_eq!(caller.answer().await.status, status, "{name}");
        }
    }
}

#[tokio::test]
async fn a_batch_counts_as_any_tool() {
    let agent = Agent::echoing().await;
    let proxy = limited(&agent, vec![of_tools(&["radar"], quota(Per::All, 1))]);
    let mut caller = Caller::connect(proxy.outbound).await;
    let batch = format!("[{}]", tool("wind"));
    assert_eq!(caller.post("/weather/mcp", "", &batch).await.status, 200);
    assert_eq!(caller.post("/weather/mcp", "", &batch).await.status, 429);
}

#[tokio::test]
async fn a_call_that_one_limit_refuses_uses_nothing_of_the_others() {
    let agent = Agent::echoing().await;
    let proxy = limited(&agent, vec![quota(Per::All, 2), of_tools(&["radar"], bucket(Per::All, 1))]);
    let mut caller = Caller::connect(proxy.outbound).await;
    let statuses = [("radar", 200), ("radar", 429), ("radar", 429), ("wind", 200), ("wind", 429)];
    for (name, status) in statuses {
        assert_eq!(caller.post("/weather/mcp", "", &tool(name)).await.status, status, "{name}");
    }
}

#[tokio::test]
async fn what_is_used_outlives_a_world_and_a_limit_that_changes_begins_anew() {
    let agent = Agent::echoing().await;
    let scene = |burst| {
        let policy = RoutePolicy { rates: vec![bucket(Per::All, burst)], ..RoutePolicy::default() };
        Scene { policy, ..Scene::of_own(&[("weather-1", agent.address)]) }
    };
    let proxy = scene(1).start();
    let mut caller = Caller::connect(proxy.outbound).await;
    assert_eq!(caller.post("/weather/mcp", "", CALL).await.status, 200);
    proxy.show(&scene(1));
    assert_eq!(caller.post("/weather/mcp", "", CALL).await.status, 429);
    proxy.show(&scene(2));
    assert_eq!(caller.post("/weather/mcp", "", CALL).await.status, 200);
}

#[tokio::test]
async fn limits_of_an_agent_hold_at_its_own_proxy_also_for_those_behind_it() {
    for headers in [String::new(), in_session("s-1"), modern("forecast")] {
        let agent = Agent::echoing().await;
        let pool_policy =
            PoolPolicy { rates: vec![of_tools(&["forecast"], quota(Per::All, 2))], ..PoolPolicy::default() };
        let proxy = Scene { pool_policy, ..Scene::of_own(&[("weather-1", agent.address)]) }.start();
        let mut caller = Caller::connect(proxy.outbound).await;
        let mut peer = Caller::connect(proxy.inbound).await;
        assert_eq!(caller.post("/weather/mcp", &headers, CALL).await.status, 200);
        assert_eq!(peer.post("/agents/weather-1/mcp", &headers, CALL).await.status, 200);
        is_limited(&peer.post("/agents/weather-1/mcp", &headers, CALL).await, "agent `weather`");
        is_limited(&caller.post("/agents/weather-1/mcp", &headers, CALL).await, "agent `weather`");
        assert_eq!(
            peer.post("/agents/weather-1/mcp", &headers, &tool("other")).await.status,
            if headers.contains("Mcp-Name") { 429 } else { 200 }
        );
    }
}

#[tokio::test]
async fn a_greedy_caller_uses_up_what_is_its_own_and_not_what_others_have() {
    let agent = Agent::echoing().await;
    let authority = Authority::new();
    let id = |text: &str| text.parse::<SpiffeId>().expect("an id");
    let pool_policy = PoolPolicy { rates: vec![quota(Per::Caller, 5)], ..PoolPolicy::default() };
    let material = Some(authority.issue("spiffe://mesh.local/agent/weather"));
    let beside = Scene { material, pool_policy, ..Scene::of_own(&[("weather-1", agent.address)]) }.start();
    let peers = [("weather-1", beside.inbound, Some(id("spiffe://mesh.local/agent/weather")))];
    let calling = |name: &str| {
        let material = Some(authority.issue(&format!("spiffe://mesh.local/agent/{name}")));
        Scene { material, ..Scene::of_peers(&peers) }.start()
    };
    let (greedy, modest) = (calling("greedy"), calling("modest"));
    let mut caller = Caller::connect(greedy.outbound).await;
    let mut answered = 0;
    for _ in 0..50 {
        let answer = caller.post("/weather/mcp", "", CALL).await;
        match answer.status {
            200 => answered += 1,
            _ => is_limited(&answer, "per caller"),
        }
    }
    assert_eq!(answered, 5);
    let mut caller = Caller::connect(modest.outbound).await;
    for _ in 0..5 {
        assert_eq!(caller.post("/weather/mcp", "", CALL).await.status, 200);
    }
    assert_eq!(agent.requests(), 10);
    assert_eq!(beside.metric("outrigger_rate_limited_total{per=\"caller\",kind=\"quota\"}"), 45);
}
