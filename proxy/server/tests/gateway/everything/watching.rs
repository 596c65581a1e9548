//! Resources that are watched through everything at once: across the eras, and over streams that end.

use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::{Value, json};

use super::{Told, body, event, http, listen, message, next, open, result, start, stream, telling, telling_streams};
use crate::agent::Request;
use crate::caller::Caller;

fn acknowledged() -> Value {
    json!({"jsonrpc": "2.0", "method": "notifications/subscriptions/acknowledged", "params": {}})
}

fn updated(mark: &str) -> Value {
    let params =
        json!({"uri": "weather://sky", "_meta": {"mark": mark, "io.modelcontextprotocol/subscriptionId": "theirs"}});
    json!({"jsonrpc": "2.0", "method": "notifications/resources/updated", "params": params})
}

/// An agent that ends its first stream, is in trouble for the second, and speaks on the third.
fn stumbling() -> impl Fn(&Request) -> Option<Vec<u8>> + Send + Sync + 'static {
    let streams = AtomicUsize::new(0);
    move |_| {
        Some(match streams.fetch_add(1, Ordering::SeqCst) {
            0 => stream(&[acknowledged(), updated("first")], true),
            1 => http("500 Internal Server Error", "", ""),
            _ => stream(&[acknowledged(), updated("third")], false),
        })
    }
}

#[tokio::test]
async fn a_modern_agents_stream_that_ends_is_opened_again_for_a_modern_client() {
    let (agent, mut requests) = telling(true, stumbling()).await;
    let proxy = start(&agent);
    let mut caller = Caller::connect(proxy.outbound).await;
    let (headers, text) = listen(&json!({"resourceSubscriptions": ["weather://sky", "nobody://knows"]}));
    caller.send(&crate::caller::post("/mcp", &headers, &text)).await;
    assert_eq!(caller.head().await.status, 200);
    let mut told = Vec::new();
    for _ in 0..4 {
        let message: Value = serde_json::from_str(&event(&mut caller).await).expect("a message");
        assert_eq!(message["params"]["_meta"]["io.modelcontextprotocol/subscriptionId"], "ears", "{message}");
        told.push(message);
    }
    assert_eq!(told[0]["params"]["notifications"], json!({"resourceSubscriptions": ["weather://sky"]}));
    let marks: Vec<&Value> = told[1..].iter().map(|message| &message["params"]["_meta"]["mark"]).collect();
    // What may have been missed is told between the two.
    assert_eq!(marks, [&json!("first"), &Value::Null, &json!("third")]);
    assert!(told[1..].iter().all(|message| message["params"]["uri"] == "weather://sky"), "{told:?}");
    for _ in 0..3 {
        let params = message(&next(&mut requests).await)["params"].clone();
        assert_eq!(params["notifications"], json!({"resourceSubscriptions": ["weather://sky"]}));
    }
}

#[tokio::test]
async fn an_agent_that_will_not_be_watched_ends_the_clients_stream_with_its_result() {
    let refused = |request: &Request| {
        let error = json!({"jsonrpc": "2.0", "id": message(request)["id"], "error": {"code": -32601, "message": "no"}});
        Some(http("404 Not Found", "", &error.to_string()))
    };
    let (agent, _requests) = telling(true, refused).await;
    let proxy = start(&agent);
    let mut caller = Caller::connect(proxy.outbound).await;
    let (headers, text) = listen(&json!({"resourceSubscriptions": ["weather://sky"]}));
    let answer = caller.post("/mcp", &headers, &text).await;
    assert!(answer.whole && answer.text().contains(r#""resultType":"complete""#), "{}", answer.text());
}

/// Between the eras: `resources/subscribe` of a session becomes a listening stream at a modern agent.
#[tokio::test]
async fn a_session_watches_a_modern_agents_resource_and_stops_to() {
    let (agent, mut requests) = telling(true, stumbling()).await;
    let proxy = start(&agent);
    let (mut caller, mut ear) = (Caller::connect(proxy.outbound).await, Caller::connect(proxy.outbound).await);
    let session = open(&mut caller, &json!({})).await;
    ear.send(&format!("GET /mcp HTTP/1.1\r\nHost: localhost\r\nAccept: text/event-stream\r\n{session}\r\n")).await;
    assert_eq!(ear.head().await.status, 200);
    let subscribe = r#"{"jsonrpc":"2.0","id":1,"method":"resources/subscribe","params":{"uri":"weather://sky"}}"#;
    assert_eq!(body(&caller.post("/mcp", &session, subscribe).await)["result"], json!({}));
    for _ in 0..3 {
        let told: Value = serde_json::from_str(&event(&mut ear).await).expect("a message");
        assert_eq!(
            (&told["method"], &told["params"]),
            (&json!("notifications/resources/updated"), &json!({"uri": "weather://sky"}))
        );
        assert_eq!(message(&next(&mut requests).await)["method"], "subscriptions/listen");
    }
    let stop = subscribe.replace("resources/subscribe", "resources/unsubscribe");
    assert_eq!(body(&caller.post("/mcp", &session, &stop).await)["result"], json!({}));
}

#[tokio::test]
async fn a_legacy_agents_own_stream_is_opened_again_and_its_updates_reach_the_session_that_subscribed() {
    let streams = AtomicUsize::new(0);
    let (agent, mut requests) = telling_streams(false, move |request| {
        if request.head.starts_with("GET") {
            let first = streams.fetch_add(1, Ordering::SeqCst) == 0;
            return Told::Told(Some(if first { stream(&[], true) } else { stream(&[updated("again")], false) }));
        }
        Told::Told(Some(result(request, &json!({}))))
    })
    .await;
    let proxy = start(&agent);
    let (mut caller, mut ear) = (Caller::connect(proxy.outbound).await, Caller::connect(proxy.outbound).await);
    let session = open(&mut caller, &json!({})).await;
    ear.send(&format!("GET /mcp HTTP/1.1\r\nHost: localhost\r\nAccept: text/event-stream\r\n{session}\r\n")).await;
    assert_eq!(ear.head().await.status, 200);
    let subscribe = r#"{"jsonrpc":"2.0","id":1,"method":"resources/subscribe","params":{"uri":"weather://sky"}}"#;
    assert_eq!(body(&caller.post("/mcp", &session, subscribe).await)["result"], json!({}));
    let told: Value = serde_json::from_str(&event(&mut ear).await).expect("a message");
    assert_eq!((&told["params"]["uri"], &told["params"]["_meta"]["mark"]), (&json!("weather://sky"), &json!("again")));
    let mut seen = Vec::new();
    while seen.len() < 3 {
        seen.push(next(&mut requests).await);
    }
    assert!(seen.iter().any(|request| message(request)["params"]["uri"] == "weather://sky"), "{seen:?}");
}
