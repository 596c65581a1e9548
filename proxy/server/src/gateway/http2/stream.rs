//! One stream, as a wire that the gateway serves.
//!
//! In: a request and where its answer goes. Out: one call, like any caller's.
//! Invariant: when the caller takes its request back, the gateway's wire closes, as if the caller had left.

use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::future::{Either, join, select};
use h2::server::SendResponse;
use h2::{Reason, RecvStream};
use http::{Method, Request};
use outrigger_proxy_core::http1::head::RequestHead;
use outrigger_proxy_core::http2::request::{self, BadRequest};
use tokio::io::DuplexStream;
use tracing::debug;

use super::download::{PIPE_BYTES, download};
use super::guard::Signs;
use super::upload::{Broken, upload};
use crate::gateway::alarm::Alarm;
use crate::gateway::closing::Place;
use crate::gateway::serve::Side;
use crate::gateway::wire::Wire;
use crate::identity::link::Link;

/// How long a caller may still send behind a complete answer.
const LINGER_TIME: Duration = Duration::from_secs(1);

/// Serves one request.
pub async fn serve(
    side: &Side,
    place: Place,
    signs: Arc<Signs>,
    request: Request<RecvStream>,
    mut respond: SendResponse<Bytes>,
) {
    let (parts, body) = request.into_parts();
    let (bytes, body_as) = match request::head(&parts, body.is_end_stream()) {
        Ok(told) => told,
        Err(error) => {
            debug!(%error, "a stream was reset");
            respond.send_reset(match error {
                BadRequest::Connect => Reason::HTTP_1_1_REQUIRED,
                _ => Reason::PROTOCOL_ERROR,
            });
            return;
        }
    };
    let to_head_request = parts.method == Method::HEAD;
    drop(parts);
    let (ours, theirs) = tokio::io::duplex(PIPE_BYTES);
    let (reader, writer) = tokio::io::split(ours);
    let down = download(reader, respond, to_head_request, &signs);
    join(call(side, place, bytes, theirs), pump(upload(body, body_as, writer), down)).await;
}

/// The gateway's end. The call is told even if its caller left.
async fn call(side: &Side, place: Place, head: Vec<u8>, pipe: DuplexStream) {
    let mut wire = Wire::new(Link::Inside(pipe));
    match RequestHead::parse(head) {
        Ok(head) => {
            side.serve(&mut wire, &mut Alarm::default(), &place, head, false).await;
        }
        Err(refusal) => side.refuse_bytes(&mut wire, &refusal).await,
    }
}

/// The caller's end, until the answer is sent or not wanted any more. Who is still sending its request when the answer is complete is
/// listened to for a while: a reset on top of it makes some clients forget the answer, although they must not (RFC 9113 section 8.1).
async fn pump(up: impl Future<Output = Result<(), Broken>>, down: impl Future<Output = ()>) {
    match select(pin!(up), pin!(down)).await {
        Either::Left((Ok(()), down)) => down.await,
        Either::Left((Err(Broken), _)) => {}
        Either::Right(((), up)) => {
            // It was answered; how its body ends does not matter any more.
            let _ = tokio::time::timeout(LINGER_TIME, up).await;
        }
    }
}
