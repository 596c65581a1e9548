//! What a client sends right behind its own stream arrives behind it.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::sync::Notify;

use crate::agent::Agent;
use crate::caller::{CALL, Caller, in_session, post};
use crate::mesh::{Authority, Proxy, Scene};

const WEATHER: &str = "spiffe://mesh.local/agent/weather";
const STREAM: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n";

/// Long enough for a call that nothing holds back, and less than a call may be held back.
const SLOW: Duration = Duration::from_millis(100);

/// What arrived at an agent, in that order.
#[derive(Clone, Default)]
struct Arrivals {
    seen: Arc<Mutex<Vec<&'static str>>>,
    call: Arc<Notify>,
}

impl Arrivals {
    fn add(&self, what: &'static str) {
        self.seen.lock().expect("a lock").push(what);
        if what == "call" {
            self.call.notify_waiters();
        }
    }

    fn seen(&self) -> Vec<&'static str> {
        self.seen.lock().expect("a lock").clone()
    }
}

/// An agent that takes its time to open the stream of a session, or never does. In that time it takes calls.
async fn agent(arrivals: Arrivals, opens: bool) -> Agent {
    Agent::start(move |mut conversation| {
        let arrivals = arrivals.clone();
        async move {
            while let Some(request) = conversation.request().await {
                if request.head.starts_with("GET") {
                    // A call that overtook the stream arrives now.
                    drop(tokio::time::timeout(SLOW, arrivals.call.notified()).await);
                    if opens {
                        arrivals.add("stream");
                        conversation.send(STREAM).await;
                    }
                    conversation.closed().await;
                    return;
                }
                let opening = !request.head.to_lowercase().contains("mcp-session-id");
                if !opening {
                    arrivals.add("call");
                }
                let minted = if opening { "Mcp-Session-Id: s-1\r\n" } else { "" };
                conversation.send(format!("HTTP/1.1 200 OK\r\n{minted}Content-Length: 2\r\n\r\n{{}}").as_bytes()).await;
            }
        }
    })
    .await
}

/// A proxy beside the agent, and one that calls it over mTLS.
fn two_proxies(agent: &Agent) -> (Proxy, Proxy) {
    let authority = Authority::new();
    let provider = Scene { material: Some(authority.issue(WEATHER)), ..Scene::of_own(&[("weather-1", agent.address)]) };
    let provider = provider.start();
    let peers = Scene::of_peers(&[("weather-1", provider.inbound, Some(WEATHER.parse().expect("an id")))]);
    let caller = Scene { material: Some(authority.issue(WEATHER)), ..peers }.start();
    (caller, provider)
}

/// Sends the GET of a session and a call right behind it on another connection; the answer to the call.
async fn stream_and_call(proxy: &Proxy) -> (Caller, u16) {
    let (mut one, mut two) = (Caller::connect(proxy.outbound).await, Caller::connect(proxy.outbound).await);
    let session = one.open().await;
    // Both connections are known to the proxy, so that it reads in the order in which is written.
    assert_eq!(two.call(&session).await.status, 200);
    let fields = in_session(&session);
    one.send(&format!("GET /weather/mcp HTTP/1.1\r\nHost: localhost\r\nAccept: text/event-stream\r\n{fields}\r\n"))
        .await;
    two.send(&post("/weather/mcp", &fields, CALL)).await;
    let status = two.answer().await.status;
    (one, status)
}

#[tokio::test]
async fn a_call_does_not_overtake_the_stream_that_its_client_opened_before() {
    let arrivals = Arrivals::default();
    let agent = agent(arrivals.clone(), true).await;
    let (proxy, _provider) = two_proxies(&agent);
    let (mut stream, status) = stream_and_call(&proxy).await;
    assert_eq!(status, 200);
    assert_eq!(arrivals.seen(), ["call", "stream", "call"]);
    assert_eq!(stream.head().await.status, 200);
}

#[tokio::test]
async fn a_stream_that_never_opens_delays_a_call_and_does_not_keep_it() {
    let arrivals = Arrivals::default();
    let agent = agent(arrivals.clone(), false).await;
    let (proxy, _provider) = two_proxies(&agent);
    let (_stream, status) = stream_and_call(&proxy).await;
    assert_eq!(status, 200);
    assert_eq!(arrivals.seen(), ["call", "call"]);
}
