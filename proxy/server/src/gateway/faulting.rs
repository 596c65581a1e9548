//! Faults on purpose: a call waits before it is sent, or is refused, because the operator wants to see what its caller does then.
//!
//! In: a call whose way is settled. Out: it goes on, or ends.
//! Never here: which calls; the core's `route::fault` says so.
//! Invariant: nothing was sent anywhere before this is over, and a caller that leaves ends the wait.

use std::future::poll_fn;
use std::task::Poll;

use outrigger_proxy_core::route::fault::Fault;

use super::call::{Call, Ending, Way};
use super::downstream::Downstream;
use super::parts::GatewayParts;

pub async fn wait_or_end(parts: &GatewayParts, down: &mut Downstream<'_>, call: &Call) -> Result<(), Ending> {
    let (Some(Way::Out(plan)), Some(lot)) = (&call.way, call.lot) else { return Ok(()) };
    let Some(Fault { delay, refusal }) = plan.fault(lot.chance) else { return Ok(()) };
    if let Some(delay) = delay {
        parts.events.delay_injected();
        down.alarm.set(delay);
        let left = poll_fn(|cx| {
            // A caller that cannot be written to shows when it is read from.
            let _ = down.wire.poll_flush(cx);
            match down.poll_left(cx) {
                Poll::Ready(()) => Poll::Ready(true),
                Poll::Pending => down.alarm.poll(cx).map(|()| false),
            }
        })
        .await;
        down.alarm.stop();
        if left {
            return Err(Ending::Abandoned);
        }
    }
    match refusal {
        Some(refusal) => {
            parts.events.refusal_injected();
            Err(Ending::Refuse(refusal))
        }
        None => Ok(()),
    }
}
