//! A client that speaks HTTP/2 is served like any other: sessions, streams and refusals, through two proxies.

use anyhow::{Context, Result, ensure};
use outrigger_tests::fleet::Fleet;
use outrigger_tests::mcp;
use outrigger_tests::peers::Sdk;
use outrigger_tests::wait;
use serde_json::{Value, json};
use tokio::process::Command;

/// What curl got: the status, the session id if there was one, and the body.
struct Told {
    status: String,
    session: Option<String>,
    body: String,
}

/// Posts with curl, which gives up if the other end does not speak HTTP/2.
async fn post(url: &str, headers: &[String], body: &Value) -> Result<Told> {
    let mut command = Command::new("curl");
    command.args(["--silent", "--show-error", "--http2-prior-knowledge", "--include", "--no-buffer", "--data-binary"]);
    command.arg(body.to_string()).args(["--header", "Content-Type: application/json"]);
    command.args(["--header", "Accept: application/json, text/event-stream"]);
    command.args(headers.iter().flat_map(|line| ["--header", line])).arg(url).kill_on_drop(true);
    let done = tokio::time::timeout(wait::DEADLINE, command.output()).await.context("curl does not end")??;
    ensure!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    let text = String::from_utf8(done.stdout)?;
    let (head, body) = text.split_once("\r\n\r\n").with_context(|| format!("no head in {text}"))?;
    let mut lines = head.lines();
    let first = lines.next().unwrap_or_default();
    ensure!(first.starts_with("HTTP/2 "), "{first}");
    let session = lines.find_map(|line| line.strip_prefix("mcp-session-id: "));
    Ok(Told { status: first.trim().to_owned(), session: session.map(str::to_owned), body: body.to_owned() })
}

#[tokio::test]
async fn sessions_streams_and_refusals_are_the_same_over_http2() -> Result<()> {
    let fleet = Fleet::start(Sdk::Rust).await?;
    let initialize = json!({"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": {
        "protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "curl", "version": "1"}}});
    let opened = post(&fleet.url(), &[], &initialize).await?;
    assert_eq!(opened.status, "HTTP/2 200", "{}", opened.body);
    let session = opened.session.context("no session")?;
    let headers = [format!("Mcp-Session-Id: {session}"), "MCP-Protocol-Version: 2025-11-25".to_owned()];
    let note = json!({"jsonrpc": "2.0", "method": "notifications/initialized"});
    assert_eq!(post(&fleet.url(), &headers, &note).await?.status, "HTTP/2 202");
    for turn in 1..=3 {
        let told = post(&fleet.url(), &headers, &mcp::tool_call(turn, "increment")).await?;
        assert!(told.body.contains(&format!("counts {turn}")), "each is a connection of its own: {}", told.body);
    }
    let slow = json!({"jsonrpc": "2.0", "id": 9, "method": "tools/call", "params": {
        "name": "slow_count", "arguments": {"steps": 2, "pause_ms": 10}, "_meta": {"progressToken": "p"}}});
    let told = post(&fleet.url(), &headers, &slow).await?;
    assert!(told.body.contains("notifications/progress") && told.body.contains("counted to 2"), "{}", told.body);

    let refused = post(&fleet.caller.url("wether"), &[], &mcp::tool_call(7, "increment")).await?;
    assert_eq!(refused.status, "HTTP/2 404");
    let error: Value = serde_json::from_str(&refused.body)?;
    assert_eq!((&error["id"], &error["error"]["data"]["reason"]), (&json!(7), &json!("no_route")));
    let twice = [format!("Mcp-Session-Id: {session}"), "Host: evil.example".to_owned()];
    let foreign = post(&fleet.url(), &twice, &mcp::tool_call(8, "increment")).await?;
    assert_eq!(foreign.status, "HTTP/2 403", "{}", foreign.body);
    Ok(())
}
