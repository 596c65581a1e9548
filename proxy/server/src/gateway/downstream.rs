//! The caller's end of one call.

use std::future::poll_fn;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use http::StatusCode;
use outrigger_model::traffic::{HeaderEdits, Priority};
use outrigger_proxy_core::asked::Part;
use outrigger_proxy_core::forward::{Renewed, Spot};
use outrigger_proxy_core::http1::field::Name;
use outrigger_proxy_core::http1::head::RequestHead;
use outrigger_proxy_core::refusal::Refusal;

use super::alarm::Alarm;
use super::closing::{Place, Stage};
use super::upload::Upload;
use super::wire::Wire;

/// Requests that a caller sends before the answer to the one before it; more are not read.
const PIPELINED_BYTES_MAX: usize = 64 * 1024;

/// What is written in place of `Mcp-Session-Id`; none where it stays.
#[derive(Debug, Default)]
pub struct SessionIds {
    /// To the agent.
    pub agents: Option<Arc<[u8]>>,
    /// To the caller.
    pub callers: Option<Arc<[u8]>>,
}

/// The call of a tool under the name that it has at an endpoint.
#[derive(Debug)]
pub struct Retooled {
    pub tool: Arc<str>,
    pub body: Vec<u8>,
}

/// A request, the connection it came on, and what was answered.
pub struct Downstream<'w> {
    pub wire: &'w mut Wire,
    pub alarm: &'w mut Alarm,
    pub place: &'w Place,
    pub head: RequestHead,
    pub upload: Upload,
    /// What of the endpoint's server is asked for.
    pub part: Part,
    /// What the agent announced for it, if it is that.
    pub announced: Option<Arc<str>>,
    /// The ids of its session, where the two ends know it by different ones.
    pub ids: SessionIds,
    /// What the operator wants changed of its head.
    pub edits: Option<Arc<HeaderEdits>>,
    /// Of the call, for peers.
    pub priority: Priority,
    /// What is written in place of the time that the caller gave, in seconds.
    pub seconds_left: Option<u64>,
    /// What goes up in this attempt in place of its body.
    pub retooled: Option<Retooled>,
    /// Its session was opened again for it.
    pub moved: bool,
    /// The status of the final answer, once its head began to be written.
    pub answered: Option<StatusCode>,
    /// Whether the connection may carry another request.
    pub keep: bool,
    /// The caller waits for a `100 Continue` before it sends its body.
    awaits_continue: bool,
}

impl<'w> Downstream<'w> {
    pub fn new(wire: &'w mut Wire, alarm: &'w mut Alarm, place: &'w Place, head: RequestHead, upload: Upload) -> Self {
        let keep = !head.is_http10 && !head.fields.lists(Name::Connection, "close");
        let expects = head.fields.first(Name::Expect).is_some_and(|value| value.eq_ignore_ascii_case(b"100-continue"));
        let awaits_continue = expects && !head.is_http10 && !upload.is_done() && wire.inbox.is_empty();
        let part = Part::Endpoint;
        Self {
            wire,
            alarm,
            place,
            head,
            upload,
            part,
            announced: None,
            ids: SessionIds::default(),
            edits: None,
            priority: Priority::default(),
            seconds_left: None,
            retooled: None,
            moved: false,
            answered: None,
            keep,
            awaits_continue,
        }
    }

    /// Whether the listener has begun to stop.
    pub fn is_draining(&self) -> bool {
        self.place.stage() != Stage::Open
    }

    /// What the request is for at its endpoint.
    pub fn spot(&self) -> Spot<'_> {
        self.announced.as_deref().map_or(Spot::Part(self.part), Spot::Announced)
    }

    pub const fn awaits_continue(&self) -> bool {
        self.awaits_continue
    }

    /// Lets a caller go on that waits for a `100 Continue`; it is written with the next flush.
    pub fn say_continue(&mut self) {
        if self.awaits_continue {
            self.wire.out().extend_from_slice(b"HTTP/1.1 100 Continue\r\n\r\n");
            self.awaits_continue = false;
        }
    }

    /// Waits until as much of the body is here as is kept for a second attempt, or for `time`.
    pub async fn wait_for_body(&mut self, time: Duration) {
        self.say_continue();
        self.alarm.set(time);
        let Self { wire, alarm, upload, .. } = self;
        poll_fn(|cx| {
            // A caller that cannot be written to shows when it is read from.
            let _ = wire.poll_flush(cx);
            let seen = upload.poll_beginning(cx, wire);
            if seen.is_ready() { seen } else { alarm.poll_no_later(cx, upload.due()) }
        })
        .await;
        self.alarm.stop();
    }

    /// What is written in place of what the caller wrote.
    pub fn renewed(&self) -> Renewed<'_> {
        let tool = self.retooled.as_ref().map(|retooled| (&*retooled.tool, retooled.body.len()));
        Renewed { session: self.ids.agents.as_deref(), time_left: self.seconds_left, priority: self.priority, tool }
    }

    /// Waits before the next attempt. Whether the caller is still there.
    pub async fn pause(&mut self, time: Duration) -> bool {
        self.alarm.set(time);
        let waiting = poll_fn(|cx| match self.poll_left(cx) {
            Poll::Ready(()) => Poll::Ready(false),
            Poll::Pending => self.alarm.poll(cx).map(|()| true),
        });
        let stays = waiting.await;
        self.alarm.stop();
        stays
    }

    /// Whether the body may be as long as its head says.
    pub fn check_length(&self, bytes_max: u64) -> Result<(), Refusal> {
        match self.upload.length() {
            Some(length) if length > bytes_max => Err(Refusal::BodyTooLarge { bytes_max }),
            _ => Ok(()),
        }
    }

    /// Ready when the caller has left; only for a request that was read to its end.
    pub fn poll_left(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        while self.wire.inbox.len() < PIPELINED_BYTES_MAX + self.upload.kept() {
            match self.wire.poll_read(cx) {
                Poll::Ready(Ok(0) | Err(_)) => return Poll::Ready(()),
                Poll::Ready(Ok(_)) => {}
                Poll::Pending => return Poll::Pending,
            }
        }
        Poll::Pending
    }
}
