//! Waits for room where the number of calls at once is limited: for a whole pool, and for each of its endpoints.
//!
//! In: a call, the endpoint that was picked for it. Out: its place, or a refusal before anything of it was sent.
//! A stream that only listens needs no room. On the way out the own agent is the only caller; on the way in the peers take turns.
//! Invariant: nobody waits longer than the pool says, nor beyond the deadline of its call; where nothing is limited, this is two looks.

use std::future::poll_fn;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;
use std::task::Poll;
use std::time::Instant;

use outrigger_proxy_core::line::Who;
use outrigger_proxy_core::refusal::Refusal;
use outrigger_proxy_core::room::{Door, Inside, Room, Waiting};
use outrigger_proxy_core::world::endpoint::{Endpoint, Terms};
use tokio::time::{Instant as Moment, timeout_at};

use super::call::{Call, Ending};
use super::downstream::Downstream;
use super::parts::GatewayParts;
use crate::telemetry::Queued;

/// Takes the place of the call in its pool, once, and one at `endpoint`.
pub async fn enter(
    parts: &GatewayParts,
    down: &mut Downstream<'_>,
    call: &mut Call,
    endpoint: &Endpoint,
) -> Result<Option<Inside>, Ending> {
    let terms = &endpoint.terms;
    let concurrency = &terms.policy.concurrency;
    if (concurrency.total.is_none() && concurrency.per_endpoint.is_none()) || call.only_listens() {
        return Ok(None);
    }
    if let (Some(limit), None) = (concurrency.total, &call.inside) {
        call.inside = Some(pass(parts, down, call, terms, &terms.live.room, limit).await?);
    }
    match concurrency.per_endpoint {
        Some(limit) => pass(parts, down, call, terms, &endpoint.live.room, limit).await.map(Some),
        None => Ok(None),
    }
}

/// A place at `endpoint` for one more attempt of a call, if none has to wait for it. None: there is none.
pub fn enter_now(call: &Call, endpoint: &Endpoint) -> Option<Option<Inside>> {
    let terms = &endpoint.terms;
    let Some(limit) = terms.policy.concurrency.per_endpoint else { return Some(None) };
    match endpoint.live.room.enter(who(call), limit, &terms.live.crowd, 0) {
        Door::Inside(inside) => Some(Some(inside)),
        Door::Full | Door::Waiting(_) => None,
    }
}

async fn pass(
    parts: &GatewayParts,
    down: &mut Downstream<'_>,
    call: &Call,
    terms: &Terms,
    room: &Arc<Room>,
    limit: u32,
) -> Result<Inside, Ending> {
    let queue = usize::try_from(terms.policy.concurrency.queue).unwrap_or(usize::MAX);
    match room.enter(who(call), limit, &terms.live.crowd, queue) {
        Door::Inside(inside) => Ok(inside),
        Door::Full => Err(refused(parts, Queued::Full)),
        // In a box of its own, because hardly any call needs it.
        Door::Waiting(waiting) => Box::pin(wait(parts, down, call, terms, waiting)).await,
    }
}

async fn wait(
    parts: &GatewayParts,
    down: &mut Downstream<'_>,
    call: &Call,
    terms: &Terms,
    waiting: Waiting,
) -> Result<Inside, Ending> {
    let _waits = parts.events.call_waits();
    let now = Instant::now();
    let due = call.deadlines().before_head(now).map(|(at, _)| at);
    let until = now.checked_add(terms.policy.concurrency.queue_wait).into_iter().chain(due).min().unwrap_or(now);
    // While some of the request is still to be read, who left shows when it is.
    let looks = down.upload.is_done() || down.upload.is_here(&down.wire.inbox);
    let called = poll_fn(|cx| {
        if looks && down.poll_left(cx).is_ready() {
            return Poll::Ready(false);
        }
        waiting.poll(cx).map(|()| true)
    });
    match timeout_at(Moment::from_std(until), called).await {
        Ok(true) => {
            parts.events.call_queued(Queued::Entered);
            waiting.enter().ok_or(Ending::Refuse(Refusal::Internal))
        }
        Ok(false) => {
            parts.events.call_queued(Queued::Left);
            Err(Ending::Abandoned)
        }
        Err(_) => Err(refused(parts, Queued::TimedOut)),
    }
}

fn refused(parts: &GatewayParts, result: Queued) -> Ending {
    parts.events.call_queued(result);
    Ending::Refuse(Refusal::Overloaded)
}

/// Callers are told apart where there may be several.
fn who(call: &Call) -> Who {
    let Some(visitor) = &call.visitor else { return 0 };
    let mut hasher = DefaultHasher::new();
    visitor.peer.hash(&mut hasher);
    hasher.finish()
}
