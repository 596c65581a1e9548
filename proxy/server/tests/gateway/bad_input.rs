//! The corpus of bad input: each file is refused as its index says, in time, and nothing of it reaches an agent.
//!
//! The files are in `tests/corpus/bad`; what a row of an index means is said in `tests/corpus/README.md`.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use outrigger_model::route::RoutePolicy;
use outrigger_proxy::gateway::{Limits, Pace};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::agent::Agent;
use crate::caller::{CALL, Caller};
use crate::mesh::{Proxy, Scene};

/// For a head and for a body to come: short, as files that end too early are waited for.
const SHORT: Duration = Duration::from_millis(100);

/// Within this an answer must have come.
const PATIENCE: Duration = Duration::from_secs(3);

/// One file and its row of the index.
struct Case {
    path: String,
    bytes: Vec<u8>,
    expected: Vec<String>,
}

/// An agent that counts the requests which reach it to their last byte.
struct Witness {
    agent: Agent,
    whole: Arc<AtomicUsize>,
}

fn corpus(kind: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/corpus/bad").join(kind)
}

/// The cases of a corpus by the folder they are in.
fn groups(kind: &str) -> Vec<Vec<Case>> {
    let folder = corpus(kind);
    let index = std::fs::read_to_string(folder.join("index.tsv")).expect("an index");
    let cases: Vec<Case> = index
        .lines()
        .map(|row| {
            let mut parts = row.split('\t').map(str::to_owned);
            let path = parts.next().expect("a path");
            let bytes = std::fs::read(folder.join(&path)).expect("a file");
            Case { path, bytes, expected: parts.collect() }
        })
        .collect();
    let mut groups: Vec<Vec<Case>> = Vec::new();
    for case in cases {
        let folder = |case: &Case| case.path.split('/').next().map(str::to_owned);
        match groups.last_mut().filter(|group| group.last().and_then(folder) == folder(&case)) {
            Some(group) => group.push(case),
            None => groups.push(vec![case]),
        }
    }
    groups
}

impl Witness {
    async fn start() -> Self {
        let whole = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&whole);
        let agent = Agent::start(move |mut conversation| {
            let counted = Arc::clone(&counted);
            async move {
                while conversation.request().await.is_some() {
                    counted.fetch_add(1, Ordering::SeqCst);
                    conversation.send(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}").await;
                }
            }
        });
        Self { agent: agent.await, whole }
    }

    fn proxy(&self, inspect: bool) -> Proxy {
        let body_pace = Pace { grace: SHORT, ..Pace::default() };
        let limits = Limits { head_time: SHORT, body_pace, ..Limits::default() };
        let policy = RoutePolicy { inspect, ..RoutePolicy::default() };
        Scene { limits, policy, ..Scene::of_own(&[("weather-1", self.agent.address)]) }.start()
    }

    /// After all that was refused a good call is served, and it is the only one that came.
    async fn saw_only_a_good_call(&self, proxy: &Proxy) {
        assert_eq!(self.whole.load(Ordering::SeqCst), 0, "something reached the agent");
        let answer = Caller::connect(proxy.outbound).await.post("/weather/mcp", "", CALL).await;
        assert_eq!(answer.status, 200, "the proxy does not serve any more");
        assert_eq!(self.whole.load(Ordering::SeqCst), 1, "something reached the agent");
    }
}

/// All that is answered to some bytes until the other end closes, or until a whole answer came.
async fn exchange(address: SocketAddr, pieces: &[&[u8]]) -> Vec<u8> {
    let mut stream = TcpStream::connect(address).await.expect("connect");
    for piece in pieces {
        // Who is refused in the middle of a file may be hung up on.
        if stream.write_all(piece).await.is_err() {
            break;
        }
    }
    let mut heard = Vec::new();
    let reading = async {
        let mut buffer = [0; 4096];
        while let Ok(count @ 1..) = stream.read(&mut buffer).await {
            heard.extend_from_slice(&buffer[..count]);
            let text = String::from_utf8_lossy(&heard).into_owned();
            // A connection that is kept does not end by itself.
            if final_answer(&text).is_some_and(|(head, body)| !closes(head) && body.len() == length(head)) {
                break;
            }
        }
    };
    // What came until then is told to be no answer.
    let _ = tokio::time::timeout(PATIENCE, reading).await;
    heard
}

fn closes(head: &str) -> bool {
    head.contains("\r\nConnection: close")
}

fn length(head: &str) -> usize {
    let value = head.split("\r\nContent-Length: ").nth(1).and_then(|rest| rest.lines().next());
    value.and_then(|value| value.parse().ok()).unwrap_or(usize::MAX)
}

/// Head and what follows it, behind any interim answer.
fn final_answer(text: &str) -> Option<(&str, &str)> {
    let text = text.strip_prefix("HTTP/1.1 100 Continue\r\n\r\n").unwrap_or(text);
    text.split_once("\r\n\r\n")
}

/// The status and the JSON-RPC error of the one answer that came; or what is wrong with it.
fn refusal(heard: &[u8]) -> Result<(String, bool, serde_json::Value), String> {
    let text = String::from_utf8_lossy(heard).into_owned();
    let (head, body) = final_answer(&text).ok_or_else(|| format!("no answer: {text:?}"))?;
    let status = head.split(' ').nth(1).unwrap_or_default().to_owned();
    if !head.contains("\r\nContent-Type: application/json") || body.len() != length(head) {
        return Err(format!("not one answer of ours: {text}"));
    }
    let json = serde_json::from_str(body).map_err(|error| format!("{error}: {body}"))?;
    Ok((status, closes(head), json))
}

/// The refusal is counted, and nothing else. That may be a moment after its answer.
async fn is_counted_once(proxy: &Proxy, before: &BTreeMap<String, u64>, reason: &str) -> Result<(), String> {
    let deadline = Instant::now() + PATIENCE;
    loop {
        let mut more = proxy.refusals();
        more.iter_mut().for_each(|(reason, count)| *count -= before.get(reason).unwrap_or(&0));
        more.retain(|_, count| *count > 0);
        match more.into_iter().collect::<Vec<_>>().as_slice() {
            [(counted, 1)] if counted == reason => return Ok(()),
            [] if Instant::now() < deadline => tokio::time::sleep(Duration::from_millis(1)).await,
            more => return Err(format!("counted as {more:?}")),
        }
    }
}

async fn http_case(proxy: &Proxy, case: &Case) -> Result<(), String> {
    let [expected_status, expected_reason] = case.expected.as_slice() else { return Err("a bad row".to_owned()) };
    let before = proxy.refusals();
    let heard = exchange(proxy.outbound, &[&case.bytes]).await;
    let (status, closed, json) = refusal(&heard)?;
    let reason = json["error"]["data"]["reason"].as_str().unwrap_or_default();
    if (&status, reason) != (expected_status, expected_reason.as_str()) {
        return Err(format!("{status} {reason} instead of {expected_status} {expected_reason}"));
    }
    // What can be taken apart without doubt need not end the connection.
    let must_end =
        !matches!(reason, "no_route" | "no_such_path" | "header_mismatch" | "not_a_message" | "not_json_type");
    if must_end && !case.path.starts_with("mcp/") && !closed {
        return Err("the connection was kept".to_owned());
    }
    if reason == "header_mismatch" && (json["error"]["code"] != -32020 || !(json["id"] == 7 || json["id"].is_null())) {
        return Err(format!("{json}"));
    }
    is_counted_once(proxy, &before, reason).await
}

/// Runs the cases of every folder, folders side by side, and says of all what went wrong.
async fn all_are_refused(kind: &str, at_least: usize, run: impl AsyncFn(&Proxy, &Case) -> Result<(), String>) {
    let groups = groups(kind);
    assert!(groups.iter().map(Vec::len).sum::<usize>() >= at_least, "the corpus shrank");
    let wrong = futures_util::future::join_all(groups.iter().map(async |group| {
        let witness = Witness::start().await;
        let proxy = witness.proxy(kind == "mismatch");
        let mut wrong = Vec::new();
        for case in group {
            if let Err(what) = run(&proxy, case).await {
                wrong.push(format!("{}: {what}", case.path));
            }
            if witness.whole.swap(0, Ordering::SeqCst) > 0 {
                wrong.push(format!("{}: reached the agent", case.path));
            }
        }
        witness.saw_only_a_good_call(&proxy).await;
        wrong
    }))
    .await
    .concat();
    assert!(wrong.is_empty(), "{} of them:\n{}", wrong.len(), wrong.join("\n"));
}

#[tokio::test]
async fn bad_requests_of_http_are_refused_and_reach_nobody() {
    all_are_refused("http", 400, http_case).await;
}

/// The bodies of a corpus, each as callers of different revisions send it.
async fn json_case(proxy: &Proxy, case: &Case) -> Result<(), String> {
    let head = |fields: &str| {
        format!("POST /weather/mcp HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n{fields}\r\n")
    };
    let length = format!("Content-Length: {}\r\n", case.bytes.len());
    let whole = |fields: &str| [head(&format!("{fields}{length}")).into_bytes(), case.bytes.clone()].concat();
    let in_session = "MCP-Protocol-Version: 2025-11-25\r\nMcp-Session-Id: a-session\r\n";
    is_refused(proxy, case, &[&whole("")]).await.map_err(|what| format!("alone: {what}"))?;
    is_refused(proxy, case, &[&whole(in_session)]).await.map_err(|what| format!("in a session: {what}"))?;
    let begun = head("Transfer-Encoding: chunked\r\n");
    let chunks =
        case.bytes.chunks(7).flat_map(|part| [format!("{:x}\r\n", part.len()).as_bytes(), part, b"\r\n"].concat());
    let chunks: Vec<u8> = chunks.chain(*b"0\r\n\r\n").collect();
    let (front, back) = chunks.split_at(chunks.len() / 2);
    is_refused(proxy, case, &[begun.as_bytes(), front, back]).await.map_err(|what| format!("in chunks: {what}"))
}

async fn is_refused(proxy: &Proxy, case: &Case, pieces: &[&[u8]]) -> Result<(), String> {
    let [code, id] = case.expected.as_slice() else { return Err("a bad row".to_owned()) };
    let before = proxy.refusals();
    let heard = exchange(proxy.outbound, pieces).await;
    let (status, _, json) = refusal(&heard)?;
    let error = &json["error"];
    if (status.as_str(), &error["code"].to_string(), error["data"]["reason"].as_str())
        != ("400", code, Some("not_a_message"))
    {
        return Err(format!("{status} {json}"));
    }
    let told = json["id"].as_u64();
    let id_is_good = match id.as_str() {
        "7" => told == Some(7),
        "?" => matches!(told, None | Some(7)),
        _ => json["id"].is_null(),
    };
    if !id_is_good || !(json["id"].is_null() || told.is_some()) {
        return Err(format!("the id is {}", json["id"]));
    }
    is_counted_once(proxy, &before, "not_a_message").await
}

#[tokio::test]
async fn bad_messages_of_json_rpc_are_refused_and_reach_nobody() {
    all_are_refused("jsonrpc", 400, json_case).await;
}

/// "Servers MUST reject requests where the values do not match" (2026-07-28 `basic/transports`), and so must who reads the body.
#[tokio::test]
async fn heads_that_say_something_else_than_their_bodies_are_refused_and_reach_nobody() {
    all_are_refused("mismatch", 60, http_case).await;
}
