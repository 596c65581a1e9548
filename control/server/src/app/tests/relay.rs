//! Calls that operators make through control.

use axum::Router;
use axum::body::Body;
use axum::http::{HeaderMap, StatusCode};
use axum::response::IntoResponse;
use axum::routing::post;
use serde_json::json;

use super::mesh::{ask, control, soon};
use super::upstream::{beat, greets, heartbeat};
use super::*;

/// Answers with what it was asked, or says something and then nothing more.
async fn agent() -> u16 {
    async fn mcp(headers: HeaderMap, body: String) -> impl IntoResponse {
        if body == "hang" {
            let first = futures_util::stream::iter([Ok::<_, std::io::Error>("data: 1\n\n")]);
            let all = futures_util::StreamExt::chain(first, futures_util::stream::pending());
            return (StatusCode::OK, [("content-type", "text/event-stream")], Body::from_stream(all)).into_response();
        }
        let name = |field: &str| headers.get(field).and_then(|value| value.to_str().ok()).unwrap_or("-").to_owned();
        format!("{body} {} {}", name("x-trace-id"), name("authorization")).into_response()
    }
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move { axum::serve(listener, Router::new().route("/mcp", post(mcp))).await });
    port
}

async fn call(control: &Running, target: &str, timeout: &str, body: &str) -> (u16, String) {
    let head = format!("host: 127.0.0.1\r\nx-mesh-timeout: {timeout}\r\nx-trace-id: abc\r\nauthorization: secret");
    let request = format!(
        "POST /proxy/{target} HTTP/1.1\r\n{head}\r\nconnection: close\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    );
    let (status, _, body) = ask(control, &request).await;
    (status, body)
}

#[tokio::test]
async fn a_call_reaches_a_registered_agent_and_nothing_else() {
    let control = control("store: memory").await;
    let port = agent().await;
    let target = format!("127.0.0.1:{port}/mcp");
    let (status, body) = call(&control, &target, "30", "hello").await;
    assert_eq!(status, 403, "it is not registered yet");
    assert!(body.contains(&format!("Target host '127.0.0.1:{port}' is not a registered agent")), "{body}");
    beat(&control, &heartbeat("prov-1", port, greets())).await;
    let (status, body) = call(&control, &target, "30", "hello").await;
    assert_eq!(status, 200, "{body}");
    assert!(body.contains("hello abc -"), "what is no business of the agent stays here: {body}");
    for path in ["health", "mcp/../health", "mcpx", "agents/other/mcp", ""] {
        let (status, body) = call(&control, &format!("127.0.0.1:{port}/{path}"), "30", "hello").await;
        assert!(status == 400 || status == 403, "{path}: {status} {body}");
    }
    soon(control.stop()).await;
}

#[tokio::test]
async fn an_event_stream_whose_time_runs_out_ends_with_a_comment_that_says_so() {
    let control = control("store: memory").await;
    let port = agent().await;
    beat(&control, &heartbeat("prov-1", port, greets())).await;
    let (status, body) = call(&control, &format!("127.0.0.1:{port}/mcp"), "1", "hang").await;
    assert_eq!(status, 200);
    assert!(body.contains("data: 1"), "{body}");
    assert!(body.contains(": mesh-proxy-timeout budget=1s"), "{body}");
    soon(control.stop()).await;
}

#[tokio::test]
async fn operators_can_switch_it_off() {
    let control = control("store: memory\nrelay: false").await;
    beat(&control, &heartbeat("prov-1", 19101, json!([]))).await;
    let (status, body) = call(&control, "127.0.0.1:19101/mcp", "30", "hello").await;
    assert_eq!(status, 403);
    assert!(body.contains("relay: true"), "{body}");
    soon(control.stop()).await;
}
