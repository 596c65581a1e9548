//! A way into the gateway from inside: HTTP/1.1 over a pipe, as if an agent had called.
//!
//! In: requests for `/agents/{name}/mcp`. Out: the status, the session id, and the messages of the answer as they come.
//! Why so: sessions, retries, affinity, mTLS, limits and metrics are the gateway's and are written once.
//! Invariant: dropping a [`Reply`] closes its pipe, which ends the call at its target at once.

use bytes::Bytes;
use http::header::{ACCEPT, CONTENT_TYPE, HOST, RETRY_AFTER};
use http::{Method, Request, StatusCode};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use outrigger_proxy_core::mcp::headers;
use tokio::io::DuplexStream;
use tokio::sync::mpsc;
use tokio_util::task::AbortOnDropHandle;

use super::events::{EVENT_BYTES_MAX, Events};
use super::message::Message;

/// What one pipe holds in each direction.
const PIPE_BYTES: usize = 64 * 1024;
/// Pipes that wait to be taken by the gateway.
const WAITING_MAX: usize = 256;

/// Opens pipes to the gateway.
#[derive(Debug, Clone)]
pub struct Pipes(mpsc::Sender<DuplexStream>);

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum PipeError {
    #[error("the gateway takes no calls")]
    Closed,
    #[error("the call broke off")]
    Broken(#[source] hyper::Error),
    #[error("the request cannot be written")]
    Request(#[source] http::Error),
    #[error("the answer is too large")]
    Large,
}

/// What is asked of a target.
#[derive(Debug)]
pub struct Ask<'a> {
    pub method: Method,
    pub agent: &'a str,
    pub headers: Vec<(String, String)>,
    pub body: String,
}

/// An answer that has begun.
pub struct Reply {
    pub status: StatusCode,
    pub session: Option<String>,
    /// `Retry-After`, as it came.
    pub later: Option<String>,
    pub events: Option<Events>,
    whole: Vec<u8>,
    body: Option<Incoming>,
    _connection: AbortOnDropHandle<()>,
}

impl Pipes {
    /// The pipes, and where their other ends come out.
    pub fn new() -> (Self, mpsc::Receiver<DuplexStream>) {
        let (sender, receiver) = mpsc::channel(WAITING_MAX);
        (Self(sender), receiver)
    }

    pub async fn ask(&self, ask: Ask<'_>) -> Result<Reply, PipeError> {
        let (near, far) = tokio::io::duplex(PIPE_BYTES);
        self.0.send(far).await.map_err(|_| PipeError::Closed)?;
        let (mut sender, connection) = http1::handshake(TokioIo::new(near)).await.map_err(PipeError::Broken)?;
        let connection = AbortOnDropHandle::new(tokio::spawn(async move {
            // How it ended shows in the body.
            let _ = connection.await;
        }));
        let response = sender.send_request(request(ask)?).await.map_err(PipeError::Broken)?;
        let media = response.headers().get(CONTENT_TYPE).map(|value| value.as_bytes()).unwrap_or_default();
        let streams = media.to_ascii_lowercase().starts_with(b"text/event-stream");
        let mut ids = response.headers().get_all(headers::SESSION_ID).iter();
        let session = ids.next().filter(|id| headers::is_session_id(id.as_bytes())).and_then(|id| id.to_str().ok());
        let later = response.headers().get(RETRY_AFTER).and_then(|later| later.to_str().ok()).map(str::to_owned);
        Ok(Reply {
            status: response.status(),
            session: session.map(str::to_owned),
            later,
            events: streams.then(Events::default),
            whole: Vec::new(),
            body: Some(response.into_body()),
            _connection: connection,
        })
    }
}

fn request(ask: Ask<'_>) -> Result<Request<Full<Bytes>>, PipeError> {
    let mut request = Request::builder()
        .method(ask.method)
        .uri(format!("/agents/{}/mcp", ask.agent))
        .header(HOST, "localhost")
        .header(ACCEPT, "application/json, text/event-stream");
    if !ask.body.is_empty() {
        request = request.header(CONTENT_TYPE, "application/json");
    }
    for (name, value) in &ask.headers {
        request = request.header(name, value);
    }
    request.body(Full::new(Bytes::from(ask.body))).map_err(PipeError::Request)
}

impl Reply {
    /// The next message; none at the end. What is no message is stepped over.
    pub async fn next(&mut self) -> Result<Option<Message>, PipeError> {
        loop {
            if let Some(events) = &mut self.events {
                while let Some(data) = events.next() {
                    if let Some(message) = Message::read(&data) {
                        return Ok(Some(message));
                    }
                }
            }
            let Some(body) = &mut self.body else { return Ok(None) };
            match body.frame().await {
                Some(frame) => {
                    let frame = frame.map_err(PipeError::Broken)?;
                    let piece = frame.data_ref().map(AsRef::as_ref).unwrap_or_default();
                    match &mut self.events {
                        Some(events) => events.take(piece).map_err(|_| PipeError::Large)?,
                        None if self.whole.len() + piece.len() > EVENT_BYTES_MAX => return Err(PipeError::Large),
                        None => self.whole.extend_from_slice(piece),
                    }
                }
                None => {
                    self.body = None;
                    if self.events.is_none() {
                        return Ok(Message::read(&self.whole));
                    }
                }
            }
        }
    }
}
