//! One HTTP request to the own agent, on a connection of its own.
//!
//! In: method, headers, body. Out: the status, the session id, and the JSON-RPC answer if there is one.
//! Why a connection each: there are a handful per start of an agent, and a server that closes early disturbs nothing else.

use bytes::Bytes;
use http::header::{ACCEPT, CONTENT_TYPE, HOST, USER_AGENT};
use http::{HeaderName, Method, Request, StatusCode};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use outrigger_proxy_core::mcp::headers;
use serde_json::Value;
use tokio::net::TcpStream;

use super::answer::Reader;
use crate::config::settings::AgentUrl;

/// Why an agent could not be asked.
#[derive(Debug, thiserror::Error)]
pub enum ExchangeError {
    #[error("connection refused")]
    Connect(#[source] std::io::Error),
    #[error("connection broke")]
    Broken(#[source] hyper::Error),
    #[error("request cannot be written")]
    Request(#[source] http::Error),
    #[error("answer is too large")]
    Large,
}

/// What is asked.
#[derive(Debug)]
pub(super) struct Ask<'a> {
    pub(super) method: Method,
    pub(super) headers: Vec<(&'static str, &'a str)>,
    pub(super) body: Vec<u8>,
    /// The id of the request in the body; none for notifications.
    pub(super) id: Option<u64>,
}

#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: StatusCode,
    pub(super) session: Option<String>,
    pub(super) message: Option<Value>,
}

pub(super) async fn exchange(url: &AgentUrl, ask: Ask<'_>) -> Result<Answer, ExchangeError> {
    let stream = TcpStream::connect((url.host(), url.port())).await.map_err(ExchangeError::Connect)?;
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.map_err(ExchangeError::Broken)?;
    let id = ask.id;
    let request = request(url, ask).map_err(ExchangeError::Request)?;
    let talk = async move {
        let response = sender.send_request(request).await.map_err(ExchangeError::Broken)?;
        read(response, id).await
    };
    tokio::pin!(talk);
    tokio::select! {
        answer = &mut talk => return answer,
        // The server closed; what it sent before is still to be read.
        _ = connection => {}
    }
    talk.await
}

fn request(url: &AgentUrl, ask: Ask<'_>) -> Result<Request<Full<Bytes>>, http::Error> {
    let mut request = Request::builder()
        .method(ask.method)
        .uri(url.path_and_query())
        .header(HOST, url.authority())
        .header(USER_AGENT, concat!("outrigger/", env!("CARGO_PKG_VERSION")))
        .header(ACCEPT, "application/json, text/event-stream");
    if !ask.body.is_empty() {
        request = request.header(CONTENT_TYPE, "application/json");
    }
    for (name, value) in ask.headers {
        request = request.header(HeaderName::from_static(name), value);
    }
    request.body(Full::new(Bytes::from(ask.body)))
}

/// The session id on an answer; an ambiguous or unreadable one is none.
fn minted(response: &http::Response<Incoming>) -> Option<&str> {
    let mut ids = response.headers().get_all(headers::SESSION_ID).iter();
    let id = ids.next().filter(|id| headers::is_session_id(id.as_bytes()))?;
    if ids.next().is_none() { id.to_str().ok() } else { None }
}

async fn read(response: http::Response<Incoming>, id: Option<u64>) -> Result<Answer, ExchangeError> {
    let status = response.status();
    let session = minted(&response).map(str::to_owned);
    let Some(id) = id else { return Ok(Answer { status, session, message: None }) };
    let media = response.headers().get(CONTENT_TYPE).map(|value| value.as_bytes()).unwrap_or_default();
    let events = media.to_ascii_lowercase().starts_with(b"text/event-stream");
    let mut reader = Reader::new(id, events);
    let mut body = response.into_body();
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(ExchangeError::Broken)?;
        let Some(piece) = frame.data_ref() else { continue };
        if let Some(message) = reader.take(piece).map_err(|_| ExchangeError::Large)? {
            return Ok(Answer { status, session, message: Some(message) });
        }
    }
    Ok(Answer { status, session, message: reader.finish() })
}
