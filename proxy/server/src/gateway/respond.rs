//! Answers of our own.
//!
//! In: a refusal. Out: its HTTP and JSON-RPC form on the caller's connection, with the caller's own id if it can be had.
//! Invariant: nothing is written where an answer has begun.

use std::time::Duration;

use bytes::Bytes;
use http::Method;
use http::header::{CACHE_CONTROL, CONTENT_LENGTH, CONTENT_TYPE, RETRY_AFTER};
use outrigger_proxy_core::mcp::envelope::Envelope;
use outrigger_proxy_core::mcp::error;
use outrigger_proxy_core::outcome::REFUSAL_HEADER;
use outrigger_proxy_core::refusal::Refusal;
use pingora::Result;
use pingora::http::ResponseHeader;
use pingora::proxy::Session;

use super::body;
use super::call::Call;
use crate::telemetry::{CallEnd, Direction};

// How long a refusal waits for the beginning of a body, to find the id in it.
const ID_WAIT: Duration = Duration::from_secs(1);

// A caller that is still sending must be listened to for a while: closing at once would reset the connection, and the caller would
// never read why.
const LINGER_TIME: Duration = Duration::from_secs(2);
const LINGER_BYTES_MAX: usize = 64 * 1024 * 1024;

/// Whether the head of a final answer went out.
pub fn has_answered(session: &Session) -> bool {
    session.as_ref().response_written().is_some_and(|head| !head.status.is_informational())
}

/// Answers with a refusal; the status that was said.
pub async fn refuse(session: &mut Session, call: &mut Call, refusal: &Refusal, direction: Direction) -> Result<u16> {
    let shape = refusal.shape(call.era);
    call.end = Some(CallEnd::Refused(shape.label));
    let silent = body::waits_for_continue(session);
    let seen = beginning(session).await;
    let id = Envelope::scan(&seen).id;
    let text = error::body(refusal, call.era, id, call.world.serial());
    let mut head = ResponseHeader::build(shape.status, Some(5))?;
    head.insert_header(CONTENT_TYPE, error::CONTENT_TYPE)?;
    head.insert_header(CONTENT_LENGTH, text.len())?;
    head.insert_header(CACHE_CONTROL, "no-store")?;
    if let Some(seconds) = shape.retry_after_seconds {
        head.insert_header(RETRY_AFTER, seconds)?;
    }
    if direction == Direction::Inbound && refusal.reached_nobody() {
        head.insert_header(REFUSAL_HEADER, shape.label)?;
    }
    let with_body = session.req_header().method != Method::HEAD;
    session.write_response_header(Box::new(head), !with_body).await?;
    if with_body {
        session.write_response_body(Some(Bytes::from(text)), true).await?;
    }
    if !silent {
        linger(session).await;
    }
    Ok(shape.status.as_u16())
}

/// The first bytes of the body, as far as they can still be had.
async fn beginning(session: &mut Session) -> Bytes {
    if let Some(seen) = session.as_ref().get_retry_buffer() {
        return seen;
    }
    // Who waits for a `100 Continue` sends nothing; and what an attempt has sent on is gone.
    if body::waits_for_continue(session) || session.as_ref().retry_buffer_truncated() {
        return Bytes::new();
    }
    match tokio::time::timeout(ID_WAIT, body::peek(session)).await {
        Ok(Ok(seen)) => seen,
        Ok(Err(_)) | Err(_) => Bytes::new(),
    }
}

async fn linger(session: &mut Session) {
    if session.as_mut().is_body_done() {
        return;
    }
    let listening = async {
        let mut heard = 0;
        while heard < LINGER_BYTES_MAX {
            match session.as_mut().read_request_body().await {
                Ok(Some(bytes)) => heard += bytes.len(),
                Ok(None) | Err(_) => break,
            }
        }
    };
    // Late is as good as done: the connection is closed in any case.
    let _ = tokio::time::timeout(LINGER_TIME, listening).await;
}
