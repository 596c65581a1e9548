//! The answer on its way to the caller.
//!
//! In: its head, the wires of both ends, its time limits. Out: whether all of it was delivered.
//! A stream of events may be sent comments while it is quiet, and may end between two events when the listener drains or its session is revoked.
//! Invariant: bytes go on as they came and as soon as they came; while the caller does not take them, no more are read. What is cut off
//! is never made to look whole.

use std::future::poll_fn;
use std::task::{Context, Poll};
use std::time::Instant;

use outrigger_proxy_core::deadline::{Deadlines, Due};
use outrigger_proxy_core::events::Events;
use outrigger_proxy_core::forward::{self, Delivery};
use outrigger_proxy_core::http1::body::{Body, Framing};
use outrigger_proxy_core::mcp::table::AtDrain;
use outrigger_proxy_core::outcome::Outcome;

use super::announcing::{Announcing, Look};
use super::asking::Asking;
use super::downstream::Downstream;
use super::exchange::{Answer, arm};
use super::telling::Telling;
use super::tenure::Revocable;
use super::wire::Wire;

/// How an answer that did not break off was delivered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Delivered {
    Whole,
    /// Up to an event, because the listener drains; the agent has more to say.
    Drained,
    /// Up to an event, or cut off, because its session was revoked.
    Revoked,
}

/// What ends a stream of events before its agent does.
pub struct Cut {
    pub at_drain: AtDrain,
    pub revocable: Option<Revocable>,
}

/// What of an answer is looked at as it goes by.
pub struct Watched<'c> {
    pub announcing: Option<Announcing>,
    pub asking: Option<Asking>,
    /// Of one that may mint what later calls name.
    pub telling: Option<Telling<'c>>,
}

/// Passes an answer to its end.
pub async fn deliver(
    down: &mut Downstream<'_>,
    agent: &mut Wire,
    answer: Answer,
    deadlines: Deadlines,
    cut: Cut,
    Watched { announcing, asking, telling }: Watched<'_>,
) -> Result<Delivered, Outcome> {
    let without_chunks = down.head.is_http10 && answer.framing == Framing::Chunked;
    // Without chunks and without a length, the end of the connection is the end of the answer.
    down.keep &= answer.framing != Framing::UntilClose && !without_chunks;
    let delivery =
        Delivery { close: !down.keep, without_chunks, session: down.ids.callers.as_deref(), moved: down.moved };
    down.answered = Some(answer.head.status);
    // Room for what came with the head, which goes with the head.
    down.wire.out().reserve(answer.head.size() + agent.inbox.len() + 64);
    forward::answer(&answer.head, delivery, down.wire.out());
    down.upload.release(down.wire);
    let content = Content {
        body: Body::new(answer.framing),
        events: Events::of(&answer.head, answer.framing, without_chunks),
        ends_at_event: false,
        asking,
    };
    let mut delivering = Delivering {
        content,
        without_chunks,
        announcing,
        cut,
        telling,
        deadlines,
        end: None,
        quiet: None,
        upload_ended: false,
        acknowledged: false,
    };
    drop(answer);
    let delivered = poll_fn(|cx| delivering.poll(cx, down, agent)).await;
    down.alarm.stop();
    delivered
}

/// What was passed on of the body.
struct Content {
    body: Body,
    events: Option<Events>,
    /// No more than the event under way is wanted.
    ends_at_event: bool,
    asking: Option<Asking>,
}

/// Nothing comes, and has not for a while.
struct Quiet {
    /// When the last of the answer came.
    came: Instant,
    /// What the alarm is set for.
    due: Option<Due>,
}

struct Delivering<'c> {
    content: Content,
    without_chunks: bool,
    /// Of a stream that may begin with an announcement; what it announced is known for as long as this is here.
    announcing: Option<Announcing>,
    cut: Cut,
    telling: Option<Telling<'c>>,
    deadlines: Deadlines,
    /// All that is wanted was taken; it only has to be written.
    end: Option<Delivered>,
    /// Begins when the answer has to be waited for, so that one which is there already costs no look at the clock.
    quiet: Option<Quiet>,
    /// The request is sent, or cannot be sent to its end.
    upload_ended: bool,
    /// The agent knows that its last bytes came.
    acknowledged: bool,
}

impl Content {
    /// Takes what of `bytes` is to be passed on.
    fn take(&mut self, bytes: &[u8], mut payload: impl FnMut(&[u8])) -> Result<usize, Outcome> {
        let Self { body, asking, .. } = self;
        let mut payload = |part: &[u8]| {
            if let Some(asking) = asking {
                asking.feed(part);
            }
            payload(part);
        };
        let taken = match &mut self.events {
            None => body.take_with(bytes, payload),
            Some(events) if self.ends_at_event => events.pass_to_boundary(body, bytes, payload),
            Some(events) => body.take_with(bytes, |part| {
                events.pass(part);
                payload(part);
            }),
        };
        taken.map_err(|_| Outcome::BrokeOff)
    }

    /// Where something may be put in, or the stream be ended: what to put.
    fn between(&self) -> Option<&Events> {
        self.events.as_ref().filter(|events| events.is_between(&self.body))
    }
}

impl Delivering<'_> {
    fn poll(
        &mut self,
        cx: &mut Context<'_>,
        down: &mut Downstream<'_>,
        agent: &mut Wire,
    ) -> Poll<Result<Delivered, Outcome>> {
        if self.cut.at_drain == AtDrain::EndsBetweenEvents {
            self.content.ends_at_event = down.is_draining();
        }
        loop {
            let waits = self.wait_for_announcement(down.wire.out(), agent)?;
            let holds = self.end.is_none() && self.poll_telling(cx, agent).is_pending();
            if self.end.is_none() {
                if !waits && !holds {
                    self.take_inbox(down.wire.out(), agent)?;
                }
                self.end = self.find_end(down.wire.out());
            }
            match down.wire.poll_flush(cx) {
                Poll::Ready(Ok(())) => {}
                Poll::Ready(Err(_)) => return Poll::Ready(Err(Outcome::CallerLeft)),
                Poll::Pending => return self.while_waiting(cx, down, agent),
            }
            if let Some(end) = self.end {
                return Poll::Ready(Ok(end));
            }
            if holds {
                return self.while_waiting(cx, down, agent);
            }
            let more = match waits || self.telling.is_some() {
                true => agent.poll_read(cx).map_err(|_| Outcome::BrokeOff)?,
                false => self.poll_more(cx, down.wire, agent)?,
            };
            match more {
                // What began no announcement goes on as it is.
                Poll::Ready(0) if waits && !agent.inbox.is_empty() => self.announcing = None,
                Poll::Ready(0) if self.content.body.ends_with_connection() => {
                    return Poll::Ready(Ok(Delivered::Whole));
                }
                Poll::Ready(0) => return Poll::Ready(Err(Outcome::BrokeOff)),
                Poll::Ready(_) => {
                    self.acknowledged = false;
                    self.quiet = None;
                }
                Poll::Pending => {
                    if !std::mem::replace(&mut self.acknowledged, true) {
                        agent.acknowledge();
                    }
                    return self.while_waiting(cx, down, agent);
                }
            }
        }
    }

    /// Whether the first event of the stream has to be seen whole before any of it goes on.
    fn wait_for_announcement(&mut self, out: &mut Vec<u8>, agent: &mut Wire) -> Result<bool, Outcome> {
        let Some(announcing) = &mut self.announcing else { return Ok(false) };
        match announcing.look(&agent.inbox) {
            Look::Wait => return Ok(true),
            Look::Pass => {}
            Look::Replace { front, event } => {
                let taken = self.content.take(agent.inbox.get(..front).unwrap_or_default(), |_| ())?;
                if announcing.is_chunked() && !self.without_chunks {
                    // What is left of the chunk in which the event ended follows as it comes.
                    let length = (event.len() as u64).saturating_add(self.content.body.left_in_chunk());
                    out.extend_from_slice(format!("{length:x}\r\n").as_bytes());
                }
                out.extend_from_slice(&event);
                agent.inbox.drain(..taken);
            }
        }
        Ok(false)
    }

    /// Ready unless a store has to be told of what came before it may go on.
    fn poll_telling(&mut self, cx: &mut Context<'_>, agent: &Wire) -> Poll<()> {
        let Some(telling) = &mut self.telling else { return Poll::Ready(()) };
        let told = telling.poll(cx, &agent.inbox);
        if telling.is_over() {
            self.telling = None;
        }
        told
    }

    /// What came with the head goes with the head.
    fn take_inbox(&mut self, out: &mut Vec<u8>, agent: &mut Wire) -> Result<(), Outcome> {
        if agent.inbox.is_empty() {
            return Ok(());
        }
        let taken = if self.without_chunks {
            self.content.take(&agent.inbox, |part| out.extend_from_slice(part))?
        } else {
            let taken = self.content.take(&agent.inbox, |_| ())?;
            out.extend_from_slice(agent.inbox.get(..taken).unwrap_or_default());
            taken
        };
        // Bytes behind the end of an answer stay, and the connection is not used again.
        match taken == agent.inbox.len() {
            true => agent.inbox = Vec::new(),
            false => drop(agent.inbox.drain(..taken)),
        }
        Ok(())
    }

    /// Whether what was taken is all that will be; then it is ended as its framing demands.
    fn find_end(&self, out: &mut Vec<u8>) -> Option<Delivered> {
        if self.content.body.is_done() {
            return Some(Delivered::Whole);
        }
        let last = self.content.between().filter(|_| self.content.ends_at_event)?;
        out.extend_from_slice(last.end());
        Some(Delivered::Drained)
    }

    /// Reads once, and writes what came.
    fn poll_more(&mut self, cx: &mut Context<'_>, caller: &mut Wire, agent: &mut Wire) -> Result<Poll<usize>, Outcome> {
        let mut wrong = None;
        let (content, without_chunks) = (&mut self.content, self.without_chunks);
        let read = agent.poll_read_to(cx, |cx, bytes| {
            let taken = if without_chunks {
                content.take(bytes, |part| caller.out().extend_from_slice(part))
            } else {
                content.take(bytes, |_| ())
            };
            let taken = taken.unwrap_or_else(|outcome| {
                wrong = Some(outcome);
                0
            });
            if !without_chunks && caller.write(cx, bytes.get(..taken).unwrap_or_default()).is_err() {
                wrong = Some(Outcome::CallerLeft);
            }
            taken
        });
        match (wrong, read) {
            (Some(outcome), _) => Err(outcome),
            (None, Poll::Ready(Err(_))) => Err(Outcome::BrokeOff),
            (None, Poll::Ready(Ok(count))) => Ok(Poll::Ready(count)),
            (None, Poll::Pending) => Ok(Poll::Pending),
        }
    }

    /// Neither end has anything for the other: looks after the rest of the request, the caller's leaving, and the time.
    fn while_waiting(
        &mut self,
        cx: &mut Context<'_>,
        down: &mut Downstream<'_>,
        agent: &mut Wire,
    ) -> Poll<Result<Delivered, Outcome>> {
        if !self.upload_ended {
            let Downstream { wire, upload, .. } = down;
            match upload.poll(cx, wire, agent, || ()) {
                // An agent that answered need not read on; that the caller left shows below.
                Poll::Ready(_) => self.upload_ended = true,
                Poll::Pending => {}
            }
        }
        if self.upload_ended && down.poll_left(cx).is_ready() {
            return Poll::Ready(Err(Outcome::CallerLeft));
        }
        if self.poll_revoked(cx).is_ready() {
            return Poll::Ready(Ok(self.end_revoked(cx, down)));
        }
        match self.watch_time(cx, down) {
            Ok(()) => Poll::Pending,
            Err(outcome) => Poll::Ready(Err(outcome)),
        }
    }

    fn poll_revoked(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        match &mut self.cut.revocable {
            Some(revocable) if self.content.events.is_some() => revocable.poll_revoked(cx),
            _ => Poll::Pending,
        }
    }

    /// Between two events the stream ends as one does; within one, or where the caller does not read, its connection ends.
    fn end_revoked(&self, cx: &mut Context<'_>, down: &mut Downstream<'_>) -> Delivered {
        let out = down.wire.out();
        let last = self.content.between().filter(|_| out.is_empty());
        down.keep &= last.is_some();
        if let Some(events) = last {
            out.extend_from_slice(events.end());
            // What does not fit now goes before the connection is closed.
            down.keep &= matches!(down.wire.poll_flush(cx), Poll::Ready(Ok(())));
        }
        Delivered::Revoked
    }

    /// Waits for the next moment at which something is due, and does it.
    fn watch_time(&mut self, cx: &mut Context<'_>, down: &mut Downstream<'_>) -> Result<(), Outcome> {
        if self.quiet.is_none() {
            let now = Instant::now();
            self.wait(down, now, now)?;
        }
        while down.alarm.poll(cx).is_ready() {
            let Some(Quiet { came, due: Some(due) }) = self.quiet else { return Ok(()) };
            if let Due::Limit(limit) = due {
                return Err(Outcome::CutOff(limit));
            }
            // Who does not take what there is has no use for more.
            if let Some(events) = self.content.between().filter(|_| down.wire.out().is_empty()) {
                down.wire.out().extend_from_slice(events.comment());
                if matches!(down.wire.poll_flush(cx), Poll::Ready(Err(_))) {
                    return Err(Outcome::CallerLeft);
                }
            }
            self.wait(down, came, Instant::now())?;
        }
        Ok(())
    }

    /// Sets the alarm for what is due next. An answer that never has to be waited for long still ends when its time is over.
    fn wait(&mut self, down: &mut Downstream<'_>, came: Instant, now: Instant) -> Result<(), Outcome> {
        let next = match self.content.events {
            Some(_) => self.deadlines.of_events(came, now),
            None => self.deadlines.after_head(came),
        };
        if let Some((_, Due::Limit(limit))) = next.filter(|(at, _)| *at <= now) {
            return Err(Outcome::CutOff(limit));
        }
        self.quiet = Some(Quiet { came, due: arm(down.alarm, next) });
        Ok(())
    }
}
