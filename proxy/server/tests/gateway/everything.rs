//! Everything at once, `/mcp`: what targets are sent, what callers of either era get back.

mod routing;
mod watching;

use std::sync::Arc;
use std::time::{Duration, Instant};

use outrigger_proxy::config::settings::Aggregate;
use serde_json::{Value, json};
use tokio::sync::mpsc;
use tokio::time::timeout;

use crate::agent::{Agent, Conversation, Request};
use crate::caller::{Answer, Caller, PATIENCE};
use crate::mesh::{Proxy, Scene};

const MODERN: &str = "2026-07-28";
/// Far longer than a test may take.
const GRACE: Duration = Duration::from_secs(30);

fn message(request: &Request) -> Value {
    serde_json::from_slice(&request.body).unwrap_or_default()
}

fn http(status: &str, headers: &str, body: &str) -> Vec<u8> {
    let length = body.len();
    format!("HTTP/1.1 {status}\r\nContent-Type: application/json\r\n{headers}Content-Length: {length}\r\n\r\n{body}")
        .into_bytes()
}

fn result(request: &Request, result: &Value) -> Vec<u8> {
    http("200 OK", "", &json!({"jsonrpc": "2.0", "id": message(request)["id"], "result": result}).to_string())
}

fn tools() -> Value {
    let schema = json!({"type": "object", "properties": {"city": {"type": "string", "x-mcp-header": "City"}}});
    json!({"resultType": "complete", "ttlMs": 60_000, "cacheScope": "public", "tools": [
        {"name": "forecast", "inputSchema": schema}, {"name": "wait", "inputSchema": {"type": "object"}}]})
}

fn listed(request: &Request, what: &str, list: Value) -> Vec<u8> {
    result(request, &json!({"resultType": "complete", "ttlMs": 60_000, "cacheScope": "public", what: list}))
}

/// A stream of events with these messages; it may end behind them.
fn stream(messages: &[Value], ends: bool) -> Vec<u8> {
    let head = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n";
    let chunk = |message: &Value| {
        let text = format!("data: {message}\n\n");
        format!("{:x}\r\n{text}\r\n", text.len())
    };
    let chunks: String = messages.iter().map(chunk).collect();
    format!("{head}{chunks}{}", if ends { "0\r\n\r\n" } else { "" }).into_bytes()
}

/// Answers what every agent is asked about itself; hands out the rest.
async fn introduce(conversation: &mut Conversation, request: Request, modern: bool) -> Option<Request> {
    let method = message(&request)["method"].as_str().unwrap_or_default().to_owned();
    let answer = match (method.as_str(), modern) {
        ("server/discover", true) => result(
            &request,
            &json!({"resultType": "complete", "supportedVersions": [MODERN],
            "capabilities": {"tools": {}, "resources": {}}, "ttlMs": 0, "cacheScope": "public"}),
        ),
        ("server/discover", false) => http("400 Bad Request", "", "{}"),
        ("initialize", false) => {
            let told = json!({"protocolVersion": "2025-11-25", "capabilities": {"tools": {}, "logging": {}, "prompts": {}, "completions": {}, "resources": {"subscribe": true}}, "serverInfo": {}});
            let body = json!({"jsonrpc": "2.0", "id": message(&request)["id"], "result": told}).to_string();
            http("200 OK", "Mcp-Session-Id: upstream-1\r\n", &body)
        }
        ("notifications/initialized", false) => http("202 Accepted", "", ""),
        ("tools/list", _) => result(&request, &tools()),
        ("prompts/list", _) => listed(&request, "prompts", json!([{"name": "greet"}])),
        ("resources/list", _) => listed(&request, "resources", json!([{"name": "sky", "uri": "weather://sky"}])),
        ("resources/templates/list", _) => listed(&request, "resourceTemplates", json!([])),
        _ => return Some(request),
    };
    conversation.send(&answer).await;
    None
}

/// An agent that tells the test every request that is not about itself, and answers with what `answer` makes of it; with nothing it hangs up.
async fn telling(
    modern: bool,
    answer: impl Fn(&Request) -> Option<Vec<u8>> + Send + Sync + 'static,
) -> (Agent, mpsc::Receiver<Request>) {
    telling_streams(modern, move |request| match request.head.starts_with("GET") {
        true => Told::Untold(http("405 Method Not Allowed", "", "")),
        false => Told::Told(answer(request)),
    })
    .await
}

/// What becomes of a request.
enum Told {
    Told(Option<Vec<u8>>),
    /// The test does not hear of it.
    Untold(Vec<u8>),
}

/// The same, of one that may offer a stream of its own.
async fn telling_streams(
    modern: bool,
    answer: impl Fn(&Request) -> Told + Send + Sync + 'static,
) -> (Agent, mpsc::Receiver<Request>) {
    let (told, requests) = mpsc::channel(64);
    let answer = Arc::new(answer);
    let agent = Agent::start(move |mut conversation| {
        let (told, answer) = (told.clone(), Arc::clone(&answer));
        async move {
            while let Some(request) = conversation.request().await {
                let Some(request) = introduce(&mut conversation, request, modern).await else { continue };
                let answer = match answer(&request) {
                    Told::Told(answer) => answer,
                    Told::Untold(answer) => {
                        conversation.send(&answer).await;
                        continue;
                    }
                };
                told.send(request).await.expect("the test listens");
                match answer {
                    Some(answer) if answer.is_empty() => return,
                    Some(answer) => conversation.send(&answer).await,
                    None => {
                        conversation.closed().await;
                        let gone = Request { head: "gone".to_owned(), body: Vec::new() };
                        told.send(gone).await.expect("the test listens");
                    }
                }
            }
        }
    });
    (agent.await, requests)
}

fn start(agent: &Agent) -> Proxy {
    let aggregate = Some(Aggregate::default());
    Scene { aggregate, ..Scene::of_own(&[("weather-1", agent.address)]) }.start()
}

async fn next(requests: &mut mpsc::Receiver<Request>) -> Request {
    timeout(PATIENCE, requests.recv()).await.expect("a request in time").expect("a request")
}

fn modern_call(tool: &str, arguments: &str) -> String {
    format!(
        r#"{{"jsonrpc":"2.0","id":"mine","method":"tools/call","params":{{"name":"{tool}","arguments":{arguments},"_meta":{{"io.modelcontextprotocol/protocolVersion":"{MODERN}","io.modelcontextprotocol/clientCapabilities":{{}}}}}}}}"#
    )
}

fn modern_headers(method: &str, name: &str) -> String {
    format!("MCP-Protocol-Version: {MODERN}\r\nMcp-Method: {method}\r\nMcp-Name: {name}\r\n")
}

fn body(answer: &Answer) -> Value {
    serde_json::from_slice(&answer.body).unwrap_or_else(|_| panic!("{}", String::from_utf8_lossy(&answer.body)))
}

/// The message of the next event; each is a chunk of its own.
async fn event(caller: &mut Caller) -> String {
    let chunk = String::from_utf8(caller.chunk().await.expect("an event")).expect("text");
    chunk.lines().find_map(|line| line.strip_prefix("data: ")).expect("data").to_owned()
}

/// A legacy session; its header lines.
async fn open(caller: &mut Caller, capabilities: &Value) -> String {
    open_as(caller, capabilities, "2025-11-25").await
}

async fn open_as(caller: &mut Caller, capabilities: &Value, revision: &str) -> String {
    let params =
        json!({"protocolVersion": revision, "capabilities": capabilities, "clientInfo": {"name": "t", "version": "1"}});
    let text = json!({"jsonrpc": "2.0", "id": 0, "method": "initialize", "params": params}).to_string();
    let answer = caller.post("/mcp", "", &text).await;
    assert_eq!(answer.status, 200);
    assert_eq!(body(&answer)["result"]["protocolVersion"], revision);
    let head = answer.head.to_ascii_lowercase();
    let id = head.lines().find_map(|line| line.strip_prefix("mcp-session-id: ")).expect("a session").to_owned();
    format!("Mcp-Session-Id: {id}\r\nMCP-Protocol-Version: {revision}\r\n")
}

#[tokio::test]
async fn a_call_reaches_its_agent_under_its_own_name_and_with_its_own_bytes() {
    let (agent, mut requests) =
        telling(true, |request| Some(result(request, &json!({"resultType": "complete", "content": []})))).await;
    let proxy = start(&agent);
    let mut caller = Caller::connect(proxy.outbound).await;
    let arguments = r#"{"city": "Z\u00fcrich", "n":1.50,  "big":12345678901234567890}"#;
    let headers = format!("{}Mcp-Param-City: Z\r\n", modern_headers("tools/call", "weather__forecast"));
    let answer = caller.post("/mcp", &headers, &modern_call("weather__forecast", arguments)).await;
    assert_eq!((answer.status, body(&answer)["id"].as_str()), (200, Some("mine")));
    let seen = next(&mut requests).await;
    let head = seen.head.to_ascii_lowercase();
    assert!(head.contains("mcp-name: forecast\r\n") && head.contains("mcp-param-city: z\r\n"), "{head}");
    assert!(String::from_utf8_lossy(&seen.body).contains(arguments), "{}", String::from_utf8_lossy(&seen.body));
    assert_eq!(message(&seen)["params"]["name"], "forecast");
}

/// 2026-07-28 streamable HTTP: "Servers MUST reject requests where the values in the headers do not match the values in the request
/// body" with 400 and -32020.
#[tokio::test]
async fn headers_that_contradict_the_body_are_refused_before_any_agent_hears_of_it() {
    let (agent, mut requests) = telling(true, |_| Some(http("500 Oops", "", ""))).await;
    let proxy = start(&agent);
    let mut caller = Caller::connect(proxy.outbound).await;
    let call = modern_call("weather__forecast", "{}");
    let no_meta = r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"weather__forecast"}}"#;
    let right = modern_headers("tools/call", "weather__forecast");
    for (headers, text, code) in [
        (modern_headers("tools/list", "weather__forecast"), call.as_str(), -32020),
        (modern_headers("tools/call", "weather__wait"), call.as_str(), -32020),
        (right.replace("-28", "-29"), call.as_str(), -32020),
        (String::new(), call.as_str(), -32020),
        (right.clone(), no_meta, -32602),
        (right.replace(MODERN, "2027-01-01"), &call.replace(MODERN, "2027-01-01"), -32022),
        (right.clone(), "{", -32700),
        (right.clone(), "[]", -32600),
    ] {
        let answer = caller.post("/mcp", &headers, text).await;
        assert_eq!((answer.status, body(&answer)["error"]["code"].as_i64()), (400, Some(code)), "{headers}{text}");
    }
    assert!(requests.try_recv().is_err(), "no agent was asked");
}

/// 2026-07-28: a client that closes the stream of a request cancels it.
#[tokio::test]
async fn a_caller_that_leaves_ends_the_call_at_its_agent() {
    let (agent, mut requests) = telling(true, |_| None).await;
    let proxy = start(&agent);
    let mut caller = Caller::connect(proxy.outbound).await;
    let headers = modern_headers("tools/call", "weather__wait");
    let text = modern_call("weather__wait", "{}");
    caller.send(&crate::caller::post("/mcp", &headers, &text)).await;
    assert_eq!(message(&next(&mut requests).await)["params"]["name"], "wait");
    drop(caller);
    assert_eq!(next(&mut requests).await.head, "gone");
}

#[tokio::test]
async fn a_modern_agents_question_becomes_a_request_to_a_legacy_client_and_the_call_goes_on_with_the_answer() {
    let (agent, mut requests) = telling(true, |request| {
        let params = message(request)["params"].clone();
        let answer = params["inputResponses"]["where"]["content"]["city"].as_str();
        Some(match answer {
            Some(city) => result(request, &json!({"resultType": "complete", "content": [{"type": "text", "text": format!("{city} {}", params["requestState"])}]})),
            None => result(request, &json!({"resultType": "input_required", "requestState": "sealed", "inputRequests": {
                "where": {"method": "elicitation/create", "params": {"message": "where?"}}}})),
        })
    })
    .await;
    let proxy = start(&agent);
    let (mut caller, mut other) = (Caller::connect(proxy.outbound).await, Caller::connect(proxy.outbound).await);
    let session = open(&mut caller, &json!({"elicitation": {}})).await;
    let text = r#"{"jsonrpc":"2.0","id":3,"method":"tools/call","params":{"name":"weather__forecast","arguments":{"city":"x"}}}"#;
    caller.send(&crate::caller::post("/mcp", &session, text)).await;
    let first = next(&mut requests).await;
    let meta = &message(&first)["params"]["_meta"];
    assert_eq!(meta["io.modelcontextprotocol/clientCapabilities"], json!({"elicitation": {}}));
    assert!(first.head.to_ascii_lowercase().contains("mcp-param-city: x\r\n"), "{}", first.head);

    let head = caller.head().await;
    assert!(head.head.contains("text/event-stream"), "{}", head.head);
    let asked: Value = serde_json::from_str(&event(&mut caller).await).expect("a request");
    assert_eq!((&asked["method"], &asked["params"]["message"]), (&json!("elicitation/create"), &json!("where?")));
    let answer =
        json!({"jsonrpc": "2.0", "id": asked["id"], "result": {"action": "accept", "content": {"city": "Bern"}}});
    assert_eq!(other.post("/mcp", &session, &answer.to_string()).await.status, 202);
    let done: Value = serde_json::from_str(&event(&mut caller).await).expect("an answer");
    assert_eq!((&done["id"], &done["result"]["content"][0]["text"]), (&json!(3), &json!("Bern \"sealed\"")));
    assert!(done["result"]["resultType"].is_null(), "a legacy client knows no such member");
}

#[tokio::test]
async fn a_session_has_one_session_at_its_agent_and_ends_it() {
    let (agent, mut requests) = telling(false, |request| {
        if request.head.starts_with("DELETE") {
            return Some(http("200 OK", "", ""));
        }
        Some(result(request, &json!({"content": []})))
    })
    .await;
    let proxy = start(&agent);
    let mut caller = Caller::connect(proxy.outbound).await;
    let session = open(&mut caller, &json!({})).await;
    for id in 1..=3 {
        let text =
            format!(r#"{{"jsonrpc":"2.0","id":{id},"method":"tools/call","params":{{"name":"weather__forecast"}}}}"#);
        let answer = caller.post("/mcp", &session, &text).await;
        assert_eq!((answer.status, body(&answer)["id"].as_i64()), (200, Some(id)));
        assert!(next(&mut requests).await.head.to_ascii_lowercase().contains("mcp-session-id: upstream-1"));
    }
    caller.send(&format!("DELETE /mcp HTTP/1.1\r\nHost: localhost\r\n{session}\r\n")).await;
    assert_eq!(caller.answer().await.status, 200);
    assert!(next(&mut requests).await.head.starts_with("DELETE"));
    let list = r#"{"jsonrpc":"2.0","id":9,"method":"tools/list"}"#;
    assert_eq!(caller.post("/mcp", &session, list).await.status, 404, "unknown: initialise again");
    assert_eq!(caller.post("/mcp", "", list).await.status, 400, "no session at all");
}

#[tokio::test]
async fn a_legacy_cancellation_reaches_the_agent_under_the_id_that_it_knows() {
    let (agent, mut requests) = telling(false, |request| match message(request)["method"].as_str() {
        Some("tools/call") => None,
        _ => Some(http("202 Accepted", "", "")),
    })
    .await;
    let proxy = start(&agent);
    let (mut caller, mut other) = (Caller::connect(proxy.outbound).await, Caller::connect(proxy.outbound).await);
    let session = open(&mut caller, &json!({})).await;
    let call = r#"{"jsonrpc":"2.0","id":"slow","method":"tools/call","params":{"name":"weather__wait"}}"#;
    caller.send(&crate::caller::post("/mcp", &session, call)).await;
    let id = message(&next(&mut requests).await)["id"].clone();
    let notice =
        r#"{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":"slow","reason":"enough"}}"#;
    let cancelled = timeout(PATIENCE, async {
        // The call is known as under way a moment after the agent has it.
        loop {
            assert_eq!(other.post("/mcp", &session, notice).await.status, 202);
            if let Ok(request) = requests.try_recv() {
                return request;
            }
            tokio::task::yield_now().await;
        }
    });
    let params = message(&cancelled.await.expect("in time"))["params"].clone();
    assert_eq!((&params["requestId"], &params["reason"]), (&id, &json!("enough")));
}

#[tokio::test]
async fn one_agent_that_is_gone_is_an_error_of_its_calls_only() {
    // It hangs up on every call.
    let (agent, _requests) = telling(false, |_| Some(Vec::new())).await;
    let proxy = start(&agent);
    let mut caller = Caller::connect(proxy.outbound).await;
    let session = open(&mut caller, &json!({})).await;
    let call = r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"weather__forecast"}}"#;
    let answer = caller.post("/mcp", &session, call).await;
    let error = body(&answer)["error"].clone();
    assert_eq!(answer.status, 200, "404 and its like would say that the session is gone");
    assert!(error["data"]["reason"].is_string() && body(&answer)["id"] == 1, "{error}");
    let list = caller.post("/mcp", &session, r#"{"jsonrpc":"2.0","id":2,"method":"tools/list"}"#).await;
    assert_eq!(body(&list)["result"]["tools"][0]["name"], "weather__forecast");
    let ping = caller.post("/mcp", &session, r#"{"jsonrpc":"2.0","id":3,"method":"ping"}"#).await;
    assert_eq!(body(&ping)["result"], json!({}));
}

fn listen(wanted: &Value) -> (String, String) {
    let meta =
        json!({"io.modelcontextprotocol/protocolVersion": MODERN, "io.modelcontextprotocol/clientCapabilities": {}});
    let params = json!({"_meta": meta, "notifications": wanted});
    let text = json!({"jsonrpc": "2.0", "id": "ears", "method": "subscriptions/listen", "params": params}).to_string();
    (format!("MCP-Protocol-Version: {MODERN}\r\nMcp-Method: subscriptions/listen\r\n"), text)
}

/// 2026-07-28 `basic/patterns/subscriptions`: a server that shuts down ends the subscription with a result.
#[tokio::test]
async fn streams_without_a_result_to_come_end_properly_at_once_when_the_proxy_drains() {
    let (agent, _requests) = telling(false, |_| Some(http("202 Accepted", "", ""))).await;
    let mut proxy = start(&agent);
    let (mut legacy, mut modern) = (Caller::connect(proxy.outbound).await, Caller::connect(proxy.outbound).await);
    let session = open(&mut legacy, &json!({})).await;
    legacy.send(&format!("GET /mcp HTTP/1.1\r\nHost: localhost\r\nAccept: text/event-stream\r\n{session}\r\n")).await;
    assert_eq!(legacy.head().await.status, 200);
    let (headers, text) = listen(&json!({"toolsListChanged": true}));
    modern.send(&crate::caller::post("/mcp", &headers, &text)).await;
    assert_eq!(modern.head().await.status, 200);
    assert!(event(&mut modern).await.contains("acknowledged"));
    let began = Instant::now();
    let ((), ended) = tokio::join!(proxy.stop(GRACE), async {
        let last: Value = serde_json::from_str(&event(&mut modern).await).expect("a result");
        assert_eq!((&last["id"], &last["result"]["resultType"]), (&json!("ears"), &json!("complete")));
        assert_eq!(last["result"]["_meta"]["io.modelcontextprotocol/subscriptionId"], "ears");
        (legacy.chunk().await, modern.chunk().await)
    });
    assert_eq!(ended, (Some(Vec::new()), Some(Vec::new())));
    assert!(began.elapsed() < GRACE / 2, "{:?}", began.elapsed());
}

#[tokio::test]
async fn a_call_under_way_is_answered_while_the_proxy_drains() {
    let (agent, _requests) = telling(true, |request| {
        let asks = json!({"resultType": "input_required", "inputRequests": {
            "where": {"method": "elicitation/create", "params": {"message": "where?"}}}});
        let asked = !message(request)["params"]["inputResponses"].is_null();
        Some(result(request, &(if asked { json!({"resultType": "complete", "content": []}) } else { asks })))
    })
    .await;
    let mut proxy = start(&agent);
    let (mut caller, mut other) = (Caller::connect(proxy.outbound).await, Caller::connect(proxy.outbound).await);
    let session = open(&mut caller, &json!({"elicitation": {}})).await;
    let call = r#"{"jsonrpc":"2.0","id":3,"method":"tools/call","params":{"name":"weather__wait"}}"#;
    caller.send(&crate::caller::post("/mcp", &session, call)).await;
    assert_eq!(caller.head().await.status, 200);
    let asked: Value = serde_json::from_str(&event(&mut caller).await).expect("a request");
    let answer = json!({"jsonrpc": "2.0", "id": asked["id"], "result": {"action": "decline"}}).to_string();
    // Its answer is on its way when the listener begins to drain.
    let text = crate::caller::post("/mcp", &format!("{session}Expect: 100-continue\r\n"), &answer);
    let (head, rest) = text.split_at(text.len() - answer.len());
    other.send(head).await;
    assert_eq!(other.head().await.status, 100);
    let mut idle = Caller::connect(proxy.outbound).await;
    tokio::join!(proxy.stop(GRACE), async {
        assert!(idle.try_head().await.is_none(), "its end says that the listener drains");
        other.send(rest).await;
        let done: Value = serde_json::from_str(&event(&mut caller).await).expect("an answer");
        assert_eq!(done["id"], 3);
        assert_eq!(caller.chunk().await, Some(Vec::new()));
    });
}
