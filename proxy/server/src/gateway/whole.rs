//! A short JSON answer is awaited whole before its head is passed on.
//!
//! In: the head of an answer, and the wire that its body comes on. Out: the same once its body is here, or what became of the attempt.
//! Why: many servers write head and body one after the other. When a process dies between the two, a call that may run twice can still be
//! asked for elsewhere, and any other be told that it may have run; and head and body go to the caller in one write.
//! Never here: answers without a length, which may be streams, and long ones; they are passed on as they come.
//! Invariant: at most [`BYTES_MAX`] are held.

use std::future::poll_fn;
use std::task::Poll;
use std::time::Instant;

use outrigger_proxy_core::deadline::{Deadlines, Due};
use outrigger_proxy_core::http1::body::Framing;
use outrigger_proxy_core::mcp::minted::Written;
use outrigger_proxy_core::outcome::{Limit, Outcome};

use super::call::{Call, Way};
use super::downstream::Downstream;
use super::exchange::{Answer, Failure, arm};
use super::wire::Wire;

/// As much as is kept of a request by default.
const BYTES_MAX: u64 = 64 * 1024;

pub async fn awaited(
    down: &mut Downstream<'_>,
    call: &Call,
    agent: &mut Wire,
    heard: Result<Answer, Failure>,
    deadlines: &Deadlines,
) -> Result<Answer, Failure> {
    let answer = heard?;
    let length = match answer.framing {
        Framing::Length(length) if length <= BYTES_MAX => length,
        _ => return Ok(answer),
    };
    let is_json = || Written::of(&answer.head.fields) == Some(Written::Json);
    if (agent.inbox.len() as u64) < length && matches!(call.way, Some(Way::Out(_))) && is_json() {
        let came = rest(down, agent, length, deadlines).await;
        down.alarm.stop();
        came.map_err(Failure::Outcome)?;
    }
    Ok(answer)
}

async fn rest(down: &mut Downstream<'_>, agent: &mut Wire, length: u64, deadlines: &Deadlines) -> Result<(), Outcome> {
    agent.acknowledge();
    let mut due = arm(down.alarm, deadlines.after_head(Instant::now()));
    poll_fn(|cx| {
        while (agent.inbox.len() as u64) < length {
            match agent.poll_read(cx) {
                Poll::Ready(Ok(1..)) => {
                    agent.acknowledge();
                    due = arm(down.alarm, deadlines.after_head(Instant::now()));
                }
                Poll::Ready(_) => return Poll::Ready(Err(Outcome::Lost)),
                Poll::Pending if down.upload.is_done() && down.poll_left(cx).is_ready() => {
                    return Poll::Ready(Err(Outcome::CallerLeft));
                }
                Poll::Pending if down.alarm.poll(cx).is_ready() => {
                    return Poll::Ready(Err(match due {
                        Some(Due::Limit(Limit::Total)) => Outcome::TookTooLong,
                        _ => Outcome::TimedOut,
                    }));
                }
                Poll::Pending => return Poll::Pending,
            }
        }
        Poll::Ready(Ok(()))
    })
    .await
}
