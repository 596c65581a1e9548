//! A request of our own to an endpoint, while a caller's waits for it.
//!
//! In: the bytes of a whole request. Out: the whole answer, bounded in size.
//! Never here: how long it may take; whoever asks says so.
//! Invariant: a connection is kept only if the answer on it was read to its end.

use std::future::poll_fn;
use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};

use http::StatusCode;
use outrigger_proxy_core::http1::body::{Body, Framing};
use outrigger_proxy_core::http1::field::Name;
use outrigger_proxy_core::http1::head::ResponseHead;
use outrigger_proxy_core::mcp::headers;
use outrigger_proxy_core::outcome::Outcome;
use outrigger_proxy_core::world::endpoint::Endpoint;
use outrigger_proxy_core::world::judged::Ended;

use super::upstream::{Upstream, Upstreams};
use super::wire::Wire;
use crate::identity::connector::ConnectError;

const HEAD_BYTES_MAX: usize = 64 * 1024;
const BODY_BYTES_MAX: usize = 256 * 1024;

/// A whole answer.
#[derive(Debug)]
pub struct Reply {
    pub status: StatusCode,
    /// The id that it carries.
    pub session: Option<Arc<[u8]>>,
    /// Its body is a stream of events.
    pub is_stream: bool,
    pub body: Vec<u8>,
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum AsideError {
    #[error("endpoint cannot be reached")]
    Connect(#[source] ConnectError),
    #[error("connection broke")]
    Broken(#[source] io::Error),
    #[error("answer cannot be read")]
    Unreadable,
    #[error("answer is too large")]
    Large,
}

/// Asks, and reads the answer to its end. `connect` limits connecting alone.
pub async fn exchange(
    upstreams: &Upstreams,
    endpoint: &Endpoint,
    request: Vec<u8>,
    connect: Duration,
) -> Result<Reply, AsideError> {
    let asked = Instant::now();
    let connected = upstreams.get(endpoint, connect, asked).await;
    let mut upstream = connected.map_err(|error| {
        let ended = Ended { outcome: Outcome::ConnectFailed, began: asked, tool: None, tool_failed: false };
        endpoint.record(&ended, Instant::now());
        AsideError::Connect(error)
    })?;
    *upstream.wire.out() = request;
    poll_fn(|cx| upstream.wire.poll_flush(cx)).await.map_err(AsideError::Broken)?;
    let head = head(&mut upstream.wire).await?;
    let framing = Framing::of_answer(&head, false).ok_or(AsideError::Unreadable)?;
    let body = body(&mut upstream.wire, framing).await?;
    let reply = Reply {
        status: head.status,
        session: headers::minted(&head.fields).map(Arc::from),
        is_stream: head.fields.media().is_some_and(|media| media.eq_ignore_ascii_case(b"text/event-stream")),
        body,
    };
    keep(upstreams, upstream, &head, framing);
    Ok(reply)
}

async fn head(wire: &mut Wire) -> Result<ResponseHead, AsideError> {
    loop {
        match ResponseHead::take(&mut wire.inbox).map_err(|_| AsideError::Unreadable)? {
            Some(head) if head.status.is_informational() => continue,
            Some(head) => return Ok(head),
            None if wire.inbox.len() > HEAD_BYTES_MAX => return Err(AsideError::Large),
            None => {}
        }
        if read(wire).await? == 0 {
            return Err(AsideError::Broken(io::ErrorKind::UnexpectedEof.into()));
        }
    }
}

async fn body(wire: &mut Wire, framing: Framing) -> Result<Vec<u8>, AsideError> {
    let (mut body, mut out) = (Body::new(framing), Vec::new());
    loop {
        let taken = body.take_with(&wire.inbox, |part| out.extend_from_slice(part));
        let taken = taken.map_err(|_| AsideError::Unreadable)?;
        wire.inbox.drain(..taken.min(wire.inbox.len()));
        if out.len() > BODY_BYTES_MAX {
            return Err(AsideError::Large);
        }
        if body.is_done() {
            return Ok(out);
        }
        match read(wire).await? {
            0 if body.ends_with_connection() => return Ok(out),
            0 => return Err(AsideError::Broken(io::ErrorKind::UnexpectedEof.into())),
            _ => {}
        }
    }
}

async fn read(wire: &mut Wire) -> Result<usize, AsideError> {
    wire.acknowledge();
    poll_fn(|cx| wire.poll_read(cx)).await.map_err(AsideError::Broken)
}

fn keep(upstreams: &Upstreams, upstream: Upstream, head: &ResponseHead, framing: Framing) {
    if framing != Framing::UntilClose && !head.is_http10 && !head.fields.lists(Name::Connection, "close") {
        upstreams.put(upstream, Instant::now());
    }
}
