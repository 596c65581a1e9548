//! Requests that are not calls of tools: who gets them, and how often.

use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::{Value, json};

use super::{body, http, message, modern_call, modern_headers, next, open, open_as, result, start, telling};
use crate::agent::Request;
use crate::caller::Caller;

fn request(id: u32, method: &str, params: &Value) -> String {
    json!({"jsonrpc": "2.0", "id": id, "method": method, "params": params}).to_string()
}

fn done(request: &Request) -> Option<Vec<u8>> {
    Some(result(request, &json!({"resultType": "complete", "task": {"taskId": "t-1"}, "content": []})))
}

#[tokio::test]
async fn a_completion_goes_to_the_owner_of_its_reference_under_its_own_name() {
    let (agent, mut requests) = telling(false, done).await;
    let proxy = start(&agent);
    let mut caller = Caller::connect(proxy.outbound).await;
    let session = open(&mut caller, &json!({})).await;
    let argument = json!({"name": "who", "value": "a"});
    for (told, known) in [
        (json!({"type": "ref/prompt", "name": "weather__greet"}), json!({"type": "ref/prompt", "name": "greet"})),
        (
            json!({"type": "ref/resource", "uri": "weather://sky"}),
            json!({"type": "ref/resource", "uri": "weather://sky"}),
        ),
    ] {
        let text = request(1, "completion/complete", &json!({"ref": told, "argument": argument}));
        assert!(body(&caller.post("/mcp", &session, &text).await)["result"].is_object());
        let seen = message(&next(&mut requests).await);
        assert_eq!(seen["method"], "completion/complete");
        assert_eq!(seen["params"], json!({"ref": known, "argument": argument}));
    }
    let text = request(2, "completion/complete", &json!({"ref": {"type": "ref/prompt", "name": "nobody"}}));
    assert_eq!(body(&caller.post("/mcp", &session, &text).await)["error"]["code"], -32602);
}

#[tokio::test]
async fn a_level_is_remembered_for_agents_with_sessions_and_told_to_those_that_are_open() {
    let (agent, mut requests) = telling(false, done).await;
    let proxy = start(&agent);
    let mut caller = Caller::connect(proxy.outbound).await;
    let session = open(&mut caller, &json!({})).await;
    let level = |level: &str| request(1, "logging/setLevel", &json!({"level": level}));
    assert_eq!(body(&caller.post("/mcp", &session, &level("debug")).await)["result"], json!({}));
    let call = request(2, "tools/call", &json!({"name": "weather__wait"}));
    assert_eq!(caller.post("/mcp", &session, &call).await.status, 200);
    assert_eq!(body(&caller.post("/mcp", &session, &level("error")).await)["result"], json!({}));
    let mut seen = Vec::new();
    while seen.len() < 3 {
        let message = message(&next(&mut requests).await);
        seen.push((message["method"].clone(), message["params"]["level"].clone()));
    }
    let set = json!("logging/setLevel");
    let expected = [(set.clone(), json!("debug")), (json!("tools/call"), Value::Null), (set, json!("error"))];
    assert_eq!(seen, expected);
}

#[tokio::test]
async fn a_level_becomes_a_member_of_each_request_to_a_modern_agent() {
    let (agent, mut requests) = telling(true, done).await;
    let proxy = start(&agent);
    let mut caller = Caller::connect(proxy.outbound).await;
    let session = open(&mut caller, &json!({})).await;
    let level = request(1, "logging/setLevel", &json!({"level": "notice"}));
    assert_eq!(body(&caller.post("/mcp", &session, &level).await)["result"], json!({}));
    let call = request(2, "tools/call", &json!({"name": "weather__wait"}));
    assert_eq!(caller.post("/mcp", &session, &call).await.status, 200);
    let seen = message(&next(&mut requests).await);
    assert_eq!(seen["params"]["_meta"]["io.modelcontextprotocol/logLevel"], "notice");
}

#[tokio::test]
async fn a_task_is_asked_of_the_agent_that_minted_its_id() {
    let (agent, mut requests) = telling(false, done).await;
    let proxy = start(&agent);
    let mut caller = Caller::connect(proxy.outbound).await;
    let session = open(&mut caller, &json!({})).await;
    let get = request(1, "tasks/get", &json!({"taskId": "t-1"}));
    assert_eq!(body(&caller.post("/mcp", &session, &get).await)["error"]["code"], -32602, "nobody minted it yet");
    let call = request(2, "tools/call", &json!({"name": "weather__wait", "task": {}}));
    assert_eq!(body(&caller.post("/mcp", &session, &call).await)["result"]["task"]["taskId"], "t-1");
    assert_eq!(message(&next(&mut requests).await)["method"], "tools/call");
    for method in ["tasks/get", "tasks/result", "tasks/cancel"] {
        let text = request(3, method, &json!({"taskId": "t-1"}));
        assert!(body(&caller.post("/mcp", &session, &text).await)["result"].is_object());
        let seen = message(&next(&mut requests).await);
        assert_eq!((&seen["method"], &seen["params"]["taskId"]), (&json!(method), &json!("t-1")));
    }
    let list = request(4, "tasks/list", &json!({}));
    assert_eq!(body(&caller.post("/mcp", &session, &list).await)["error"]["code"], -32601);
}

/// 2025-03-26 `basic/index`: arrays of messages; later revisions took them back.
#[tokio::test]
async fn an_array_is_answered_on_one_stream_and_in_its_own_revision_only() {
    let (agent, mut requests) = telling(false, done).await;
    let proxy = start(&agent);
    let mut caller = Caller::connect(proxy.outbound).await;
    let session = open_as(&mut caller, &json!({}), "2025-03-26").await;
    let call = request(1, "tools/call", &json!({"name": "weather__wait"}));
    let array =
        format!("[{call},{},{}]", request(2, "ping", &json!({})), r#"{"jsonrpc":"2.0","method":"notifications/x"}"#);
    let answer = caller.post("/mcp", &session, &array).await;
    let answers = answer.text().lines().filter_map(|line| line.strip_prefix("data: "));
    let mut ids: Vec<u64> = answers
        .map(|text| serde_json::from_str::<Value>(text).expect("a message")["id"].as_u64().expect("an id"))
        .collect();
    ids.sort_unstable();
    assert_eq!((answer.whole, ids), (true, vec![1, 2]));
    assert_eq!(message(&next(&mut requests).await)["method"], "tools/call");
    let newer = open(&mut caller, &json!({})).await;
    let refused = caller.post("/mcp", &newer, &array).await;
    assert_eq!((refused.status, body(&refused)["error"]["code"].as_i64()), (400, Some(-32600)));
}

#[tokio::test]
async fn a_shared_session_that_its_agent_forgot_is_opened_again_within_the_call() {
    let calls = AtomicUsize::new(0);
    let (agent, mut requests) = telling(false, move |request| match calls.fetch_add(1, Ordering::SeqCst) {
        1 => Some(http("404 Not Found", "", "")),
        _ => done(request),
    })
    .await;
    let proxy = start(&agent);
    let mut caller = Caller::connect(proxy.outbound).await;
    let headers = modern_headers("tools/call", "weather__wait");
    for _ in 0..2 {
        let answer = caller.post("/mcp", &headers, &modern_call("weather__wait", "{}")).await;
        assert_eq!((answer.status, &body(&answer)["result"]["resultType"]), (200, &json!("complete")));
    }
    for _ in 0..3 {
        assert_eq!(message(&next(&mut requests).await)["method"], "tools/call");
    }
}

#[tokio::test]
async fn an_answer_that_says_later_says_when() {
    let busy = |request: &Request| {
        let error =
            json!({"jsonrpc": "2.0", "id": message(request)["id"], "error": {"code": -32603, "message": "busy"}});
        Some(http("503 Service Unavailable", "Retry-After: 7\r\n", &error.to_string()))
    };
    let (agent, _requests) = telling(true, busy).await;
    let proxy = start(&agent);
    let mut caller = Caller::connect(proxy.outbound).await;
    let headers = modern_headers("tools/call", "weather__wait");
    let answer = caller.post("/mcp", &headers, &modern_call("weather__wait", "{}")).await;
    assert_eq!((answer.status, body(&answer)["error"]["message"].as_str()), (503, Some("busy")));
    assert!(answer.has_header("Retry-After: 7"), "{}", answer.head);
}
