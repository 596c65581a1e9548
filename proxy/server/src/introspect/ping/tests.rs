use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use outrigger_model::revision::Era;
use serde_json::json;

use super::Pinger;
use crate::tests::{Heard, Scripted, agents, respond, result};

fn pinger(agent: &Scripted) -> Pinger {
    let url = agents(&format!("agents: [{{name: w, url: 'http://{}/mcp'}}]", agent.address)).remove(0).url;
    Pinger::new(url, Duration::from_secs(20))
}

fn legacy(heard: &Heard) -> Option<String> {
    let opened = json!({ "protocolVersion": "2025-06-18", "capabilities": {}, "serverInfo": { "name": "w" } });
    Some(match heard.says() {
        "initialize" => result(heard, "Mcp-Session-Id: s-1\r\n", &opened),
        "notifications/initialized" => respond(202, "", ""),
        "ping" => result(heard, "", &json!({})),
        _ => respond(405, "", ""),
    })
}

#[tokio::test]
async fn an_agent_of_the_older_era_is_pinged_in_one_session_which_is_ended() {
    let agent = Scripted::agent(legacy).await;
    let mut pinger = pinger(&agent);
    for _ in 0..3 {
        pinger.ask(Some(Era::Legacy)).await.unwrap();
    }
    pinger.end().await;
    pinger.end().await;
    assert_eq!(agent.said(), ["initialize", "notifications/initialized", "ping", "ping", "DELETE"]);
    let sessions: Vec<_> =
        agent.heard().iter().map(|heard| heard.header("mcp-session-id").map(str::to_owned)).collect();
    assert_eq!(sessions[0], None);
    assert!(sessions[1..].iter().all(|session| session.as_deref() == Some("s-1")), "{sessions:?}");
}

#[tokio::test]
async fn a_session_that_the_agent_has_ended_is_opened_again() {
    for unknown in [404, 400] {
        let pings = AtomicUsize::new(0);
        let agent = Scripted::agent(move |heard| match heard.says() {
            "ping" if pings.fetch_add(1, Ordering::SeqCst) == 0 => Some(respond(unknown, "", "")),
            _ => legacy(heard),
        })
        .await;
        let mut pinger = pinger(&agent);
        for _ in 0..3 {
            pinger.ask(Some(Era::Legacy)).await.unwrap();
        }
        let opening = ["initialize", "notifications/initialized"];
        assert_eq!(agent.said(), [opening.as_slice(), &["ping"], &opening, &["ping"]].concat());
    }
}

#[tokio::test]
async fn an_agent_of_the_newer_era_is_asked_to_describe_itself() {
    let agent = Scripted::agent(|heard| Some(result(heard, "", &json!({ "supportedVersions": ["2026-07-28"] })))).await;
    let mut pinger = pinger(&agent);
    pinger.ask(Some(Era::Modern)).await.unwrap();
    pinger.ask(None).await.unwrap();
    pinger.end().await;
    assert_eq!(agent.said(), ["server/discover", "server/discover"]);
}

#[tokio::test]
async fn an_answer_that_is_an_error_is_one_of_an_agent_that_is_well() {
    let error = r#"{"jsonrpc": "2.0", "id": 1, "error": {"code": -32601, "message": "what?"}}"#;
    let agent = Scripted::agent(|_| Some(respond(400, "Content-Type: application/json\r\n", error))).await;
    for era in [None, Some(Era::Legacy), Some(Era::Modern)] {
        pinger(&agent).ask(era).await.unwrap();
    }
}

#[tokio::test]
async fn what_is_no_answer_of_the_protocol_is_told() {
    for (status, told) in [
        (200, "agent answers our question with something that is no JSON-RPC"),
        (401, "agent answers our question with HTTP 401 Unauthorized"),
        (503, "agent answers our question with HTTP 503 Service Unavailable"),
    ] {
        let agent = Scripted::agent(move |_| Some(respond(status, "", "hello"))).await;
        let found = pinger(&agent).ask(Some(Era::Modern)).await.unwrap_err();
        assert_eq!(found.to_string(), told);
    }
    let broken = Scripted::agent(|_| Some(String::new())).await;
    assert!(pinger(&broken).ask(Some(Era::Legacy)).await.is_err());
}
