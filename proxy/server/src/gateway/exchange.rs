//! One request to one endpoint, until the head of its answer.
//!
//! In: the caller's end, a wire to the endpoint. Out: the head of the final answer and how its body ends, or what became of the attempt.
//! Invariant: the body goes up while the answer is awaited, so an agent may answer before it has all of it.

use std::future::poll_fn;
use std::task::{Context, Poll};
use std::time::Instant;

use http::StatusCode;
use outrigger_proxy_core::deadline::{Deadlines, Due, Next};
use outrigger_proxy_core::forward::{self, Delivery};
use outrigger_proxy_core::http1::body::Framing;
use outrigger_proxy_core::http1::field::Name;
use outrigger_proxy_core::http1::head::ResponseHead;
use outrigger_proxy_core::outcome::{Limit, Outcome, REFUSAL_HEADER};
use outrigger_proxy_core::refusal::Refusal;
use outrigger_proxy_core::world::endpoint::{Endpoint, Place};

use super::alarm::Alarm;
use super::downstream::Downstream;
use super::upload::UploadError;
use super::wire::Wire;

/// Largest head of an answer.
const ANSWER_HEAD_BYTES_MAX: usize = 64 * 1024;

/// An answer has begun.
pub struct Answer {
    pub head: ResponseHead,
    pub framing: Framing,
}

impl Answer {
    /// Why nothing was sent to the agent. Only a peer's proxy speaks for itself with this field; from an agent it means nothing.
    pub fn refusal(&self, endpoint: &Endpoint) -> Option<&[u8]> {
        let Place::Peer { .. } = endpoint.place else { return None };
        let fields = &self.head.fields;
        if !fields.has(Name::Ours) {
            return None;
        }
        let is_it = |name: &[u8]| name.eq_ignore_ascii_case(REFUSAL_HEADER.as_bytes());
        fields.iter().find(|(known, name, _)| *known == Name::Ours && is_it(name)).map(|(_, _, label)| label)
    }

    /// Whether it says when to ask again.
    pub fn asks_later(&self) -> bool {
        let may = matches!(self.head.status, StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE);
        may && self.head.fields.iter().any(|(_, name, _)| name.eq_ignore_ascii_case(b"retry-after"))
    }
}

/// What ended an attempt without an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Failure {
    /// For the core to judge.
    Outcome(Outcome),
    /// The caller's body cannot be sent; nobody else is to blame.
    Refused(Refusal),
}

/// Sends the request and waits for the head of the answer, for as long as `deadlines` allow.
pub async fn ask(
    down: &mut Downstream<'_>,
    agent: &mut Wire,
    endpoint: &Endpoint,
    deadlines: &Deadlines,
    now: Instant,
) -> Result<Answer, Failure> {
    let mut asking = Asking::begin(down, agent, endpoint, deadlines, now);
    let answer = poll_fn(|cx| asking.poll(cx, down, agent)).await;
    down.alarm.stop();
    answer
}

/// One request on its way, until the head of its answer.
pub(super) struct Asking<'d> {
    deadlines: &'d Deadlines,
    /// What the alarm is set for.
    due: Option<Due>,
    sent: bool,
    /// The agent takes no more of the body; an answer that says why may be on its way.
    refused_by_agent: bool,
    /// All of it was written down when it began.
    repeats: bool,
}

impl<'d> Asking<'d> {
    pub(super) fn begin(
        down: &mut Downstream<'_>,
        agent: &mut Wire,
        endpoint: &Endpoint,
        deadlines: &'d Deadlines,
        now: Instant,
    ) -> Self {
        write_head(down, agent, endpoint);
        let due = arm(down.alarm, deadlines.before_head(now));
        let instead = down.retooled.is_some();
        match &down.retooled {
            None => down.upload.restart(),
            Some(retooled) => {
                agent.out().extend_from_slice(&retooled.body);
                down.upload.pass(&down.wire.inbox);
            }
        }
        Self { deadlines, due, sent: instead, refused_by_agent: false, repeats: instead }
    }

    /// The same request to another endpoint while the first is under way. None if not all of it is at hand.
    pub(super) fn repeat(
        down: &mut Downstream<'_>,
        agent: &mut Wire,
        endpoint: &Endpoint,
        deadlines: &'d Deadlines,
        now: Instant,
    ) -> Option<Self> {
        down.upload.gone_up(&down.wire.inbox)?;
        write_head(down, agent, endpoint);
        agent.out().extend_from_slice(down.upload.gone_up(&down.wire.inbox)?);
        let due = arm(down.alarm, deadlines.before_head(now));
        Some(Self { deadlines, due, sent: true, refused_by_agent: false, repeats: true })
    }

    pub(super) fn poll(
        &mut self,
        cx: &mut Context<'_>,
        down: &mut Downstream<'_>,
        agent: &mut Wire,
    ) -> Poll<Result<Answer, Failure>> {
        let outcome = |outcome| Poll::Ready(Err(Failure::Outcome(outcome)));
        if let Poll::Ready(Err(_)) = down.wire.poll_flush(cx) {
            return outcome(Outcome::CallerLeft);
        }
        // What was written down at once is not sent piece by piece.
        if self.repeats && matches!(agent.poll_flush(cx), Poll::Ready(Err(_))) {
            self.repeats = false;
        }
        if let Err(failure) = self.send(cx, down, agent) {
            return Poll::Ready(Err(failure));
        }
        while let Poll::Ready(read) = agent.poll_read(cx) {
            if !matches!(read, Ok(1..)) {
                return outcome(Outcome::Lost);
            }
            match take_final(down, agent) {
                Ok(Some(answer)) => return Poll::Ready(Ok(answer)),
                Ok(None) => agent.acknowledge(),
                Err(failure) => return Poll::Ready(Err(failure)),
            }
        }
        if self.sent && down.poll_left(cx).is_ready() {
            return outcome(Outcome::CallerLeft);
        }
        if down.alarm.poll_no_later(cx, down.upload.due()).is_ready() {
            if down.upload.is_overdue() {
                return Poll::Ready(Err(Failure::Refused(Refusal::TooSlow)));
            }
            return outcome(match self.due {
                Some(Due::Limit(Limit::Total)) => Outcome::TookTooLong,
                _ => Outcome::TimedOut,
            });
        }
        Poll::Pending
    }

    fn send(&mut self, cx: &mut Context<'_>, down: &mut Downstream<'_>, agent: &mut Wire) -> Result<(), Failure> {
        if self.sent || self.refused_by_agent {
            return Ok(());
        }
        let Downstream { wire, alarm, upload, .. } = down;
        let (due, deadlines) = (&mut self.due, self.deadlines);
        match upload.poll(cx, wire, agent, || *due = arm(alarm, deadlines.before_head(Instant::now()))) {
            Poll::Ready(Ok(())) => self.sent = true,
            Poll::Ready(Err(UploadError::CallerLeft)) => return Err(Failure::Outcome(Outcome::CallerLeft)),
            Poll::Ready(Err(UploadError::Refused(refusal))) => return Err(Failure::Refused(refusal)),
            Poll::Ready(Err(UploadError::Agent(_))) => self.refused_by_agent = true,
            Poll::Pending => {}
        }
        Ok(())
    }
}

fn write_head(down: &Downstream<'_>, agent: &mut Wire, endpoint: &Endpoint) {
    // Room for what came with the head, which goes with the head.
    agent.out().reserve(down.head.size() + endpoint.lead.path.len() + down.wire.inbox.len() + 128);
    forward::request(&down.head, endpoint, down.spot(), down.renewed(), down.edits.as_deref(), agent.out());
}

/// Sets the alarm, and tells what for.
pub fn arm(alarm: &mut Alarm, next: Next) -> Option<Due> {
    alarm.set_at(next.map(|(at, _)| at));
    next.map(|(_, due)| due)
}

/// Takes heads out of the inbox until one is final.
fn take_final(down: &mut Downstream<'_>, agent: &mut Wire) -> Result<Option<Answer>, Failure> {
    let lost = Failure::Outcome(Outcome::Lost);
    loop {
        let head = match ResponseHead::take(&mut agent.inbox) {
            Ok(Some(head)) => head,
            Ok(None) if agent.inbox.len() <= ANSWER_HEAD_BYTES_MAX => return Ok(None),
            Ok(None) | Err(_) => return Err(lost),
        };
        match head.status {
            // We take no upgrade; who changes protocol has misunderstood.
            StatusCode::SWITCHING_PROTOCOLS => return Err(lost),
            // Whether the caller may send its body was ours to say.
            StatusCode::CONTINUE => {}
            status if status.is_informational() => {
                if !down.head.is_http10 {
                    forward::answer(&head, Delivery::default(), down.wire.out());
                }
            }
            _ => {
                let framing = Framing::of_answer(&head, down.head.method() == b"HEAD").ok_or(lost)?;
                return Ok(Some(Answer { head, framing }));
            }
        }
    }
}
