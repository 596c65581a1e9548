//! The answer on its way to the caller.
//!
//! In: its head, the wires of both ends. Out: whether all of it was delivered.
//! Invariant: bytes go on as they came and as soon as they came; while the caller does not take them, no more are read.

use std::future::poll_fn;
use std::task::{Context, Poll};
use std::time::Duration;

use outrigger_proxy_core::forward::{self, Delivery};
use outrigger_proxy_core::http1::body::{Body, Framing};
use outrigger_proxy_core::outcome::Outcome;

use super::announcing::Announcing;
use super::downstream::Downstream;
use super::exchange::Answer;
use super::wire::Wire;

/// Passes an answer to its end. `idle` limits the time between two pieces of it.
pub async fn deliver(
    down: &mut Downstream<'_>,
    agent: &mut Wire,
    answer: Answer,
    idle: Option<Duration>,
    announcing: Option<Announcing>,
) -> Result<(), Outcome> {
    let without_chunks = down.head.is_http10 && answer.framing == Framing::Chunked;
    // Without chunks and without a length, the end of the connection is the end of the answer.
    down.keep &= answer.framing != Framing::UntilClose && !without_chunks;
    let delivery = Delivery { close: !down.keep, without_chunks };
    down.answered = Some(answer.head.status);
    // Room for what came with the head, which goes with the head.
    down.wire.out().reserve(answer.head.size() + agent.inbox.len() + 64);
    forward::answer(&answer.head, delivery, down.wire.out());
    down.upload.release(down.wire);
    let body = Body::new(answer.framing);
    let mut delivering =
        Delivering { body, without_chunks, idle, announcing, upload_ended: false, acknowledged: false };
    drop(answer);
    delivering.wait(down);
    let delivered = poll_fn(|cx| delivering.poll(cx, down, agent)).await;
    down.alarm.stop();
    delivered
}

struct Delivering {
    body: Body,
    without_chunks: bool,
    idle: Option<Duration>,
    /// Of a stream that may begin with an announcement; what it announced is known for as long as this is here.
    announcing: Option<Announcing>,
    /// The request is sent, or cannot be sent to its end.
    upload_ended: bool,
    /// The agent knows that its last bytes came.
    acknowledged: bool,
}

impl Delivering {
    fn poll(&mut self, cx: &mut Context<'_>, down: &mut Downstream<'_>, agent: &mut Wire) -> Poll<Result<(), Outcome>> {
        loop {
            let waits = self.wait_for_announcement(down.wire.out(), agent);
            if !waits && !agent.inbox.is_empty() && self.take_inbox(down.wire.out(), agent).is_err() {
                return Poll::Ready(Err(Outcome::BrokeOff));
            }
            match down.wire.poll_flush(cx) {
                Poll::Ready(Ok(())) => {}
                Poll::Ready(Err(_)) => return Poll::Ready(Err(Outcome::CallerLeft)),
                Poll::Pending => return self.while_waiting(cx, down, agent),
            }
            if self.body.is_done() {
                return Poll::Ready(Ok(()));
            }
            let read = if waits {
                agent.poll_read(cx).map_err(|_| Outcome::BrokeOff)
            } else {
                self.poll_more(cx, down.wire, agent)
            };
            match read {
                // What began no announcement goes on as it is.
                Poll::Ready(Ok(0)) if waits && !agent.inbox.is_empty() => self.announcing = None,
                Poll::Ready(Ok(0)) if self.body.ends_with_connection() => return Poll::Ready(Ok(())),
                Poll::Ready(Ok(0)) => return Poll::Ready(Err(Outcome::BrokeOff)),
                Poll::Ready(Err(outcome)) => return Poll::Ready(Err(outcome)),
                Poll::Ready(Ok(_)) => {
                    self.acknowledged = false;
                    self.wait(down);
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

    /// Whether the stream's first event has to be seen whole before any of it goes on.
    fn wait_for_announcement(&mut self, out: &mut Vec<u8>, agent: &mut Wire) -> bool {
        let Some(announcing) = &mut self.announcing else { return false };
        announcing.look(&mut self.body, self.without_chunks, &mut agent.inbox, out)
    }

    /// What came with the head goes with the head.
    fn take_inbox(&mut self, out: &mut Vec<u8>, agent: &mut Wire) -> Result<(), Outcome> {
        let taken = if self.without_chunks {
            self.body.take_with(&agent.inbox, |part| out.extend_from_slice(part))
        } else {
            let taken = self.body.take(&agent.inbox);
            out.extend_from_slice(taken.ok().and_then(|taken| agent.inbox.get(..taken)).unwrap_or_default());
            taken
        };
        // Bytes behind the end of an answer stay, and the connection is not used again.
        let taken = taken.map_err(|_| Outcome::BrokeOff)?;
        match taken == agent.inbox.len() {
            true => agent.inbox = Vec::new(),
            false => drop(agent.inbox.drain(..taken)),
        }
        Ok(())
    }

    /// Reads once, and writes what came.
    fn poll_more(&mut self, cx: &mut Context<'_>, caller: &mut Wire, agent: &mut Wire) -> Poll<Result<usize, Outcome>> {
        let mut wrong = None;
        let (body, without_chunks) = (&mut self.body, self.without_chunks);
        let read = agent.poll_read_to(cx, |cx, bytes| {
            let taken = if without_chunks {
                body.take_with(bytes, |part| caller.out().extend_from_slice(part))
            } else {
                body.take(bytes)
            };
            let Ok(taken) = taken else {
                wrong = Some(Outcome::BrokeOff);
                return 0;
            };
            if !without_chunks && caller.write(cx, bytes.get(..taken).unwrap_or_default()).is_err() {
                wrong = Some(Outcome::CallerLeft);
            }
            taken
        });
        match wrong {
            Some(outcome) => Poll::Ready(Err(outcome)),
            None => read.map_err(|_| Outcome::BrokeOff),
        }
    }

    /// Neither end has anything for the other: looks after the rest of the request, the caller's leaving, and the time.
    fn while_waiting(
        &mut self,
        cx: &mut Context<'_>,
        down: &mut Downstream<'_>,
        agent: &mut Wire,
    ) -> Poll<Result<(), Outcome>> {
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
        if down.alarm.poll(cx).is_ready() {
            return Poll::Ready(Err(Outcome::BrokeOff));
        }
        Poll::Pending
    }

    fn wait(&self, down: &mut Downstream<'_>) {
        match self.idle {
            Some(idle) => down.alarm.set(idle),
            None => down.alarm.stop(),
        }
    }
}
