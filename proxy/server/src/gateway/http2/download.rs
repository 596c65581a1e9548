//! The gateway's answer on its way to a stream.
//!
//! In: bytes of HTTP/1.1 from the pipe. Out: the head and `DATA`, as soon as they came.
//! Invariant: no more is read than the caller takes; an answer that breaks off ends in a reset, never in a clean end.

use std::future::poll_fn;
use std::io;
use std::mem::MaybeUninit;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::{Bytes, BytesMut};
use h2::server::SendResponse;
use h2::{Reason, SendStream};
use http::StatusCode;
use outrigger_proxy_core::http1::body::{Body, Framing};
use outrigger_proxy_core::http1::head::ResponseHead;
use outrigger_proxy_core::http2::answer;
use tokio::io::{AsyncRead, ReadBuf};

use super::guard::Signs;

/// What waits in each direction between a stream and its call.
pub const PIPE_BYTES: usize = 8 * 1024;

/// What ends an answer early.
enum Stop {
    /// The caller does not want it any more.
    CallerLeft,
    /// It broke off, or is none.
    Broken,
}

/// Passes one answer to its end.
pub async fn download(
    mut pipe: impl AsyncRead + Unpin,
    mut respond: SendResponse<Bytes>,
    to_head_request: bool,
    signs: &Signs,
) {
    let mut inbox = Vec::new();
    let begun = begin(&mut pipe, &mut inbox, &mut respond, to_head_request, signs).await;
    match begun {
        Ok(Some((mut stream, body))) => {
            if let Err(Stop::Broken) = pass(&mut pipe, inbox, &mut stream, body).await {
                stream.send_reset(Reason::INTERNAL_ERROR);
            }
        }
        Ok(None) | Err(Stop::CallerLeft) => {}
        Err(Stop::Broken) => respond.send_reset(Reason::INTERNAL_ERROR),
    }
}

/// Sends the head; where to send the body, if there is one.
async fn begin(
    pipe: &mut (impl AsyncRead + Unpin),
    inbox: &mut Vec<u8>,
    respond: &mut SendResponse<Bytes>,
    to_head_request: bool,
    signs: &Signs,
) -> Result<Option<(SendStream<Bytes>, Body)>, Stop> {
    loop {
        let Some(head) = ResponseHead::take(inbox).map_err(|_| Stop::Broken)? else {
            let read = poll_fn(|cx| match respond.poll_reset(cx) {
                Poll::Ready(_) => Poll::Ready(Err(Stop::CallerLeft)),
                Poll::Pending => poll_read(pipe, cx, inbox).map_err(|_| Stop::Broken),
            });
            if read.await? == 0 {
                return Err(Stop::Broken);
            }
            continue;
        };
        let told = answer::head(&head).ok_or(Stop::Broken)?;
        if head.status == StatusCode::SWITCHING_PROTOCOLS {
            return Err(Stop::Broken);
        }
        if head.status.is_informational() {
            respond.send_informational(told).map_err(|_| Stop::CallerLeft)?;
            continue;
        }
        let body = Body::new(Framing::of_answer(&head, to_head_request).ok_or(Stop::Broken)?);
        if body.is_done() {
            signs.bodiless();
        }
        let stream = respond.send_response(told, body.is_done()).map_err(|_| Stop::CallerLeft)?;
        return Ok((!body.is_done()).then_some((stream, body)));
    }
}

async fn pass(
    pipe: &mut (impl AsyncRead + Unpin),
    mut inbox: Vec<u8>,
    stream: &mut SendStream<Bytes>,
    mut body: Body,
) -> Result<(), Stop> {
    loop {
        let mut payload = BytesMut::new();
        body.take_with(&inbox, |part| payload.extend_from_slice(part)).map_err(|_| Stop::Broken)?;
        inbox = Vec::new();
        send(stream, payload.freeze(), body.is_done()).await?;
        if body.is_done() {
            return Ok(());
        }
        let read = poll_fn(|cx| match stream.poll_reset(cx) {
            Poll::Ready(_) => Poll::Ready(Err(Stop::CallerLeft)),
            Poll::Pending => poll_read(pipe, cx, &mut inbox).map_err(|_| Stop::Broken),
        });
        match read.await? {
            0 if body.ends_with_connection() => return send(stream, Bytes::new(), true).await,
            0 => return Err(Stop::Broken),
            _ => {}
        }
    }
}

/// Sends `data` as the caller gives room for it.
async fn send(stream: &mut SendStream<Bytes>, mut data: Bytes, ends: bool) -> Result<(), Stop> {
    while !data.is_empty() {
        stream.reserve_capacity(data.len());
        while stream.capacity() == 0 {
            match poll_fn(|cx| stream.poll_capacity(cx)).await {
                Some(Ok(_)) => {}
                Some(Err(_)) | None => return Err(Stop::CallerLeft),
            }
        }
        let part = data.split_to(stream.capacity().min(data.len()));
        stream.send_data(part, ends && data.is_empty()).map_err(|_| Stop::CallerLeft)?;
        if ends && data.is_empty() {
            return Ok(());
        }
    }
    if ends {
        stream.send_data(Bytes::new(), true).map_err(|_| Stop::CallerLeft)?;
    }
    Ok(())
}

/// Reads once, through a buffer that lives no longer than this look.
fn poll_read(
    pipe: &mut (impl AsyncRead + Unpin),
    cx: &mut Context<'_>,
    inbox: &mut Vec<u8>,
) -> Poll<io::Result<usize>> {
    let mut room = [const { MaybeUninit::uninit() }; PIPE_BYTES];
    let mut buffer = ReadBuf::uninit(&mut room);
    ready!(Pin::new(pipe).poll_read(cx, &mut buffer))?;
    inbox.extend_from_slice(buffer.filled());
    Poll::Ready(Ok(buffer.filled().len()))
}
