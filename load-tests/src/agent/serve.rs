//! Serves the agent over HTTP/1.1 on loopback.
//!
//! In: a port and a name. Out: an [`Agent`] with its real address; it ends with the process or when dropped.
//! Invariant: bodies over [`BODY_MAX`] are not read; streams wait for their readers.

use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::header::{CACHE_CONTROL, CONTENT_TYPE, HeaderValue};
use http::{Request, Response, StatusCode};
use http_body_util::combinators::BoxBody;
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::body::{Frame, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use super::reply::{Replica, Reply};
use super::tell::{Listener, event, keep_quiet, tell, tell_answer};
use crate::echo::SESSION_HEADER;

const BODY_MAX: usize = 64 * 1024 * 1024;
/// Events that wait for a slow reader.
const EVENTS_WAITING_MAX: usize = 16;

type Body = BoxBody<Bytes, Infallible>;

#[derive(Debug, thiserror::Error)]
#[error("the echo agent cannot listen")]
pub struct AgentError(#[from] io::Error);

/// A running agent.
#[derive(Debug)]
pub struct Agent {
    pub address: SocketAddr,
    accepting: JoinHandle<()>,
}

impl Drop for Agent {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

/// Starts one replica in the current runtime. Port 0 takes a free one.
pub async fn start(port: u16, name: &str) -> Result<Agent, AgentError> {
    let listener = TcpListener::bind(("127.0.0.1", port)).await?;
    let address = listener.local_addr()?;
    let replica = Arc::new(Replica::new(name));
    let accepting = tokio::spawn(async move {
        loop {
            match listener.accept().await {
                Ok((stream, _)) => drop(tokio::spawn(converse(stream, Arc::clone(&replica)))),
                // Out of descriptors: those in use have to close first.
                Err(_) => tokio::time::sleep(Duration::from_millis(10)).await,
            }
        }
    });
    Ok(Agent { address, accepting })
}

async fn converse(stream: TcpStream, replica: Arc<Replica>) {
    // Without it small answers wait for the acknowledgement of the one before.
    if stream.set_nodelay(true).is_err() {
        return;
    }
    let service = service_fn(|request| serve(request, Arc::clone(&replica)));
    // A caller that goes away is none of the agent's concern.
    let _ = http1::Builder::new().pipeline_flush(true).serve_connection(TokioIo::new(stream), service).await;
}

async fn serve(request: Request<Incoming>, replica: Arc<Replica>) -> Result<Response<Body>, Infallible> {
    let (head, body) = request.into_parts();
    let Ok(body) = Limited::new(body, BODY_MAX).collect().await else {
        return Ok(plain(StatusCode::PAYLOAD_TOO_LARGE));
    };
    let reply = replica.reply(&head.method, head.uri.path(), &head.headers, &body.to_bytes());
    Ok(respond(reply, &replica))
}

fn respond(reply: Reply, replica: &Replica) -> Response<Body> {
    let (events, body) = mpsc::channel(EVENTS_WAITING_MAX);
    match reply {
        Reply::Json(body) => json(body),
        Reply::Opened { session, body } => {
            let mut response = json(body);
            if let Ok(value) = HeaderValue::from_str(&session) {
                response.headers_mut().insert(SESSION_HEADER, value);
            }
            response
        }
        Reply::Events { number, count, every_ms, last } => {
            tokio::spawn(tell_answer(events, number, count, every_ms, last));
            stream(body)
        }
        Reply::Quiet => {
            tokio::spawn(keep_quiet(events));
            stream(body)
        }
        Reply::Feed { era, number, first } => {
            let listener =
                Listener { era, number, replica: replica.name.clone(), telling: replica.telling.subscribe() };
            // There is room: nothing was sent yet.
            let _ = events.try_send(first.map_or(Bytes::from_static(b": open\n\n"), |first| event(&first)));
            tokio::spawn(tell(events, listener));
            stream(body)
        }
        Reply::Done(status) => plain(StatusCode::from_u16(status).unwrap_or(StatusCode::OK)),
        Reply::Unreadable => plain(StatusCode::BAD_REQUEST),
        Reply::NotFound => plain(StatusCode::NOT_FOUND),
    }
}

fn json(body: String) -> Response<Body> {
    let mut response = Response::new(Full::new(Bytes::from(body)).boxed());
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}

fn plain(status: StatusCode) -> Response<Body> {
    let mut response = Response::new(Full::new(Bytes::new()).boxed());
    *response.status_mut() = status;
    response
}

fn stream(events: mpsc::Receiver<Bytes>) -> Response<Body> {
    let mut response = Response::new(Events(events).boxed());
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/event-stream"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    response
}

/// A body that is whatever the channel gives.
struct Events(mpsc::Receiver<Bytes>);

impl hyper::body::Body for Events {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: std::pin::Pin<&mut Self>,
        context: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        self.0.poll_recv(context).map(|bytes| bytes.map(|bytes| Ok(Frame::data(bytes))))
    }
}
