//! Answers of our own.
//!
//! In: a refusal. Out: its HTTP and JSON-RPC form on the caller's connection, with the caller's own id if it can be had.
//! Invariant: nothing is written where an answer has begun.

use std::future::poll_fn;
use std::io;
use std::io::Write as _;
use std::time::Duration;

use outrigger_proxy_core::mcp::error;
use outrigger_proxy_core::outcome::REFUSAL_HEADER;
use outrigger_proxy_core::refusal::{Malformed, Refusal, Shape};

use super::call::Call;
use super::downstream::Downstream;
use super::wire::Wire;
use crate::telemetry::Direction;

// How long a refusal waits for the beginning of a body, to find the id in it.
const ID_WAIT: Duration = Duration::from_secs(1);

// A caller that is still sending must be listened to for a while: closing at once would reset the connection, and the caller would
// never read why.
const LINGER_TIME: Duration = Duration::from_secs(2);
const LINGER_BYTES_MAX: u64 = 64 * 1024 * 1024;

/// Answers with a refusal. The connection is kept if the request can be read to its end.
pub async fn refuse(down: &mut Downstream<'_>, call: &Call, refusal: &Refusal, direction: Direction) -> io::Result<()> {
    let shape = refusal.shape(call.era);
    // Who waits for a `100 Continue` sends nothing, and who was too slow is not waited for again.
    let silent = down.awaits_continue() || *refusal == Refusal::TooSlow;
    if !silent {
        down.wait_for_body(ID_WAIT).await;
    }
    let seen = down.upload.beginning(&down.wire.inbox);
    let text = error::body(refusal, call.era, down.upload.id(&seen), call.world.serial());
    let is_lost = matches!(refusal, Refusal::BodyTooLarge { .. } | Refusal::Malformed(Malformed::Chunk));
    down.keep &= !silent && !is_lost;
    let said = direction == Direction::Inbound && refusal.reached_nobody();
    head(down.wire.out(), shape, text.len(), said, down.keep);
    if down.head.method() != b"HEAD" {
        down.wire.out().extend_from_slice(&text);
    }
    down.answered = Some(shape.status);
    flush(down.wire).await?;
    if !silent {
        down.keep &= linger(down).await;
    }
    Ok(())
}

/// Answers what is no request, or one that cannot be taken apart; the connection ends with it.
pub async fn refuse_bytes(wire: &mut Wire, refusal: &Refusal) -> io::Result<()> {
    let text = error::body(refusal, None, None, None);
    head(wire.out(), refusal.shape(None), text.len(), false, false);
    wire.out().extend_from_slice(&text);
    flush(wire).await
}

/// Tells a peer on a connection that waits for a request that none will be served. A request that crosses this on its way was not read,
/// and its caller reads so.
pub async fn goodbye(wire: &mut Wire) -> io::Result<()> {
    head(wire.out(), Refusal::Draining.shape(None), 0, true, false);
    flush(wire).await
}

fn head(out: &mut Vec<u8>, shape: Shape, length: usize, said: bool, keep: bool) {
    let reason = shape.status.canonical_reason().unwrap_or_default();
    let mut lines = format!(
        "HTTP/1.1 {} {reason}\r\nContent-Type: {}\r\nContent-Length: {length}\r\nCache-Control: no-store\r\n",
        shape.status.as_str(),
        error::CONTENT_TYPE
    )
    .into_bytes();
    if let Some(seconds) = shape.retry_after_seconds {
        // Writing to memory does not fail.
        let _ = write!(lines, "Retry-After: {seconds}\r\n");
    }
    if said {
        let _ = write!(lines, "{REFUSAL_HEADER}: {}\r\n", shape.label);
    }
    if !keep {
        lines.extend_from_slice(b"Connection: close\r\n");
    }
    lines.extend_from_slice(b"\r\n");
    out.append(&mut lines);
}

async fn flush(wire: &mut Wire) -> io::Result<()> {
    // Who does not read our answer is not waited for.
    let written = tokio::time::timeout(LINGER_TIME, poll_fn(|cx| wire.poll_flush(cx)));
    written.await.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()))
}

/// Whether the request was read to its end.
pub async fn linger(down: &mut Downstream<'_>) -> bool {
    let Downstream { wire, upload, .. } = down;
    let discarding = poll_fn(|cx| upload.poll_discard(cx, wire, LINGER_BYTES_MAX));
    tokio::time::timeout(LINGER_TIME, discarding).await.unwrap_or(false)
}
