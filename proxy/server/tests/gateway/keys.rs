//! Keys beside the session id: handles that callers choose, tasks and states that agents mint.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use outrigger_model::key::{ArgumentKey, KeySource};
use outrigger_model::route::Affinity;
use outrigger_proxy::session::memory::Memory;
use outrigger_proxy::session::store::{Store, StoreError};
use outrigger_proxy_core::session::bind::Binding;
use outrigger_proxy_core::session::key::SessionKey;
use tokio::sync::Semaphore;

use crate::agent::Agent;
use crate::caller::{Answer, Caller};
use crate::mesh::{Proxy, Scene};

const MODERN: &str = "MCP-Protocol-Version: 2026-07-28\r\n";

/// What it says is its own name. `make` mints a task, `stream` mints one in a stream, `ask` asks for input, each named after the agent.
async fn named(name: &'static str) -> Agent {
    Agent::start(move |mut conversation| async move {
        while let Some(request) = conversation.request().await {
            let body = String::from_utf8_lossy(&request.body).into_owned();
            let has = |tool: &str| body.contains(&format!(r#""name":"{tool}""#));
            let result = |result: String| format!(r#"{{"jsonrpc":"2.0","id":1,"result":{result}}}"#);
            let task = result(format!(r#"{{"resultType":"task","taskId":"t-{name}","ttlMs":60000}}"#));
            let ask =
                format!(r#"{{"resultType":"input_required","inputRequests":{{}},"requestState":"s-\u0061-{name}"}}"#);
            let (media, text) = match () {
                () if has("make") => ("application/json", task),
                () if has("legacy") => ("application/json", result(format!(r#"{{"task":{{"taskId":"t-{name}"}}}}"#))),
                () if has("ask") => ("application/json", result(ask)),
                () if has("stream") => {
                    let noise = r#"data: {"jsonrpc":"2.0","method":"notifications/message","params":{}}"#;
                    ("text/event-stream", format!("{noise}\r\n\r\nid: 7\r\ndata: {task}\r\n\r\n"))
                }
                () => ("text/plain", name.to_owned()),
            };
            let head = format!("HTTP/1.1 200 OK\r\nContent-Type: {media}\r\nTransfer-Encoding: chunked\r\n\r\n");
            conversation.send(head.as_bytes()).await;
            for piece in text.as_bytes().chunks(7) {
                let chunk = [format!("{:x}\r\n", piece.len()).as_bytes(), piece, b"\r\n"].concat();
                conversation.send(&chunk).await;
            }
            conversation.send(b"0\r\n\r\n").await;
        }
    })
    .await
}

/// Three replicas, and proxies in front of them that share a store.
struct Mesh {
    agents: Vec<(&'static str, Agent)>,
    scene: Scene,
}

impl Mesh {
    async fn new(keys: &[KeySource]) -> Self {
        let mut agents = Vec::new();
        for name in ["weather-1", "weather-2", "weather-3"] {
            agents.push((name, named(name).await));
        }
        let mut scene = Scene::of_own(&agents.iter().map(|(name, agent)| (*name, agent.address)).collect::<Vec<_>>());
        // Every call that no key holds goes to another replica than the one before.
        scene.policy.affinity = Affinity::Keys;
        scene.policy.sessions.keys = keys.to_vec();
        scene.shared = Some(Arc::new(Memory::new(1_000)));
        Self { agents, scene }
    }

    fn proxy(&self) -> Proxy {
        self.scene.start()
    }

    fn without(&self, name: &str) -> Scene {
        let mut scene = self.scene.clone();
        scene.own.retain(|(replica, _)| *replica != name);
        scene
    }

    fn requests(&self) -> usize {
        self.agents.iter().map(|(_, agent)| agent.requests()).sum()
    }
}

fn argument(path: &str, tools: &[&str]) -> KeySource {
    KeySource::Argument(ArgumentKey::new(path, tools.iter().map(|tool| (*tool).to_owned()).collect()).expect("a path"))
}

fn call(tool: &str, arguments: &str, rest: &str) -> String {
    format!(
        r#"{{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{{"name":"{tool}","arguments":{arguments}{rest}}}}}"#
    )
}

fn modern(method: &str, name: &str) -> String {
    format!("{MODERN}Mcp-Method: {method}\r\nMcp-Name: {name}\r\n")
}

async fn send(proxy: &Proxy, headers: &str, body: &str) -> Answer {
    Caller::connect(proxy.outbound).await.post("/weather/mcp", headers, body).await
}

async fn text(proxy: &Proxy, headers: &str, body: &str) -> String {
    let answer = send(proxy, headers, body).await;
    assert_eq!(answer.status, 200, "{} {}", answer.head, answer.text());
    answer.text().to_owned()
}

async fn poll(proxy: &Proxy, task: &str) -> Answer {
    let body = format!(r#"{{"jsonrpc":"2.0","id":2,"method":"tasks/get","params":{{"taskId":"{task}"}}}}"#);
    send(proxy, &modern("tasks/get", task), &body).await
}

/// (key, headers, body) of calls that carry the same handle, whatever tells it.
#[tokio::test]
async fn calls_with_one_handle_stay_on_one_replica_through_any_proxy() {
    let plain = call("add", "{}", "");
    let with = |value: &str| call("add", &format!(r#"{{"session_id":{value}}}"#), "");
    let add = modern("tools/call", "add");
    for (key, headers, body) in [
        (KeySource::header("x-cart").expect("a name"), "X-Cart: c-1\r\n".to_owned(), plain.clone()),
        (KeySource::header("x-cart").expect("a name"), format!("{add}X-Cart: c-1\r\n"), plain.clone()),
        (KeySource::cookie("cart").expect("a name"), "Cookie: a=b; cart=c-1\r\n".to_owned(), plain.clone()),
        (KeySource::param("cart").expect("a name"), format!("{add}Mcp-Param-Cart: c-1\r\n"), plain.clone()),
        (argument("session_id", &[]), String::new(), with(r#""a""#)),
        (argument("session_id", &["add"]), add.clone(), with(r#""a""#)),
        (argument("session_id", &[]), add.clone(), with("7")),
    ] {
        let mesh = Mesh::new(std::slice::from_ref(&key)).await;
        let proxies = [mesh.proxy(), mesh.proxy()];
        let home = text(&proxies[0], &headers, &body).await;
        for round in 0..6 {
            assert_eq!(text(&proxies[round % 2], &headers, &body).await, home, "{key} {headers:?}");
        }
    }
}

#[tokio::test]
async fn a_number_and_the_string_of_its_digits_are_one_handle() {
    let mesh = Mesh::new(&[argument("session_id", &[])]).await;
    let proxy = mesh.proxy();
    let home = text(&proxy, "", &call("add", r#"{"session_id":7}"#, "")).await;
    for spelled in
        [r#"{"session_id":"7"}"#, r#"{"session_id":"\u0037"}"#, r#"{"x":[1,{"session_id":9}],"session_id":7}"#]
    {
        assert_eq!(text(&proxy, "", &call("add", spelled, "")).await, home, "{spelled}");
    }
}

#[tokio::test]
async fn what_is_no_handle_holds_nothing() {
    let mesh = Mesh::new(&[argument("session_id", &["add"])]).await;
    let proxy = mesh.proxy();
    let batch = format!("[{}]", call("add", r#"{"session_id":"a"}"#, ""));
    for body in [
        call("add", r#"{"session_id":{"a":1}}"#, ""),
        call("add", r#"{"session_id":["a"]}"#, ""),
        call("add", r#"{"session_id":null}"#, ""),
        call("add", r#"{"session_id":""}"#, ""),
        call("add", r#"{"cart":{"session_id":"a"}}"#, ""),
        call("look", r#"{"session_id":"a"}"#, ""),
        batch,
    ] {
        let (first, second) = (text(&proxy, "", &body).await, text(&proxy, "", &body).await);
        assert_ne!(first, second, "{body}");
    }
    let twice = call("add", r#"{"session_id":"a","session_id":"b"}"#, "");
    let answer = send(&proxy, "", &twice).await;
    assert_eq!((answer.status, answer.reason().as_str()), (400, "not_a_message"));
}

#[tokio::test]
async fn proxies_that_meet_a_handle_at_once_agree_on_one_replica() {
    let mesh = Mesh::new(&[KeySource::header("x-cart").expect("a name")]).await;
    let proxies: Vec<Proxy> = (0..4).map(|_| mesh.proxy()).collect();
    for cart in 0..20 {
        let headers = format!("X-Cart: c-{cart}\r\n");
        let body = call("add", "{}", "");
        let homes = futures_util::future::join_all(proxies.iter().map(|proxy| text(proxy, &headers, &body))).await;
        assert!(homes.iter().all(|home| *home == homes[0]), "{cart}: {homes:?}");
    }
    assert_eq!(mesh.requests(), 80, "nobody was asked in vain");
}

#[tokio::test]
async fn a_handle_whose_replica_left_moves_once_and_for_every_proxy() {
    let mesh = Mesh::new(&[KeySource::header("x-cart").expect("a name")]).await;
    let proxies = [mesh.proxy(), mesh.proxy()];
    let body = call("add", "{}", "");
    let home = text(&proxies[0], "X-Cart: c-1\r\n", &body).await;
    assert_eq!(text(&proxies[1], "X-Cart: c-1\r\n", &body).await, home);
    for proxy in &proxies {
        proxy.show(&mesh.without(&home));
    }
    let moved = text(&proxies[0], "X-Cart: c-1\r\n", &body).await;
    assert_ne!(moved, home);
    for round in 0..4 {
        assert_eq!(text(&proxies[round % 2], "X-Cart: c-1\r\n", &body).await, moved);
    }
    for proxy in &proxies {
        proxy.show(&mesh.scene);
    }
    assert_eq!(text(&proxies[0], "X-Cart: c-1\r\n", &body).await, moved, "it does not move back");
}

#[tokio::test]
async fn a_handle_is_its_callers_own() {
    let mesh = Mesh::new(&[KeySource::header("x-cart").expect("a name")]).await;
    let mine = mesh.proxy();
    let theirs = Scene { caller: "other", ..mesh.scene.clone() }.start();
    let body = call("add", "{}", "");
    // Round robin of a proxy of its own begins anew: the second call of it goes elsewhere than the first.
    text(&theirs, "", &body).await;
    let home = text(&mine, "X-Cart: c-1\r\n", &body).await;
    let other = text(&theirs, "X-Cart: c-1\r\n", &body).await;
    assert_ne!(home, other, "nothing is learned of what another caller does");
    assert_eq!(text(&theirs, "X-Cart: c-1\r\n", &body).await, other);
}

#[tokio::test]
async fn a_handle_counts_as_far_as_a_body_is_kept() {
    let mesh = Mesh::new(&[argument("session_id", &[])]).await;
    let proxy = mesh.proxy();
    let large = "x".repeat(200 * 1024);
    let early = call("add", &format!(r#"{{"session_id":"a","x":"{large}"}}"#), "");
    let late = call("add", &format!(r#"{{"x":"{large}","session_id":"a"}}"#), "");
    let add = modern("tools/call", "add");
    for headers in ["", &add] {
        let home = text(&proxy, headers, &early).await;
        for _ in 0..3 {
            assert_eq!(text(&proxy, headers, &early).await, home);
        }
        let homes = [text(&proxy, headers, &late).await, text(&proxy, headers, &late).await];
        assert_ne!(homes[0], homes[1], "behind 64 KiB nothing is looked for before the call is planned");
    }
}

#[tokio::test]
async fn the_body_of_a_modern_call_is_compared_only_where_it_is_read() {
    let mismatched = modern("tools/call", "other");
    let body = call("add", r#"{"session_id":"a"}"#, "");
    let keyed = Mesh::new(&[argument("session_id", &[])]).await.proxy();
    let answer = send(&keyed, &mismatched, &body).await;
    assert_eq!((answer.status, answer.reason().as_str()), (400, "header_mismatch"));
    let mesh = Mesh::new(&[]).await;
    let plain = mesh.proxy();
    assert_eq!(send(&plain, &mismatched, &body).await.status, 200, "the agent looks");
    assert_eq!(send(&plain, &mismatched, "not json").await.status, 200);
    let continued = call("add", "{}", r#","requestState":"s""#);
    let answer = send(&plain, &mismatched, &continued).await;
    assert_eq!((answer.status, answer.reason().as_str()), (400, "header_mismatch"));
}

#[tokio::test]
async fn a_task_is_found_through_any_proxy_of_its_caller() {
    for tool in ["make", "stream"] {
        let mesh = Mesh::new(&[]).await;
        let proxies = [mesh.proxy(), mesh.proxy()];
        for maker in [0, 1, 0] {
            let made = text(&proxies[maker], &modern("tools/call", tool), &call(tool, "{}", "")).await;
            let (_, rest) = made.split_once(r#""taskId":"t-"#).expect("a task");
            let home = rest.split('"').next().expect("a name").to_owned();
            for round in 0..4 {
                assert_eq!(poll(&proxies[round % 2], &format!("t-{home}")).await.text(), home, "{tool}");
            }
        }
    }
}

#[tokio::test]
async fn a_legacy_task_without_a_session_is_found_by_its_id() {
    let mesh = Mesh::new(&[]).await;
    let proxies = [mesh.proxy(), mesh.proxy()];
    let made = text(&proxies[0], "", &call("legacy", "{}", r#","task":{}"#)).await;
    let (_, rest) = made.split_once(r#""taskId":"t-"#).expect("a task");
    let home = rest.split('"').next().expect("a name").to_owned();
    let body = format!(r#"{{"jsonrpc":"2.0","id":2,"method":"tasks/result","params":{{"taskId":"t-{home}"}}}}"#);
    for round in 0..4 {
        assert_eq!(text(&proxies[round % 2], "", &body).await, home);
    }
}

#[tokio::test]
async fn a_call_that_goes_on_reaches_the_replica_that_asked() {
    let mesh = Mesh::new(&[]).await;
    let proxies = [mesh.proxy(), mesh.proxy()];
    let asked = text(&proxies[0], &modern("tools/call", "ask"), &call("ask", "{}", "")).await;
    let (_, rest) = asked.split_once(r#""requestState":""#).expect("a state");
    let state = rest.split('"').next().expect("a state");
    let home = state.rsplit_once("-weather").map(|(_, number)| format!("weather{number}")).expect("a name");
    let plain = state.replace("\\u0061", "a");
    for (round, spelled) in [state, &plain, state, &plain].into_iter().enumerate() {
        let body = call("add", "{}", &format!(r#","requestState":"{spelled}""#));
        assert_eq!(text(&proxies[round % 2], &modern("tools/call", "add"), &body).await, home);
    }
}

#[tokio::test]
async fn what_another_caller_was_given_is_refused_and_what_is_gone_is_the_agents_to_say() {
    let mesh = Mesh::new(&[]).await;
    let proxy = mesh.proxy();
    let made = text(&proxy, &modern("tools/call", "make"), &call("make", "{}", "")).await;
    let (_, rest) = made.split_once(r#""taskId":"t-"#).expect("a task");
    let home = rest.split('"').next().expect("a name").to_owned();
    let thief = Scene { caller: "other", ..mesh.scene.clone() }.start();
    let answer = poll(&thief, &format!("t-{home}")).await;
    assert_eq!((answer.status, answer.reason().as_str()), (403, "session_of_another_caller"));
    proxy.show(&mesh.without(&home));
    let answer = poll(&proxy, &format!("t-{home}")).await;
    assert_eq!(answer.status, 200);
    assert_ne!(answer.text(), home);
}

/// A store that answers offers only when it is let.
struct Slow {
    memory: Memory,
    let_go: Semaphore,
}

#[async_trait]
impl Store for Slow {
    async fn get(&self, key: &SessionKey) -> Result<Option<Binding>, StoreError> {
        self.memory.get(key).await
    }

    async fn offer(&self, key: &SessionKey, binding: &Binding, kept: Duration) -> Result<Binding, StoreError> {
        let _let = self.let_go.acquire().await.map_err(|_| StoreError::Away)?;
        Store::offer(&self.memory, key, binding, kept).await
    }

    async fn forget(&self, key: &SessionKey, moves: u32) -> Result<(), StoreError> {
        Store::forget(&self.memory, key, moves).await
    }
}

#[tokio::test]
async fn nobody_gets_the_end_of_a_task_id_that_the_store_was_not_told_of() {
    let mut mesh = Mesh::new(&[]).await;
    let slow = Arc::new(Slow { memory: Memory::new(10), let_go: Semaphore::new(0) });
    mesh.scene.shared = Some(Arc::<Slow>::clone(&slow));
    let proxies = [mesh.proxy(), mesh.proxy()];
    let mut caller = Caller::connect(proxies[0].outbound).await;
    let headers = modern("tools/call", "make");
    caller.send(&crate::caller::post("/weather/mcp", &headers, &call("make", "{}", ""))).await;
    caller.head().await;
    let mut seen = Vec::new();
    while let Some(chunk) = caller.chunk_within(Duration::from_millis(200)).await {
        seen.extend(chunk);
    }
    let seen = String::from_utf8(seen).expect("text");
    assert!(!seen.contains(r#""t-weather-1""#), "{seen}");
    slow.let_go.add_permits(1);
    let mut rest = String::new();
    while let Some(chunk) = caller.chunk().await.filter(|chunk| !chunk.is_empty()) {
        rest.push_str(std::str::from_utf8(&chunk).expect("text"));
    }
    let whole = format!("{seen}{rest}");
    let (_, id) = whole.split_once(r#""taskId":""#).expect("a task");
    let id = id.split('"').next().expect("an id");
    assert_eq!(format!("t-{}", poll(&proxies[1], id).await.text()), id, "the other proxy knows it by then");
}
