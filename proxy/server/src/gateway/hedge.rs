//! The same read to a second replica when the first is slow: whoever begins to answer first is heard, the other is left.
//!
//! In: a request of which all went up, the endpoint that has not answered for a while. Out: the head of one answer, or what became of both.
//! Why it costs little: it is asked of the core each time, out of the same budget as repetitions.
//! Never here: which calls may run twice; the plan says after how long, or never.
//! Invariant: a call is asked of two at most at one time, and what is not heard is closed, which in the revisions without sessions ends it.

use std::future::poll_fn;
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::{Duration, Instant};

use outrigger_proxy_core::deadline::Deadlines;
use outrigger_proxy_core::outcome::Outcome;
use outrigger_proxy_core::world::endpoint::Endpoint;

use super::blame::Blame;
use super::call::{Attempt, Call, Way};
use super::downstream::Downstream;
use super::exchange::{Answer, Asking, Failure};
use super::parts::GatewayParts;
use super::upstream::{Upstream, Upstreams};
use super::{attempts, room};
use crate::telemetry::Hedged;

/// What a request is asked with.
#[derive(Clone, Copy)]
pub struct Hedge<'a> {
    pub parts: &'a GatewayParts,
    pub upstreams: &'a Upstreams,
    pub deadlines: &'a Deadlines,
    pub after: Duration,
}

type Heard = Result<Answer, Failure>;

/// The second of two, once it is asked.
struct Second<'d> {
    upstream: Upstream,
    asking: Asking<'d>,
    attempt: Attempt,
    /// The first has failed meanwhile.
    is_alone: bool,
}

impl Hedge<'_> {
    /// Asks the first endpoint, and after a while another one. The call's attempt is that of whoever is heard.
    pub async fn ask(
        self,
        down: &mut Downstream<'_>,
        call: &mut Call,
        mut first: Upstream,
        endpoint: &Endpoint,
        began: Instant,
    ) -> (Upstream, Heard) {
        let mut asking = Asking::begin(down, &mut first.wire, endpoint, self.deadlines, began);
        let mut timer = pin!(tokio::time::sleep(self.after));
        let early = poll_fn(|cx| match asking.poll(cx, down, &mut first.wire) {
            Poll::Ready(heard) => Poll::Ready(Some(heard)),
            Poll::Pending => timer.as_mut().poll(cx).map(|()| None),
        })
        .await;
        let heard = match early {
            Some(heard) => heard,
            None => match self.second(down, call, &mut first, &mut asking).await {
                Ok(second) => return self.race(down, call, (first, asking), second).await,
                Err(Some(heard)) => heard,
                Err(None) => poll_fn(|cx| asking.poll(cx, down, &mut first.wire)).await,
            },
        };
        down.alarm.stop();
        (first, heard)
    }

    /// Asks another endpoint, if there is one and all of the request is at hand. Else what the first said meanwhile.
    async fn second<'d>(
        &'d self,
        down: &mut Downstream<'_>,
        call: &mut Call,
        first: &mut Upstream,
        asking: &mut Asking<'_>,
    ) -> Result<Second<'d>, Option<Heard>> {
        let now = Instant::now();
        let is_here = down.upload.gone_up(&down.wire.inbox).is_some();
        let other = another(call, now).filter(|_| is_here).ok_or(None)?;
        let inside = room::enter_now(call, &other).ok_or(None)?;
        let attempt = call.begin(Arc::clone(&other), inside, now);
        let mut connecting = pin!(self.upstreams.get(&other, call.connect_limit(now), now));
        // The first may still be quicker than a connection.
        let mut failed = None;
        let connected = poll_fn(|cx| {
            if failed.is_none()
                && let Poll::Ready(heard) = asking.poll(cx, down, &mut first.wire)
            {
                if is_final(&heard) {
                    return Poll::Ready(Err(Some(heard)));
                }
                failed = Some(heard);
            }
            connecting.as_mut().poll(cx).map(Ok)
        });
        let Ok(mut upstream) = connected.await.inspect_err(|_| self.parts.events.call_hedged(Hedged::Lost))? else {
            attempts::record(self.parts, call, &attempt, Outcome::ConnectFailed, Blame::default(), Instant::now());
            self.parts.events.call_hedged(Hedged::Failed);
            return Err(failed);
        };
        let asking = Asking::repeat(down, &mut upstream.wire, &other, self.deadlines, Instant::now());
        Ok(Second { upstream, asking: asking.ok_or(None)?, attempt, is_alone: failed.is_some() })
    }

    async fn race(
        &self,
        down: &mut Downstream<'_>,
        call: &mut Call,
        (mut first, mut asking): (Upstream, Asking<'_>),
        second: Second<'_>,
    ) -> (Upstream, Heard) {
        let Second { mut upstream, asking: mut repeating, attempt, is_alone } = second;
        let (mut first_failed, mut second_failed) = (is_alone, false);
        let (is_second, heard) = poll_fn(|cx| {
            if !first_failed && let Poll::Ready(heard) = asking.poll(cx, down, &mut first.wire) {
                if second_failed || is_final(&heard) {
                    return Poll::Ready((false, heard));
                }
                first_failed = true;
            }
            if !second_failed && let Poll::Ready(heard) = repeating.poll(cx, down, &mut upstream.wire) {
                if first_failed || is_final(&heard) {
                    return Poll::Ready((true, heard));
                }
                second_failed = true;
            }
            Poll::Pending
        })
        .await;
        down.alarm.stop();
        let hedged = match (is_second, &heard) {
            (_, Err(_)) => Hedged::Failed,
            (true, Ok(_)) => Hedged::Won,
            (false, Ok(_)) => Hedged::Lost,
        };
        self.parts.events.call_hedged(hedged);
        if is_second {
            call.attempt = Some(attempt);
            return (upstream, heard);
        }
        (first, heard)
    }
}

/// What ends the race: an answer of an agent, or the end of the call. Who was lost, or says that it cannot, leaves it to the other.
fn is_final(heard: &Heard) -> bool {
    match heard {
        Ok(answer) => !answer.head.status.is_server_error(),
        Err(failure) => *failure != Failure::Outcome(Outcome::Lost),
    }
}

/// Another endpoint for the same call, if there is one and the budget of the pool has room for it.
fn another(call: &Call, now: Instant) -> Option<Arc<Endpoint>> {
    let Some(Way::Out(plan)) = &call.way else { return None };
    let picked = plan.pick(&call.tried, now).ok().filter(|picked| !picked.panic)?;
    plan.may_hedge(now).then_some(picked.endpoint)
}
