//! Time limits by class of call, and comments on streams that are quiet.

use std::sync::Arc;
use std::time::{Duration, Instant};

use outrigger_model::route::{Limits, RoutePolicy, Timeouts};
use tokio::sync::{Notify, mpsc};
use tokio::time::timeout;

use crate::agent::Agent;
use crate::caller::{CALL, Caller, PATIENCE, post};
use crate::mesh::{Proxy, Scene};

const STREAM: &str = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n";
const CHUNKED: &str = "Transfer-Encoding: chunked\r\n\r\n";
/// What a test wants to pass.
const SHORT: Duration = Duration::from_millis(100);

fn chunk(text: &str) -> String {
    format!("{:x}\r\n{text}\r\n", text.len())
}

fn limits(first_byte: Duration, idle: Duration, total: Duration) -> Limits {
    Limits { first_byte: Some(first_byte), idle: Some(idle), total: Some(total) }
}

fn proxy(agent: &Agent, timeouts: Timeouts) -> Proxy {
    let policy = RoutePolicy { timeouts, ..RoutePolicy::default() };
    Scene { policy, ..Scene::of_own(&[("weather-1", agent.address)]) }.start()
}

fn get() -> &'static str {
    "GET /weather/mcp HTTP/1.1\r\nHost: 127.0.0.1\r\nAccept: text/event-stream\r\nMCP-Protocol-Version: 2025-06-18\r\n\r\n"
}

/// An agent that begins its answer with `beginning`, says nothing more, and tells when its connection closes.
async fn that_falls_silent(beginning: String) -> (Agent, Arc<Notify>) {
    let gone = Arc::new(Notify::new());
    let told = Arc::clone(&gone);
    let agent = Agent::start(move |mut conversation| {
        let (beginning, told) = (beginning.clone(), Arc::clone(&told));
        async move {
            conversation.request().await;
            conversation.send(beginning.as_bytes()).await;
            conversation.closed().await;
            told.notify_one();
        }
    })
    .await;
    (agent, gone)
}

#[tokio::test]
async fn an_answer_that_falls_silent_is_cut_off_and_not_made_to_look_whole() {
    for beginning in [
        format!("{STREAM}{CHUNKED}{}", chunk("data: a\n\n")),
        "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 100000\r\n\r\n{\"a\":".to_owned(),
    ] {
        let (agent, gone) = that_falls_silent(beginning).await;
        let timeouts = Timeouts { call: limits(PATIENCE, SHORT, PATIENCE), ..Timeouts::default() };
        let proxy = proxy(&agent, timeouts);
        let answer = Caller::connect(proxy.outbound).await.post("/weather/mcp", "", CALL).await;
        assert_eq!(answer.status, 200);
        assert!(!answer.body.is_empty() && !answer.whole, "{answer:?}");
        timeout(PATIENCE, gone.notified()).await.expect("the agent's connection closes");
    }
}

#[tokio::test]
async fn a_short_answer_that_falls_silent_is_told_as_an_error() {
    let beginning = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{\"a\":";
    let (agent, gone) = that_falls_silent(beginning.to_owned()).await;
    let timeouts = Timeouts { call: limits(PATIENCE, SHORT, PATIENCE), ..Timeouts::default() };
    let proxy = proxy(&agent, timeouts);
    let answer = Caller::connect(proxy.outbound).await.post("/weather/mcp", "", CALL).await;
    assert_eq!((answer.status, answer.reason().as_str()), (504, "upstream_timeout"));
    assert_eq!(answer.json()["error"]["data"]["may_have_run"], true);
    timeout(PATIENCE, gone.notified()).await.expect("the agent's connection closes");
}

#[tokio::test]
async fn what_comes_begins_the_idle_time_anew_and_leaves_the_total_as_it_is() {
    let agent = Agent::start(|mut conversation| async move {
        conversation.request().await;
        conversation.send(format!("{STREAM}{CHUNKED}").as_bytes()).await;
        // Comes far more often than the idle limit passes, and without end.
        let mut beats = tokio::time::interval(SHORT / 20);
        while conversation.stream.peer_addr().is_ok() {
            beats.tick().await;
            conversation.send(chunk(": still at it\n\n").as_bytes()).await;
        }
    })
    .await;
    let (idle, total) = (SHORT * 2, SHORT * 5);
    let timeouts = Timeouts { call: limits(PATIENCE, idle, total), ..Timeouts::default() };
    let proxy = proxy(&agent, timeouts);
    let began = Instant::now();
    let answer = Caller::connect(proxy.outbound).await.post("/weather/mcp", "", CALL).await;
    assert!(began.elapsed() >= total, "{:?}", began.elapsed());
    assert!(!answer.body.is_empty() && !answer.whole, "{answer:?}");
}

#[tokio::test]
async fn which_limit_passed_before_the_answer_is_told() {
    let (agent, _) = that_falls_silent(String::new()).await;
    for (call, reason) in
        [(limits(SHORT, PATIENCE, PATIENCE), "upstream_timeout"), (limits(PATIENCE, PATIENCE, SHORT), "total_timeout")]
    {
        let proxy = proxy(&agent, Timeouts { call, ..Timeouts::default() });
        let answer = Caller::connect(proxy.outbound).await.post("/weather/mcp", "", CALL).await;
        assert_eq!((answer.status, answer.reason().as_str()), (504, reason));
        assert_eq!(answer.json()["error"]["data"]["may_have_run"], true);
    }
}

#[tokio::test]
async fn each_class_has_limits_of_its_own() {
    let (agent, _) = that_falls_silent(String::new()).await;
    let long = limits(PATIENCE, PATIENCE, PATIENCE);
    let proxy = proxy(&agent, Timeouts { quick: limits(SHORT, PATIENCE, PATIENCE), call: long, ..Timeouts::default() });
    let mut patient = Caller::connect(proxy.outbound).await;
    patient.send(&post("/weather/mcp", "", CALL)).await;
    while agent.requests() == 0 {
        tokio::task::yield_now().await;
    }
    let list = r#"{"jsonrpc":"2.0","id":1,"method":"tools/list"}"#;
    let answer = Caller::connect(proxy.outbound).await.post("/weather/mcp", "", list).await;
    assert_eq!((answer.status, answer.reason().as_str()), (504, "upstream_timeout"));
    assert!(timeout(SHORT / 2, patient.try_head()).await.is_err(), "a call is more patient than a list");
}

#[tokio::test]
async fn a_stream_has_no_wall_clock() {
    let speak = Arc::new(Notify::new());
    let spoken = Arc::clone(&speak);
    let agent = Agent::start(move |mut conversation| {
        let spoken = Arc::clone(&spoken);
        async move {
            let Some(request) = conversation.request().await else { return };
            if request.head.starts_with("GET") {
                conversation.send(format!("{STREAM}{CHUNKED}").as_bytes()).await;
                spoken.notified().await;
                conversation.send(chunk("data: at last\n\n").as_bytes()).await;
            }
            conversation.closed().await;
        }
    })
    .await;
    let short = limits(SHORT, SHORT, SHORT);
    let proxy = proxy(&agent, Timeouts { quick: short, call: short, ..Timeouts::default() });
    let mut quiet = Caller::connect(proxy.outbound).await;
    quiet.send(get()).await;
    assert_eq!(quiet.head().await.status, 200);
    // Each of these runs into the limits of its class, one after the other, while the stream is quiet.
    for _ in 0..3 {
        assert_eq!(Caller::connect(proxy.outbound).await.post("/weather/mcp", "", CALL).await.status, 504);
    }
    speak.notify_one();
    assert_eq!(quiet.chunk().await.as_deref(), Some(&b"data: at last\n\n"[..]));
}

#[tokio::test]
async fn a_quiet_stream_is_sent_comments_between_its_events_only() {
    let (say, said) = mpsc::channel::<&str>(1);
    let said = Arc::new(tokio::sync::Mutex::new(said));
    let agent = Agent::start(move |mut conversation| {
        let said = Arc::clone(&said);
        async move {
            conversation.request().await;
            conversation.send(format!("{STREAM}{CHUNKED}").as_bytes()).await;
            while let Some(text) = said.lock().await.recv().await {
                conversation.send(text.as_bytes()).await;
            }
        }
    })
    .await;
    let proxy = proxy(&agent, Timeouts { keep_alive: Some(SHORT / 2), ..Timeouts::default() });
    let mut caller = Caller::connect(proxy.outbound).await;
    caller.send(get()).await;
    assert_eq!(caller.head().await.status, 200);
    assert_eq!(caller.chunk().await.as_deref(), Some(&b":\n\n"[..]), "no event has begun yet");
    // Inside an event, and then inside a chunk, nothing is put in however long it takes.
    for (piece, came) in
        [("8\r\ndata: a\n\r\n", "data: a\n"), ("9\r\n\ndata: b", ""), ("\n\r\n1\r\n\n\r\n", "\ndata: b\n")]
    {
        say.send(piece).await.expect("the agent listens");
        loop {
            let patience = if came.is_empty() { SHORT * 2 } else { PATIENCE };
            match caller.chunk_within(patience).await {
                Some(chunk) if chunk == b":\n\n" => assert_eq!(came, "data: a\n", "a comment inside an event"),
                Some(chunk) => break assert_eq!(String::from_utf8_lossy(&chunk), came),
                None => break assert_eq!(came, ""),
            }
        }
    }
    assert_eq!(caller.chunk().await.as_deref(), Some(&b"\n"[..]));
    assert_eq!(caller.chunk().await.as_deref(), Some(&b":\n\n"[..]));
    say.send("0\r\n\r\n").await.expect("the agent listens");
    while let Some(chunk) = caller.chunk().await.filter(|chunk| !chunk.is_empty()) {
        assert_eq!(chunk, b":\n\n");
    }
}

#[tokio::test]
async fn no_comment_goes_where_it_would_be_content() {
    for (head, rest) in [
        (format!("{STREAM}Content-Length: 18\r\n\r\n"), "data: b\n\n"),
        (format!("{STREAM}Content-Encoding: identity\r\n{CHUNKED}"), "9\r\ndata: b\n\n\r\n0\r\n\r\n"),
        (format!("HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n{CHUNKED}"), "9\r\ndata: b\n\n\r\n0\r\n\r\n"),
    ] {
        let speak = Arc::new(Notify::new());
        let spoken = Arc::clone(&speak);
        let first = if head.contains("Length") { "data: a\n\n".to_owned() } else { chunk("data: a\n\n") };
        let beginning = format!("{head}{first}");
        let agent = Agent::start(move |mut conversation| {
            let (beginning, spoken) = (beginning.clone(), Arc::clone(&spoken));
            async move {
                conversation.request().await;
                conversation.send(beginning.as_bytes()).await;
                spoken.notified().await;
                conversation.send(rest.as_bytes()).await;
            }
        })
        .await;
        let timeouts = Timeouts { keep_alive: Some(SHORT / 4), ..Timeouts::default() };
        let proxied = proxy(&agent, timeouts);
        let mut caller = Caller::connect(proxied.outbound).await;
        caller.send(get()).await;
        let (answer, ()) = tokio::join!(caller.answer(), async {
            // The comments on another stream tell that it has been quiet for long enough.
            let (other, _) = that_falls_silent(format!("{STREAM}{CHUNKED}")).await;
            let other = proxy(&other, timeouts);
            let mut commented = Caller::connect(other.outbound).await;
            commented.send(get()).await;
            commented.head().await;
            for _ in 0..4 {
                assert_eq!(commented.chunk().await.as_deref(), Some(&b":\n\n"[..]));
            }
            speak.notify_one();
        });
        assert!(answer.whole);
        assert_eq!(answer.text(), "data: a\n\ndata: b\n\n", "{head}");
    }
}

#[tokio::test]
async fn a_caller_without_chunks_is_sent_bare_comments() {
    let (agent, _) = that_falls_silent(format!("{STREAM}{CHUNKED}{}", chunk("data: a\n\n"))).await;
    let proxy = proxy(&agent, Timeouts { keep_alive: Some(SHORT / 4), ..Timeouts::default() });
    let mut caller = Caller::connect(proxy.outbound).await;
    caller.send(&get().replace("HTTP/1.1", "HTTP/1.0")).await;
    assert_eq!(caller.head().await.status, 200);
    assert_eq!(caller.bytes(15).await, b"data: a\n\n:\n\n:\n\n");
}
