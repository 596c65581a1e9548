//! A caller's connection: one request after the other, until one side has enough.
//!
//! In: an accepted connection. Out: calls, handed to their side of the gateway.
//! Invariant: a connection that waits for a request holds no buffer and no call; the bytes of one head arrive within the head's time,
//! however slowly a peer drips them.

use std::future::poll_fn;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use outrigger_proxy_core::http1::head::RequestHead;
use outrigger_proxy_core::http2::frames::PREFACE;
use outrigger_proxy_core::refusal::Refusal;

use super::alarm::Alarm;
use super::closing::{Place, Stage};
use super::serve::Side;
use super::tunnel::Opened;
use super::wire::Wire;
use super::{http2, respond};
use crate::telemetry::Direction;

// A connection that sends nothing is closed after this long; the same between requests.
const IDLE: Duration = Duration::from_secs(75);

// For the goodbye, and for what a caller still sends: closing on top of it would reset the connection, and the caller would never
// read why.
const CLOSE_TIME: Duration = Duration::from_secs(1);
const CLOSE_BYTES_MAX: usize = 16 * 1024 * 1024;

// Requests in a row that came before the answer to the one before them; then the connection ends with an answer that says so. No client of
// MCP sends ahead; who does it without end can wait for its answers like the others.
const PIPELINED_REQUESTS_MAX: u32 = 32;

/// What comes next on a connection.
enum Next {
    Request(RequestHead),
    Refuse(Refusal),
    /// The caller speaks HTTP/2 from here on.
    Http2,
    /// The listener stops, and no request has begun.
    Drained,
    End,
}

/// Serves a connection to its end, or until its listener is cut.
pub async fn serve(side: &Side, wire: Wire, place: &Place) {
    let mut work = pin!(converse(side, wire, place));
    poll_fn(|cx| match place.poll_stage(cx) {
        Stage::Cut => Poll::Ready(()),
        Stage::Open | Stage::Parting | Stage::Draining => work.as_mut().poll(cx),
    })
    .await;
}

async fn converse(side: &Side, mut wire: Wire, place: &Place) {
    let mut alarm = Alarm::default();
    let mut ahead = 0;
    // Of the tunnel that this connection has become, if requests are read in it.
    let mut site: Option<Arc<str>> = None;
    let mut is_first = true;
    loop {
        // What is here already was sent before the last answer was.
        ahead = if wire.inbox.is_empty() { 0 } else { ahead + 1 };
        let is_last = ahead >= PIPELINED_REQUESTS_MAX;
        let keep = match next(side, &mut wire, &mut alarm, place, is_first).await {
            Next::Request(head) if site.is_none() && asks_for_tunnel(side, &head) => {
                match Box::pin(side.tunnel(&mut wire, &mut alarm, place, head)).await {
                    Opened::Inside(opened) => {
                        site = Some(opened);
                        true
                    }
                    Opened::Here | Opened::Refused => true,
                    Opened::Over => false,
                }
            }
            // In a box of its own, so that a connection without a call is small.
            Next::Request(head) => {
                let head = match &site {
                    Some(site) => head.inside_tunnel(Arc::clone(site)),
                    None => head,
                };
                Box::pin(side.serve(&mut wire, &mut alarm, place, head, is_last)).await
            }
            Next::Http2 => return Box::pin(http2::serve(side, wire, place)).await,
            // Only a peer reads an answer that it has not asked for yet; agents of ours see the connection end.
            Next::Drained if side.direction == Direction::Inbound => {
                if respond::goodbye(&mut wire).await.is_ok() {
                    close(&mut wire, &mut alarm, true).await;
                }
                return;
            }
            Next::Drained => false,
            Next::Refuse(refusal) => {
                Box::pin(side.refuse_bytes(&mut wire, &refusal)).await;
                false
            }
            Next::End => false,
        };
        if !keep || is_last {
            break;
        }
        is_first = false;
    }
    close(&mut wire, &mut alarm, place.stage() == Stage::Open).await;
}

/// Only the own agents may take us for their HTTP proxy.
fn asks_for_tunnel(side: &Side, head: &RequestHead) -> bool {
    side.direction == Direction::Outbound && head.connects_to().is_some()
}

/// The connection is given up either way: there is nobody to tell that closing it failed. `listens`: what still comes is thrown away.
async fn close(wire: &mut Wire, alarm: &mut Alarm, listens: bool) {
    alarm.set(CLOSE_TIME);
    poll_fn(|cx| if wire.poll_close(cx).is_ready() { Poll::Ready(()) } else { alarm.poll(cx) }).await;
    if listens {
        let mut bytes_max = CLOSE_BYTES_MAX;
        alarm.set(CLOSE_TIME);
        poll_fn(|cx| if wire.poll_drain(cx, &mut bytes_max).is_ready() { Poll::Ready(()) } else { alarm.poll(cx) })
            .await;
    }
}

/// Waits for the head of the next request.
async fn next(side: &Side, wire: &mut Wire, alarm: &mut Alarm, place: &Place, is_first: bool) -> Next {
    let mut waiting = Waiting { seen: 0, begun: false, is_first };
    alarm.set(IDLE);
    let next = poll_fn(|cx| waiting.poll(cx, side, wire, alarm, place)).await;
    alarm.stop();
    next
}

struct Waiting {
    /// Bytes of the inbox that are no whole head.
    seen: usize,
    begun: bool,
    /// Nothing was asked on this connection before.
    is_first: bool,
}

impl Waiting {
    /// Whether a connection begins as one of HTTP/2 does, as far as it came. One byte tells for every method in use.
    fn may_be_http2(&self, inbox: &[u8]) -> bool {
        let begins = || inbox.iter().zip(PREFACE).all(|(came, expected)| came == expected);
        self.is_first && inbox.starts_with(b"PR") && begins()
    }

    fn poll(
        &mut self,
        cx: &mut Context<'_>,
        side: &Side,
        wire: &mut Wire,
        alarm: &mut Alarm,
        place: &Place,
    ) -> Poll<Next> {
        loop {
            if wire.inbox.len() > self.seen && !self.may_be_http2(&wire.inbox) {
                match RequestHead::take(&mut wire.inbox, self.seen) {
                    Ok(Some(head)) => return Poll::Ready(Next::Request(head)),
                    Ok(None) if wire.inbox.len() > side.rules().header_bytes_max => {
                        return Poll::Ready(Next::Refuse(Refusal::HeadTooLarge));
                    }
                    Ok(None) => self.seen = wire.inbox.len(),
                    Err(refusal) => return Poll::Ready(Next::Refuse(refusal)),
                }
            }
            if self.is_first && wire.inbox.starts_with(PREFACE) {
                return Poll::Ready(Next::Http2);
            }
            if !self.begun && !wire.inbox.is_empty() {
                self.begun = true;
                alarm.set(side.parts.limits.head_time);
            }
            // Who has begun to speak when the end comes is still heard.
            if !self.begun && place.stage() >= Stage::Draining {
                return Poll::Ready(Next::Drained);
            }
            match wire.poll_read(cx) {
                Poll::Ready(Ok(0) | Err(_)) => return Poll::Ready(Next::End),
                Poll::Ready(Ok(_)) => {}
                Poll::Pending if alarm.poll(cx).is_ready() => {
                    return Poll::Ready(if self.begun { Next::Refuse(Refusal::TooSlow) } else { Next::End });
                }
                Poll::Pending => return Poll::Pending,
            }
        }
    }
}
