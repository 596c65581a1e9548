//! Streams while the listener stops: which end, where, and which go on.

use std::sync::Arc;
use std::time::{Duration, Instant};

use outrigger_proxy::gateway::Gateway;
use tokio::net::TcpStream;
use tokio::sync::{Notify, mpsc};
use tokio::time::timeout;

use crate::agent::Agent;
use crate::caller::{CALL, Caller, PATIENCE, post};
use crate::mesh::{Authority, Proxy, Scene};

const WEATHER: &str = "spiffe://mesh.local/agent/weather";
const STREAM: &str = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n";
/// Far longer than a test may take.
const GRACE: Duration = Duration::from_secs(30);

/// An agent that answers everything with a stream, and says on it what it is told to.
struct Speaker {
    agent: Agent,
    say: mpsc::Sender<String>,
    gone: Arc<Notify>,
}

impl Speaker {
    async fn start() -> Self {
        let (say, said) = mpsc::channel::<String>(1);
        let said = Arc::new(tokio::sync::Mutex::new(said));
        let gone = Arc::new(Notify::new());
        let told = Arc::clone(&gone);
        let agent = Agent::start(move |mut conversation| {
            let (said, told) = (Arc::clone(&said), Arc::clone(&told));
            async move {
                if conversation.request().await.is_none() {
                    return;
                }
                conversation.send(STREAM.as_bytes()).await;
                let mut said = said.lock().await;
                loop {
                    tokio::select! {
                        Some(text) = said.recv() => conversation.send(text.as_bytes()).await,
                        () = conversation.closed() => break,
                    }
                }
                told.notify_one();
            }
        })
        .await;
        Self { agent, say, gone }
    }

    async fn say(&self, text: &str) {
        self.say.send(text.to_owned()).await.expect("the agent listens");
    }

    async fn is_left(&self) {
        timeout(PATIENCE, self.gone.notified()).await.expect("the agent's connection closes");
    }

    fn proxy(&self) -> Proxy {
        Scene::of_own(&[("weather-1", self.agent.address)]).start()
    }
}

fn chunk(text: &str) -> String {
    format!("{:x}\r\n{text}\r\n", text.len())
}

fn get(headers: &str) -> String {
    format!("GET /weather/mcp HTTP/1.1\r\nHost: 127.0.0.1\r\nAccept: text/event-stream\r\n{headers}\r\n")
}

/// Opens a stream, and reads its first event.
async fn opened(proxy: &Proxy, speaker: &Speaker, request: &str) -> Caller {
    let mut caller = Caller::connect(proxy.outbound).await;
    caller.send(request).await;
    assert_eq!(caller.head().await.status, 200);
    speaker.say(&chunk("id: 1\ndata: a\n\n")).await;
    assert_eq!(caller.chunk().await.as_deref(), Some(&b"id: 1\ndata: a\n\n"[..]));
    caller
}

/// The requests whose streams their callers open again: GET streams and listen streams.
fn opened_again() -> Vec<String> {
    let listen = r#"{"jsonrpc":"2.0","id":1,"method":"subscriptions/listen","params":{}}"#;
    let modern = "MCP-Protocol-Version: 2026-07-28\r\nMcp-Method: subscriptions/listen\r\n";
    vec![
        get("MCP-Protocol-Version: 2025-06-18\r\nMcp-Session-Id: s-1\r\n"),
        get("Last-Event-ID: 7\r\n"),
        post("/weather/mcp", modern, listen),
    ]
}

#[tokio::test]
async fn a_stream_that_is_between_events_ends_at_once_and_properly() {
    for request in opened_again() {
        let speaker = Speaker::start().await;
        let mut proxy = speaker.proxy();
        let mut caller = opened(&proxy, &speaker, &request).await;
        let began = Instant::now();
        let (chunk, ()) = tokio::join!(caller.chunk(), proxy.stop(GRACE));
        assert_eq!(chunk, Some(Vec::new()), "{request}");
        assert!(began.elapsed() < GRACE / 2, "{:?}", began.elapsed());
        speaker.is_left().await;
    }
}

#[tokio::test]
async fn a_stream_inside_an_event_ends_behind_it() {
    for request in opened_again() {
        let speaker = Speaker::start().await;
        let mut proxy = speaker.proxy();
        let mut caller = opened(&proxy, &speaker, &request).await;
        speaker.say(&chunk("data: b\n")).await;
        assert_eq!(caller.chunk().await.as_deref(), Some(&b"data: b\n"[..]));
        let mut idle = Caller::connect(proxy.outbound).await;
        let stopping = async {
            // Its end says that the listener drains.
            assert!(idle.try_head().await.is_none());
            assert!(caller.chunk_within(Duration::from_millis(50)).await.is_none(), "nothing ends inside an event");
            speaker.say(&format!("{}{}", chunk("\n"), chunk("data: c\n\n"))).await;
            assert_eq!(caller.chunk().await.as_deref(), Some(&b"\n"[..]));
            assert_eq!(caller.chunk().await, Some(Vec::new()), "what follows is for the next stream");
        };
        tokio::join!(stopping, proxy.stop(GRACE));
        speaker.is_left().await;
    }
}

#[tokio::test]
async fn a_stream_that_a_result_is_to_come_on_goes_on() {
    // A GET without any header of a later revision is of 2024-11-05, where results come on the stream.
    for request in [post("/weather/mcp", "", CALL), get("")] {
        let speaker = Speaker::start().await;
        let mut proxy = speaker.proxy();
        let mut caller = opened(&proxy, &speaker, &request).await;
        let mut idle = Caller::connect(proxy.outbound).await;
        let stopping = async {
            assert!(idle.try_head().await.is_none());
            speaker.say(&format!("{}0\r\n\r\n", chunk("data: result\n\n"))).await;
            assert_eq!(caller.chunk().await.as_deref(), Some(&b"data: result\n\n"[..]));
            assert_eq!(caller.chunk().await, Some(Vec::new()));
        };
        tokio::join!(stopping, proxy.stop(GRACE));
    }
}

#[tokio::test]
async fn what_does_not_end_within_the_grace_is_cut() {
    for request in [post("/weather/mcp", "", CALL), opened_again().remove(0)] {
        let speaker = Speaker::start().await;
        let mut proxy = speaker.proxy();
        let mut caller = opened(&proxy, &speaker, &request).await;
        speaker.say(&chunk("data: never whole\n")).await;
        assert!(caller.chunk().await.is_some());
        proxy.stop(Duration::from_millis(50)).await;
        assert_eq!(caller.chunk().await, None, "no proper end");
        speaker.is_left().await;
    }
}

#[tokio::test]
async fn the_proxy_beside_the_agent_ends_streams_as_the_callers_does() {
    let speaker = Speaker::start().await;
    let authority = Authority::new();
    let own = Scene::of_own(&[("weather-1", speaker.agent.address)]);
    for request in opened_again() {
        let mut provider = Scene { material: Some(authority.issue(WEATHER)), ..own.clone() }.start();
        let peers = Scene::of_peers(&[("weather-1", provider.inbound, Some(WEATHER.parse().expect("an id")))]);
        let proxy = Scene { material: Some(authority.issue(WEATHER)), ..peers }.start();
        let mut caller = opened(&proxy, &speaker, &request).await;
        let (chunk, ()) = tokio::join!(caller.chunk(), provider.stop(GRACE));
        assert_eq!(chunk, Some(Vec::new()), "{request}");
        speaker.is_left().await;
    }
}

/// A request may be on its way when the other proxy stops: what its caller then reads must be true of it.
#[tokio::test]
async fn a_peer_that_waits_is_told_that_nothing_more_is_read() {
    let agent = Agent::answering("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok").await;
    let mut provider = Scene::of_own(&[("weather-1", agent.address)]).start();
    let mut peer = Caller::connect(provider.inbound).await;
    assert_eq!(peer.post("/agents/weather-1/mcp", "", CALL).await.status, 200);
    let told = async {
        let answer = peer.answer().await;
        assert_eq!(answer.status, 503);
        assert!(
            answer.has_header("outrigger-refusal: draining") && answer.has_header("connection: close"),
            "{}",
            answer.head
        );
        // One that crossed it is not run.
        peer.send(&post("/agents/weather-1/mcp", "", CALL)).await;
        assert!(peer.try_head().await.is_none());
    };
    tokio::join!(told, provider.stop(GRACE));
    assert_eq!(agent.requests(), 1);
}

/// A connection that is kept may have a request on its way at any moment; only with an answer can it end without losing one.
#[tokio::test]
async fn a_listener_that_is_handed_over_answers_once_more_on_each_connection() {
    let agent = Agent::answering("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok").await;
    for is_inbound in [true, false] {
        let mut proxy = Scene::of_own(&[("weather-1", agent.address)]).start();
        let Gateway { outbound, inbound } = proxy.gateway.take().expect("a gateway");
        let (address, path, listening, other) = match is_inbound {
            true => (proxy.inbound, "/agents/weather-1/mcp", inbound, outbound),
            false => (proxy.outbound, "/weather/mcp", outbound, inbound),
        };
        let mut caller = Caller::connect(address).await;
        assert!(!caller.post(path, "", CALL).await.has_header("connection: close"));
        let told = async {
            // The hand-over has begun when nobody accepts any more.
            while TcpStream::connect(address).await.is_ok() {
                tokio::task::yield_now().await;
            }
            let answer = caller.post(path, "", CALL).await;
            assert!(answer.status == 200 && answer.has_header("connection: close"), "{}", answer.head);
            assert!(caller.try_head().await.is_none(), "and no more");
        };
        tokio::join!(told, listening.hand_over(GRACE));
        other.stop(Duration::ZERO).await;
    }
}

#[tokio::test]
async fn a_listener_that_refuses_still_accepts_so_that_callers_hear_why() {
    let agent = Agent::answering("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok").await;
    let mut provider = Scene::of_own(&[("weather-1", agent.address)]).start();
    provider.gateway.as_ref().expect("a gateway").inbound.refuse();
    let mut peer = Caller::connect(provider.inbound).await;
    let answer = peer.answer().await;
    assert!(answer.status == 503 && answer.has_header("outrigger-refusal: draining"), "{}", answer.head);
    provider.stop(GRACE).await;
    assert_eq!(agent.requests(), 0);
}
