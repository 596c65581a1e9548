//! A caller's connection that speaks HTTP/2: each of its streams becomes a wire.
//!
//! In: a connection that began with the preface. Out: streams, each served as if it were a connection with one request.
//! Why not a gateway of its own: checks, sessions, plans, refusals, limits and counts are those of HTTP/1.1, because they are the same code.
//! Never here: what a request means. Invariant: streams, headers and frames of control are bounded; a connection that sends nothing ends.

mod guard;
mod upload;
mod download;
mod stream;

use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use futures_util::StreamExt as _;
use futures_util::stream::FuturesUnordered;
use h2::Reason;
use h2::server::{Builder, Connection};

use super::alarm::Alarm;
use super::closing::{Place, Stage};
use super::serve::Side;
use super::wire::Wire;
use guard::{Guarded, Signs};

const STREAMS_MAX: u32 = 100;
const STREAM_WINDOW: u32 = 64 * 1024;
const CONNECTION_WINDOW: u32 = 256 * 1024;
/// What one stream holds of an answer that its caller does not take.
const SEND_BYTES_MAX: usize = 64 * 1024;
/// HTTP/2 counts so much for each field besides its name and value (RFC 9113 section 6.5.2).
const FIELD_BYTES: usize = 32;

// As for HTTP/1.1: without a request for this long, a connection is closed.
const IDLE: Duration = Duration::from_secs(75);
/// For a caller to take the last words.
const CLOSE_TIME: Duration = Duration::from_secs(1);

/// Streams that were reset and are still known, so that what comes late for them is no error.
const RESET_STREAMS_MAX: usize = 100;
/// The budgets end a connection long before.
const LOCAL_ERRORS_MAX: usize = 256;
/// What a flood is called that the library itself ended: it does not say of what.
const BY_LIBRARY: &str = "library";

type Served<'a> = Pin<Box<dyn Future<Output = ()> + Send + 'a>>;

/// Serves a connection to its end.
pub async fn serve(side: &Side, wire: Wire, place: &Place) {
    let (link, ahead) = wire.into_link();
    let signs = Arc::<Signs>::default();
    let handshake = builder(side).handshake::<_, Bytes>(Guarded::new(link, ahead, Arc::clone(&signs)));
    let Ok(Ok(connection)) = tokio::time::timeout(side.parts.limits.head_time, handshake).await else { return };
    let mut conversation = Conversation {
        side,
        place,
        signs,
        connection,
        streams: FuturesUnordered::new(),
        idle: Alarm::default(),
        is_idle: false,
        is_leaving: false,
    };
    poll_fn(|cx| conversation.poll(cx)).await;
    let Conversation { connection, mut streams, .. } = conversation;
    // Without their connection the streams end, and each call is told.
    drop(connection);
    let ending = async { while streams.next().await.is_some() {} };
    // A call that cannot end is dropped.
    let _ = tokio::time::timeout(CLOSE_TIME, ending).await;
}

fn builder(side: &Side) -> Builder {
    let rules = side.rules();
    let fields = rules.header_bytes_max.saturating_add(rules.headers_max.saturating_mul(FIELD_BYTES));
    let mut builder = Builder::new();
    builder
        .max_concurrent_streams(STREAMS_MAX)
        .initial_window_size(STREAM_WINDOW)
        .initial_connection_window_size(CONNECTION_WINDOW)
        .max_concurrent_reset_streams(RESET_STREAMS_MAX)
        .max_pending_accept_reset_streams(RESET_STREAMS_MAX)
        .max_local_error_reset_streams(Some(LOCAL_ERRORS_MAX))
        .max_send_buffer_size(SEND_BYTES_MAX)
        .max_header_list_size(u32::try_from(fields).unwrap_or(u32::MAX));
    builder
}

struct Conversation<'a> {
    side: &'a Side,
    place: &'a Place,
    signs: Arc<Signs>,
    connection: Connection<Guarded, Bytes>,
    streams: FuturesUnordered<Served<'a>>,
    idle: Alarm,
    /// The alarm is set because there are no streams.
    is_idle: bool,
    /// The caller was told that it ends.
    is_leaving: bool,
}

impl Conversation<'_> {
    /// Ready when the connection is over.
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        if !self.is_leaving && self.place.poll_stage(cx) != Stage::Open {
            self.leave();
        }
        loop {
            match self.connection.poll_accept(cx) {
                Poll::Ready(Some(Ok((request, mut respond)))) => match self.place.beside() {
                    Some(place) => {
                        let signs = Arc::clone(&self.signs);
                        self.streams.push(Box::pin(stream::serve(self.side, place, signs, request, respond)));
                    }
                    None => respond.send_reset(Reason::REFUSED_STREAM),
                },
                Poll::Ready(Some(Err(error))) => {
                    let calmed = error.is_library() && error.reason() == Some(Reason::ENHANCE_YOUR_CALM);
                    if !self.tell_flood() && calmed {
                        self.side.parts.events.caller_flooded(self.side.direction, BY_LIBRARY);
                    }
                    return Poll::Ready(());
                }
                Poll::Ready(None) => {
                    self.tell_flood();
                    return Poll::Ready(());
                }
                Poll::Pending if self.tell_flood() => self.connection.abrupt_shutdown(Reason::ENHANCE_YOUR_CALM),
                Poll::Pending => break,
            }
        }
        while let Poll::Ready(Some(())) = self.streams.poll_next_unpin(cx) {}
        self.poll_idle(cx)
    }

    /// Whether it floods, and this was not told before.
    fn tell_flood(&self) -> bool {
        let told = self.signs.take_flood();
        if let Some(kind) = told {
            self.side.parts.events.caller_flooded(self.side.direction, kind.label());
        }
        told.is_some()
    }

    fn leave(&mut self) {
        self.connection.graceful_shutdown();
        (self.is_leaving, self.is_idle) = (true, false);
    }

    /// Ready when nothing was asked for too long.
    fn poll_idle(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        if !self.streams.is_empty() {
            self.is_idle = false;
            return Poll::Pending;
        }
        if !self.is_idle {
            self.is_idle = true;
            self.idle.set(if self.is_leaving { CLOSE_TIME } else { IDLE });
        }
        if self.idle.poll(cx).is_pending() {
            return Poll::Pending;
        }
        if self.is_leaving {
            return Poll::Ready(());
        }
        self.leave();
        cx.waker().wake_by_ref();
        Poll::Pending
    }
}
