use std::time::Duration;

use http::HeaderValue;
use serde_json::{Map, Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio::sync::mpsc;

use super::{Client, McpError};
use crate::http::Origin;

const SOON: Duration = Duration::from_secs(5);

/// A server that answers each request, in order, with the next of `answers`, and tells what it was asked.
async fn server(answers: Vec<String>) -> (Origin, mpsc::UnboundedReceiver<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let origin = Origin::from(listener.local_addr().unwrap());
    let (asked, heard) = mpsc::unbounded_channel();
    tokio::spawn(async move {
        for answer in answers {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut request = Vec::new();
            while !is_whole(&request) {
                let mut part = [0; 4096];
                let read = stream.read(&mut part).await.unwrap();
                request.extend_from_slice(&part[..read]);
            }
            asked.send(String::from_utf8(request).unwrap().to_ascii_lowercase()).unwrap();
            stream.write_all(answer.as_bytes()).await.unwrap();
        }
    });
    (origin, heard)
}

fn is_whole(request: &[u8]) -> bool {
    let text = String::from_utf8_lossy(request).to_ascii_lowercase();
    let Some((head, body)) = text.split_once("\r\n\r\n") else { return false };
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
    body.len() >= length.map_or(0, |length| length.parse().unwrap())
}

fn plain(status: &str, headers: &str, body: &str) -> String {
    format!("HTTP/1.1 {status}\r\nconnection: close\r\ncontent-length: {}\r\n{headers}\r\n{body}", body.len())
}

fn json_answer(status: &str, headers: &str, body: &Value) -> String {
    plain(status, &format!("content-type: application/json\r\n{headers}"), &body.to_string())
}

fn events(body: &str) -> String {
    plain("200 OK", "content-type: text/event-stream\r\n", body)
}

#[tokio::test]
async fn a_session_is_opened_used_and_ended() {
    let initialized = json!({"jsonrpc": "2.0", "id": 1, "result": {"protocolVersion": "2025-06-18"}});
    let (origin, mut heard) = server(vec![
        json_answer("200 OK", "mcp-session-id: s-1\r\n", &initialized),
        plain("202 Accepted", "", ""),
        events(
            "data: {\"method\":\"notifications/progress\",\"params\":{}}\n\ndata: {\"id\":2,\"result\":{\"ok\":true}}\n\n",
        ),
        plain("200 OK", "", ""),
    ])
    .await;
    let mut client = Client::open(origin, "counter", SOON).await.unwrap();
    assert_eq!(client.session(), Some("s-1"));
    let mut notes = 0;
    let result = client.call("increment", Map::new(), &mut |_| notes += 1).await.unwrap();
    assert_eq!((result, notes), (json!({"ok": true}), 1));
    client.close().await;

    let first = heard.recv().await.unwrap();
    assert!(first.starts_with("post /counter/mcp ") && !first.contains("mcp-session-id"), "{first}");
    for _ in 0..2 {
        let next = heard.recv().await.unwrap();
        assert!(next.contains("mcp-session-id: s-1") && next.contains("mcp-protocol-version: 2025-06-18"), "{next}");
    }
    assert!(heard.recv().await.unwrap().starts_with("delete /counter/mcp "));
}

#[tokio::test]
async fn a_server_without_initialize_is_asked_in_the_modern_manner() {
    let unknown = json!({"jsonrpc": "2.0", "id": 1, "error": {"code": -32601, "message": "method not found"}});
    let answer = json!({"jsonrpc": "2.0", "id": 2, "result": {"tools": []}});
    let (origin, mut heard) =
        server(vec![json_answer("404 Not Found", "", &unknown), json_answer("200 OK", "", &answer)]).await;
    let mut client = Client::open(origin, "counter", SOON).await.unwrap();
    assert_eq!(client.session(), None);
    client.tools().await.unwrap();
    heard.recv().await.unwrap();
    let asked = heard.recv().await.unwrap();
    assert!(asked.contains("mcp-method: tools/list") && asked.contains("mcp-protocol-version: 2026-07-28"), "{asked}");
}

#[tokio::test]
async fn a_refusal_of_the_mesh_is_told_and_not_taken_for_an_old_server() {
    let data = json!({"reason": "no_route", "detail": "there is no route `tea`", "hint": "outrigger get routes"});
    let refusal = json!({"jsonrpc": "2.0", "id": 1, "error": {"code": -32601, "message": "no route", "data": data}});
    let (origin, _heard) = server(vec![json_answer("404 Not Found", "", &refusal)]).await;
    let error = Client::open(origin, "tea", SOON).await.err().unwrap();
    assert_eq!(error.to_string(), "no route (no_route): there is no route `tea`");
}

#[tokio::test]
async fn a_stream_that_ends_early_says_that_the_call_may_have_run() {
    let (origin, _heard) = server(vec![events("data: \nid: 0\n\n")]).await;
    let mut client = Client::resume(origin, "counter", HeaderValue::from_static("s-1"), SOON);
    let error = client.call("increment", Map::new(), &mut |_| {}).await.unwrap_err();
    assert!(matches!(error, McpError::Cut), "{error}");
}
