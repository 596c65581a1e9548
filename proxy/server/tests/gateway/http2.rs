//! Honest callers that speak HTTP/2.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use h2::client::{ResponseFuture, SendRequest};
use h2::{Reason, RecvStream, SendStream};
use http::{Request, Response};
use outrigger_identity::{Application, Expected, client_config, server_name_of};
use outrigger_model::identity::SpiffeId;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::sync::Notify;
use tokio::time::timeout;

use crate::agent::Agent;
use crate::caller::PATIENCE;
use crate::mesh::{Authority, Scene};

const STREAM: &str = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n";

struct Client(SendRequest<Bytes>);

impl Client {
    async fn connect(address: SocketAddr) -> Self {
        Self::over(TcpStream::connect(address).await.expect("connect")).await
    }

    async fn over(stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static) -> Self {
        let (client, connection) = h2::client::handshake(stream).await.expect("handshake");
        tokio::spawn(async move { drop(connection.await) });
        Self(client)
    }

    async fn begin(&mut self, ends: bool) -> (ResponseFuture, SendStream<Bytes>) {
        self.begin_at("/weather/mcp", ends).await
    }

    async fn begin_at(&mut self, path: &str, ends: bool) -> (ResponseFuture, SendStream<Bytes>) {
        let request = Request::post(format!("http://127.0.0.1{path}")).header("content-type", "application/json");
        let request = request.header("accept", "application/json, text/event-stream").body(()).expect("a request");
        let mut ready = self.0.clone().ready().await.expect("ready");
        ready.send_request(request, ends).expect("sent")
    }

    async fn post(&mut self, body: &str) -> Response<RecvStream> {
        let (answer, mut stream) = self.begin(false).await;
        stream.send_data(Bytes::copy_from_slice(body.as_bytes()), true).expect("sent");
        timeout(PATIENCE, answer).await.expect("in time").expect("an answer")
    }
}

async fn more(body: &mut RecvStream) -> Option<Result<Bytes, h2::Error>> {
    let data = timeout(PATIENCE, body.data()).await.expect("in time")?;
    if let Ok(data) = &data {
        body.flow_control().release_capacity(data.len()).expect("released");
    }
    Some(data)
}

async fn text(answer: Response<RecvStream>) -> String {
    let (mut body, mut all) = (answer.into_body(), Vec::new());
    while let Some(data) = more(&mut body).await {
        all.extend_from_slice(&data.expect("data"));
    }
    String::from_utf8(all).expect("text")
}

#[tokio::test]
async fn equal_ids_on_one_connection_never_cross() {
    let agent = Agent::echoing().await;
    let proxy = Scene::of_own(&[("weather-1", agent.address)]).start();
    let client = Client::connect(proxy.outbound).await;
    let calls = (0..50).map(|number| {
        let mut client = Client(client.0.clone());
        tokio::spawn(async move {
            let body = format!(r#"{{"jsonrpc":"2.0","id":1,"method":"tools/list","params":{{"x":"mark-{number}."}}}}"#);
            let answer = text(client.post(&body).await).await;
            assert!(answer.contains("POST /mcp HTTP/1.1\r\n"), "{answer}");
            assert!(answer.contains(&format!("mark-{number}.")), "{answer}");
            assert_eq!(answer.matches("mark-").count(), 1, "{answer}");
        })
    });
    for call in calls.collect::<Vec<_>>() {
        call.await.expect("a call");
    }
}

#[tokio::test]
async fn events_come_one_by_one_and_a_cancel_reaches_the_agent() {
    let (next, gone) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let (told, left) = (Arc::clone(&next), Arc::clone(&gone));
    let agent = Agent::start(move |mut conversation| {
        let (told, left) = (Arc::clone(&told), Arc::clone(&left));
        async move {
            if conversation.request().await.is_some() {
                conversation.send(STREAM.as_bytes()).await;
                conversation.send(b"9\r\ndata: a\n\n\r\n").await;
                told.notified().await;
                conversation.send(b"9\r\ndata: b\n\n\r\n").await;
                conversation.closed().await;
                left.notify_one();
            }
        }
    })
    .await;
    let proxy = Scene::of_own(&[("weather-1", agent.address)]).start();
    let mut client = Client::connect(proxy.outbound).await;
    let (answer, mut stream) = client.begin(false).await;
    stream.send_data(Bytes::from_static(crate::caller::CALL.as_bytes()), true).expect("sent");
    let answer = timeout(PATIENCE, answer).await.expect("in time").expect("an answer");
    assert_eq!(answer.headers()["content-type"], "text/event-stream");
    assert!(!answer.headers().contains_key("transfer-encoding"));
    let mut body = answer.into_body();
    assert_eq!(more(&mut body).await.expect("an event").expect("data"), "data: a\n\n");
    next.notify_one();
    assert_eq!(more(&mut body).await.expect("an event").expect("data"), "data: b\n\n");
    stream.send_reset(Reason::CANCEL);
    timeout(PATIENCE, gone.notified()).await.expect("the agent's connection closes");
}

#[tokio::test]
async fn a_large_body_arrives_whole() {
    let agent = Agent::echoing().await;
    let proxy = Scene::of_own(&[("weather-1", agent.address)]).start();
    let mut client = Client::connect(proxy.outbound).await;
    let (answer, mut stream) = client.begin(false).await;
    let message = crate::caller::message(3 * 1024 * 1024);
    let sending = async {
        let mut rest = Bytes::from(message.clone());
        while !rest.is_empty() {
            stream.reserve_capacity(rest.len().min(16_384));
            let room = futures_util::future::poll_fn(|cx| stream.poll_capacity(cx)).await.expect("open").expect("room");
            let part = rest.split_to(room.min(rest.len()));
            stream.send_data(part, rest.is_empty()).expect("sent");
        }
    };
    let receiving = async { text(answer.await.expect("an answer")).await };
    let ((), answer) =
        timeout(Duration::from_secs(60), async { tokio::join!(sending, receiving) }).await.expect("in time");
    assert!(answer.ends_with(&message));
}

/// An agent that begins a stream with an event, says the rest when it is told to, and closes.
async fn speaking(rest: &'static str) -> (Agent, Arc<Notify>) {
    let next = Arc::new(Notify::new());
    let told = Arc::clone(&next);
    let agent = Agent::start(move |mut conversation| {
        let told = Arc::clone(&told);
        async move {
            if conversation.request().await.is_some() {
                conversation.send(STREAM.as_bytes()).await;
                conversation.send(b"9\r\ndata: a\n\n\r\n").await;
                told.notified().await;
                conversation.send(rest.as_bytes()).await;
            }
        }
    })
    .await;
    (agent, next)
}

/// Begins a call, and reads the first event of its answer.
async fn opened(client: &mut Client) -> RecvStream {
    let mut body = client.post(crate::caller::CALL).await.into_body();
    assert_eq!(more(&mut body).await.expect("an event").expect("data"), "data: a\n\n");
    body
}

/// Waits until the connection takes no new requests.
async fn is_left(client: &Client) {
    let leaving = async {
        while client.0.clone().ready().await.is_ok() {
            tokio::task::yield_now().await
        }
    };
    timeout(PATIENCE, leaving).await.expect("a goodbye");
}

#[tokio::test]
async fn a_stop_says_goodbye_and_lets_streams_end() {
    let grace = Duration::from_secs(30);
    let (agent, next) = speaking("9\r\ndata: b\n\n\r\n0\r\n\r\n").await;
    let mut proxy = Scene::of_own(&[("weather-1", agent.address)]).start();
    let mut client = Client::connect(proxy.outbound).await;
    let mut body = opened(&mut client).await;
    let began = std::time::Instant::now();
    let ending = async {
        is_left(&client).await;
        next.notify_one();
        assert_eq!(more(&mut body).await.expect("an event").expect("data"), "data: b\n\n");
        assert!(more(&mut body).await.is_none(), "the stream ends properly");
    };
    tokio::join!(ending, proxy.stop(grace));
    assert!(began.elapsed() < grace / 2, "{:?}", began.elapsed());
}

#[tokio::test]
async fn a_stop_cuts_streams_that_outlast_the_grace() {
    let (agent, _next) = speaking("").await;
    let mut proxy = Scene::of_own(&[("weather-1", agent.address)]).start();
    let mut client = Client::connect(proxy.outbound).await;
    let mut body = opened(&mut client).await;
    let cut = async { more(&mut body).await.expect("no proper end").expect_err("an error") };
    timeout(PATIENCE, async { tokio::join!(cut, proxy.stop(Duration::from_millis(200))) }).await.expect("in time");
}

#[tokio::test]
async fn an_answer_that_breaks_off_is_reset() {
    let (agent, next) = speaking("9\r\ndat").await;
    let proxy = Scene::of_own(&[("weather-1", agent.address)]).start();
    let mut client = Client::connect(proxy.outbound).await;
    let mut body = opened(&mut client).await;
    next.notify_one();
    let error = loop {
        match more(&mut body).await.expect("no proper end") {
            Ok(data) => assert!(b"dat".starts_with(&data)),
            Err(error) => break error,
        }
    };
    assert_eq!(error.reason(), Some(Reason::INTERNAL_ERROR));
    assert!(error.is_remote() && error.is_reset());
}

#[tokio::test]
async fn answers_without_a_body_are_no_flood() {
    let agent = Agent::answering("HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n\r\n").await;
    let proxy = Scene::of_own(&[("weather-1", agent.address)]).start();
    let mut client = Client::connect(proxy.outbound).await;
    for _ in 0..60 {
        let answer = client.post(r#"{"jsonrpc":"2.0","method":"notifications/initialized"}"#).await;
        assert_eq!(answer.status(), 202);
    }
}

#[tokio::test]
async fn too_many_fields_are_431() {
    let agent = Agent::echoing().await;
    let proxy = Scene::of_own(&[("weather-1", agent.address)]).start();
    let mut client = Client::connect(proxy.outbound).await;
    let mut request = Request::post("http://127.0.0.1/weather/mcp");
    for _ in 0..18 {
        request = request.header("x", "y".repeat(4_000));
    }
    let mut ready = client.0.clone().ready().await.expect("ready");
    let (answer, _) = ready.send_request(request.body(()).expect("a request"), true).expect("sent");
    let answer = timeout(PATIENCE, answer).await.expect("in time").expect("an answer");
    assert_eq!(answer.status(), 431);
    assert_eq!(client.post(crate::caller::CALL).await.status(), 200, "the connection goes on");
}

#[tokio::test]
async fn the_inbound_listener_agrees_on_http2_with_who_offers_it() {
    let weather: SpiffeId = "spiffe://mesh.local/agent/weather".parse().expect("an id");
    let agent = Agent::echoing().await;
    let authority = Authority::new();
    let material = Some(authority.issue(&weather.to_string()));
    let proxy = Scene { material, ..Scene::of_own(&[("weather-1", agent.address)]) }.start();
    let ours = authority.issue("spiffe://mesh.local/agent/planner");
    let name = server_name_of(&weather);
    let config = client_config(&ours, Expected::Exactly(weather), Application::Either).expect("a configuration");
    let stream = TcpStream::connect(proxy.inbound).await.expect("connect");
    let stream = tokio_rustls::TlsConnector::from(Arc::new(config)).connect(name, stream).await.expect("mutual TLS");
    assert_eq!(stream.get_ref().1.alpn_protocol(), Some(&b"h2"[..]));
    let mut client = Client::over(stream).await;
    let (answer, mut body) = client.begin_at("/agents/weather-1/mcp", false).await;
    body.send_data(Bytes::from_static(crate::caller::CALL.as_bytes()), true).expect("sent");
    let answer = timeout(PATIENCE, answer).await.expect("in time").expect("an answer");
    assert_eq!(answer.status(), 200);
    let answer = text(answer).await;
    assert!(answer.starts_with("POST /mcp HTTP/1.1\r\n") && answer.ends_with(crate::caller::CALL), "{answer}");
}

/// "Clients MUST NOT discard responses as a result of receiving such a RST_STREAM" (RFC 9113 section 8.1), and some do.
#[tokio::test]
async fn who_is_answered_before_its_body_came_may_still_send_it() {
    let agent = Agent::echoing().await;
    let proxy = Scene::of_own(&[("weather-1", agent.address)]).start();
    let client = Client::connect(proxy.outbound).await;
    let request = Request::post("http://evil.example/weather/mcp").body(()).expect("a request");
    let mut ready = client.0.clone().ready().await.expect("ready");
    let (answer, mut stream) = ready.send_request(request, false).expect("sent");
    let answer = timeout(PATIENCE, answer).await.expect("in time").expect("an answer");
    assert_eq!(answer.status(), 403);
    assert!(text(answer).await.contains("host_not_allowed"));
    stream.send_data(Bytes::from_static(b"{}"), true).expect("the stream was not reset");
    assert_eq!(agent.requests(), 0);
}
