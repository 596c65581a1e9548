//! Every revision from 2025-03-26 to 2026-07-28 passes: with sessions, without them, and between SDKs that choose.

use std::collections::BTreeSet;

use anyhow::Result;
use outrigger_tests::fleet::Fleet;
use outrigger_tests::mcp::{self, Session};
use outrigger_tests::peers::{Client, ClientSdk, Sdk};

#[tokio::test]
async fn each_revision_with_sessions_passes_as_it_is() -> Result<()> {
    let fleet = Fleet::start(Sdk::Python).await?;
    for revision in ["2025-03-26", "2025-06-18", "2025-11-25"] {
        let direct = mcp::initialize(&fleet.agents[0].url(), revision).await?;
        let through = mcp::initialize(&fleet.url(), revision).await?;
        assert_eq!(mcp::message_of(&through)?, mcp::message_of(&direct)?);
        let session = Session::open_as(&fleet.url(), revision).await?;
        let first = session.call("increment").await?;
        assert_eq!(session.call("increment").await?, first.replace("counts 1", "counts 2"), "{revision}");
    }
    Ok(())
}

/// The newest revision has no session to follow; one caller's calls stay together all the same.
#[tokio::test]
async fn the_revision_without_sessions_passes_and_keeps_one_caller_on_one_replica() -> Result<()> {
    let fleet = Fleet::start(Sdk::Python).await?;
    let mut replicas = BTreeSet::new();
    for turn in 1..=6 {
        let text = mcp::text_of(&mcp::modern_call(&fleet.url(), "increment").await?)?;
        assert!(text.ends_with(&format!("counts {turn}")), "{text}");
        replicas.insert(fleet.sdk.replica_in(&text)?);
    }
    assert_eq!(replicas.len(), 1, "{replicas:?}");
    Ok(())
}

#[tokio::test]
async fn sdks_that_look_for_the_newest_revision_find_it_through_the_mesh() -> Result<()> {
    for (agent, client) in [(Sdk::Python, ClientSdk::TypeScriptAuto), (Sdk::FastMcp, ClientSdk::PythonAuto)] {
        let fleet = Fleet::start(agent).await?;
        let mut client = Client::start(client, &fleet.url(), "client", fleet.mesh.folder())?;
        assert_eq!(client.open("only").await?, "2026-07-28");
        client.call("only", "increment").await?;
        assert!(client.tools("only").await?.contains("whoami"));
    }
    Ok(())
}

#[tokio::test]
async fn both_spellings_of_a_path_lead_to_the_agent() -> Result<()> {
    let fleet = Fleet::start(Sdk::Rust).await?;
    let base = format!("http://{}", fleet.caller.outbound);
    for path in ["/weather/mcp", "/weather/mcp/", "/agents/weather/mcp", "/agents/weather/mcp/"] {
        let session = Session::open(&format!("{base}{path}")).await?;
        assert!(session.call("increment").await?.ends_with("counts 1"), "{path}");
    }
    for replica in ["weather-1", "weather-2", "weather-3"] {
        let session = Session::open(&format!("{base}/agents/{replica}/mcp")).await?;
        assert_eq!(session.call("increment").await?, format!("{replica} counts 1"));
    }
    Ok(())
}

/// A stream that is held back would show its first event only when it ends.
#[tokio::test]
async fn events_of_a_stream_arrive_when_they_are_sent() -> Result<()> {
    let fleet = Fleet::start(Sdk::Rust).await?;
    let session = Session::open(&fleet.url()).await?;
    let call = serde_json::json!({"jsonrpc": "2.0", "id": 5, "method": "tools/call", "params": {
        "name": "slow_count", "arguments": {"steps": 3, "pause_ms": 300}, "_meta": {"progressToken": "p"}}});
    let headers = [
        ("accept", "application/json, text/event-stream"),
        ("content-type", "application/json"),
        ("mcp-session-id", session.id.as_str()),
        ("mcp-protocol-version", session.revision.as_str()),
    ];
    let mut stream = outrigger_tests::http::open(http::Method::POST, &session.url, &headers, call.to_string()).await?;
    let (mut text, mut pieces_with_progress) = (String::new(), 0);
    while let Some(piece) = stream.next().await? {
        let piece = String::from_utf8_lossy(&piece).into_owned();
        pieces_with_progress += usize::from(piece.contains("notifications/progress"));
        text.push_str(&piece);
    }
    assert!(text.contains("counted to 3"), "{text}");
    assert!(pieces_with_progress >= 2, "progress came in one piece: {text}");
    Ok(())
}
