//! Looks at the beginning of a request's body without taking anything from it.
//!
//! In: a session. Out: the first bytes of the body, which pingora sends on from its retry buffer.
//! Invariant: never more is read than the retry buffer holds, or the agent would get a body without its beginning.

use bytes::Bytes;
use http::header::{CONTENT_LENGTH, EXPECT, TRANSFER_ENCODING};
use outrigger_proxy_core::mcp::envelope::PEEK_BYTES_MAX;
use pingora::Result;
use pingora::proxy::Session;

// What pingora keeps of a body for a retry, and the most that one read returns.
const RETRY_BUFFER_BYTES: usize = 64 * 1024;

/// Reads up to [`PEEK_BYTES_MAX`] bytes, or as much as one read gives if the length is not known to fit the retry buffer.
pub async fn peek(session: &mut Session) -> Result<Bytes> {
    say_continue(session).await?;
    session.as_mut().enable_retry_buffering();
    let fits = length(session).is_some_and(|length| length <= RETRY_BUFFER_BYTES);
    let seen = |session: &Session| session.as_ref().get_retry_buffer().unwrap_or_default();
    while seen(session).len() < PEEK_BYTES_MAX && !session.as_mut().is_body_done() {
        if session.as_ref().retry_buffer_truncated() {
            break;
        }
        let more = session.as_mut().read_request_body().await?;
        if more.is_none() || !fits {
            break;
        }
    }
    Ok(seen(session))
}

/// The declared length of the body.
pub fn length(session: &Session) -> Option<usize> {
    let value = session.req_header().headers.get(CONTENT_LENGTH)?;
    value.to_str().ok()?.parse().ok()
}

/// Whether the caller sends its body only after a `100 Continue` that it did not get yet.
pub fn waits_for_continue(session: &Session) -> bool {
    let expected = session.req_header().headers.get(EXPECT);
    expected.is_some_and(|value| value.as_bytes().eq_ignore_ascii_case(b"100-continue"))
        && session.as_ref().response_written().is_none()
}

/// Lets a caller go on that waits for a `100 Continue`.
pub async fn say_continue(session: &mut Session) -> Result<()> {
    if !waits_for_continue(session) {
        return Ok(());
    }
    // pingora takes any head that it writes before the body came for the end of the connection.
    let keepalive = session.as_ref().get_keepalive();
    session.as_mut().write_continue_response().await?;
    session.as_mut().set_keepalive(keepalive);
    Ok(())
}

/// Whether the request came with both ways to frame a body. pingora drops the length silently; here the bytes still tell.
pub fn is_framed_twice(session: &Session) -> bool {
    if !session.req_header().headers.contains_key(TRANSFER_ENCODING) {
        return false;
    }
    let raw = session.as_ref().to_h1_raw();
    raw.split(|byte| *byte == b'\n').any(|line| {
        let name = line.split(|byte| *byte == b':').next().unwrap_or(line);
        name.trim_ascii().eq_ignore_ascii_case(CONTENT_LENGTH.as_str().as_bytes())
    })
}
