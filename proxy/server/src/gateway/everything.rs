//! Requests for everything at once: read whole, answered by the catalog.
//!
//! In: a request for `/mcp` on the outbound listener. Out: the catalog's answer on the caller's connection.
//! Never here: what the answer is. Invariant: a caller that leaves ends the work for its answer at once.

use std::future::poll_fn;
use std::io::Write as _;
use std::pin::pin;
use std::task::{Context, Poll};
use std::time::Instant;

use http::StatusCode;
use outrigger_proxy_core::http1::head::RequestHead;
use outrigger_proxy_core::mcp::envelope::Envelope;
use outrigger_proxy_core::mcp::facts::{CallFacts, Verb};
use outrigger_proxy_core::mcp::headers::{self, McpHeaders};
use outrigger_proxy_core::mcp::method::Method;
use outrigger_proxy_core::outside::Errand;
use outrigger_proxy_core::refusal::{Malformed, Refusal};
use outrigger_proxy_core::target::Target;

use super::call::{Call, Ending};
use super::downstream::Downstream;
use super::outbound;
use super::parts::GatewayParts;
use super::upload::UploadError;
use crate::catalog::{Answer, Body, Request, Stream};
use crate::telemetry::{CallEnd, Direction};

const PARAM: &str = "mcp-param-";
/// So much may wait to be written before the next event is taken.
const OUTBOX_BYTES_MAX: usize = 64 * 1024;

/// Whether a request is for everything at once.
pub fn is_meant(parts: &GatewayParts, direction: Direction, down: &Downstream<'_>, call: &Call) -> bool {
    direction == Direction::Outbound
        && Target::from_path(down.head.path()) == Some(Target::Everything)
        && may_be_ours(parts, down, call)
}

/// The same path of a whole URL may be an agent's own.
pub fn may_be_ours(parts: &GatewayParts, down: &Downstream<'_>, call: &Call) -> bool {
    matches!(outbound::errand(parts, &down.head, &call.world), Ok(None | Some(Errand::Here)))
}

/// Serves it to its end.
pub async fn serve(parts: &GatewayParts, down: &mut Downstream<'_>, call: &mut Call) -> Result<CallEnd, Ending> {
    let mut request = read_head(parts, &down.head).map_err(Ending::Refuse)?;
    let caller = parts.caller.clone();
    if let Ok(facts) = CallFacts::read(request.verb, &down.head.fields, Target::Everything, caller) {
        (call.era, call.method) = (facts.era, facts.method);
    }
    request.body = read_body(parts, down, parts.limits.body_bytes_max).await?;
    if request.verb == Verb::Post {
        let envelope = Envelope::read(&request.body).map_err(|fault| Ending::Refuse(Refusal::NotAMessage(fault)))?;
        call.method = call.method.or_else(|| envelope.method().map(|text| Method::from_text(&text)));
    }
    let mut serving = pin!(parts.catalog.serve(request));
    let answer = poll_fn(|cx| {
        if let Poll::Ready(answer) = serving.as_mut().poll(cx) {
            return Poll::Ready(Some(answer));
        }
        if down.poll_left(cx).is_ready() { Poll::Ready(None) } else { Poll::Pending }
    });
    let answer = answer.await.ok_or(Ending::Abandoned)?.map_err(Ending::Refuse)?;
    call.first_byte = Some(Instant::now() - call.began);
    write(down, answer).await
}

fn read_head(parts: &GatewayParts, head: &RequestHead) -> Result<Request, Refusal> {
    let mcp = McpHeaders::read(&head.fields)?;
    let mut params = Vec::new();
    for (_, name, value) in head.fields.iter() {
        let name = std::str::from_utf8(name).unwrap_or_default().to_ascii_lowercase();
        if name.starts_with(PARAM) {
            let value = std::str::from_utf8(value).map_err(|_| Refusal::Malformed(Malformed::Bytes("mcp-param")))?;
            params.push((name, value.to_owned()));
        }
    }
    let sent = head.fields.iter().find(|(_, name, _)| name.eq_ignore_ascii_case(headers::PROTOCOL_VERSION.as_bytes()));
    Ok(Request {
        verb: Verb::of(head.method()),
        caller: parts.caller.clone(),
        revision: sent.map(|(_, _, value)| String::from_utf8_lossy(value).into_owned()),
        method: mcp.method.map(str::to_owned),
        name: mcp.name.map(std::borrow::Cow::into_owned),
        session: mcp.session.map(<[u8]>::to_vec),
        params,
        body: Vec::new(),
    })
}

/// The whole body, of at most so many bytes.
pub async fn read_body(parts: &GatewayParts, down: &mut Downstream<'_>, bytes_max: usize) -> Result<Vec<u8>, Ending> {
    let bytes_max = bytes_max as u64;
    if down.upload.length().is_some_and(|length| length > bytes_max) {
        return Err(Ending::Refuse(Refusal::BodyTooLarge { bytes_max }));
    }
    down.say_continue();
    let mut body = Vec::new();
    down.alarm.set(parts.limits.head_time);
    let Downstream { wire, alarm, upload, .. } = down;
    let mut seen = 0;
    let read = poll_fn(|cx| {
        // A caller that cannot be written to shows when it is read from.
        let _ = wire.poll_flush(cx);
        if let Poll::Ready(read) = upload.poll_whole(cx, wire, &mut body) {
            return Poll::Ready(read);
        }
        if body.len() > seen {
            seen = body.len();
            alarm.set(parts.limits.head_time);
        }
        alarm.poll(cx).map(|()| Err(UploadError::CallerLeft))
    })
    .await;
    down.alarm.stop();
    match read {
        Ok(()) => Ok(body),
        Err(UploadError::Refused(refusal)) => Err(Ending::Refuse(refusal)),
        Err(UploadError::CallerLeft | UploadError::Agent(_)) => Err(Ending::Abandoned),
    }
}

/// Writes an answer to its end.
pub async fn write(down: &mut Downstream<'_>, answer: Answer) -> Result<CallEnd, Ending> {
    let Answer { status, headers, body } = answer;
    let chunked = !down.head.is_http10;
    if matches!(body, Body::Events(_)) {
        down.keep &= chunked;
    }
    head(down, status, &headers, &body, chunked);
    down.answered = Some(status);
    match body {
        Body::Empty => {}
        Body::Json(text) if down.head.method() != b"HEAD" => down.wire.out().extend_from_slice(text.as_bytes()),
        Body::Json(_) => {}
        Body::Events(mut stream) => {
            let mut ended = false;
            let left = poll_fn(|cx| poll_events(cx, down, &mut stream, &mut ended, chunked)).await;
            down.keep &= !stream.is_drained();
            return left.map(|()| if stream.is_drained() { CallEnd::Drained } else { CallEnd::Answered });
        }
    }
    let flushed = poll_fn(|cx| down.wire.poll_flush(cx)).await;
    flushed.map(|()| CallEnd::Answered).map_err(|_| Ending::Abandoned)
}

fn head(down: &mut Downstream<'_>, status: StatusCode, headers: &[(&'static str, String)], body: &Body, chunked: bool) {
    let keep = down.keep;
    let out = down.wire.out();
    // Writing to memory does not fail.
    let _ = write!(out, "HTTP/1.1 {} {}\r\n", status.as_str(), status.canonical_reason().unwrap_or_default());
    for (name, value) in headers {
        let _ = write!(out, "{name}: {value}\r\n");
    }
    let _ = match body {
        // RFC 9110 section 8.6: that status has no length.
        Body::Empty if status == StatusCode::NO_CONTENT => Ok(()),
        Body::Empty => write!(out, "Content-Length: 0\r\n"),
        Body::Json(text) => write!(
            out,
            "Content-Type: application/json\r\nContent-Length: {}\r\nCache-Control: no-store\r\n",
            text.len()
        ),
        Body::Events(_) => write!(
            out,
            "Content-Type: text/event-stream\r\nCache-Control: no-store\r\nX-Accel-Buffering: no\r\n{}",
            if chunked { "Transfer-Encoding: chunked\r\n" } else { "" }
        ),
    };
    let _ = write!(out, "{}\r\n", if keep { "" } else { "Connection: close\r\n" });
}

/// Writes events as they come; ready when the last one is with the caller, or the caller left.
fn poll_events(
    cx: &mut Context<'_>,
    down: &mut Downstream<'_>,
    stream: &mut Stream,
    ended: &mut bool,
    chunked: bool,
) -> Poll<Result<(), Ending>> {
    if down.is_draining() {
        stream.drain();
    }
    loop {
        while !*ended && down.wire.out().len() < OUTBOX_BYTES_MAX {
            match stream.poll_next(cx) {
                Poll::Ready(Some(event)) => chunk(down.wire.out(), &event, chunked),
                Poll::Ready(None) => {
                    *ended = true;
                    if chunked {
                        down.wire.out().extend_from_slice(b"0\r\n\r\n");
                    }
                }
                Poll::Pending => break,
            }
        }
        let waiting = !down.wire.out().is_empty();
        match down.wire.poll_flush(cx) {
            Poll::Ready(Ok(())) if *ended => return Poll::Ready(Ok(())),
            // There may be more by now.
            Poll::Ready(Ok(())) if waiting => {}
            Poll::Ready(Err(_)) => return Poll::Ready(Err(Ending::Abandoned)),
            Poll::Ready(Ok(())) | Poll::Pending => break,
        }
    }
    if down.poll_left(cx).is_ready() { Poll::Ready(Err(Ending::Abandoned)) } else { Poll::Pending }
}

fn chunk(out: &mut Vec<u8>, event: &[u8], chunked: bool) {
    if chunked {
        // Writing to memory does not fail.
        let _ = write!(out, "{:x}\r\n", event.len());
    }
    out.extend_from_slice(event);
    if chunked {
        out.extend_from_slice(b"\r\n");
    }
}
