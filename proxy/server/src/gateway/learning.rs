//! What a call that was tried teaches about its session.
//!
//! In: a call, and the head of its answer before the caller sees it. Out: the stores know.
//! Never here: what an answer teaches; it is the core's `bind` and `moving`.

use std::sync::Arc;

use http::StatusCode;
use outrigger_proxy_core::mcp::headers;
use outrigger_proxy_core::session::bind::Lesson;
use outrigger_proxy_core::session::moving::{OPENING_BYTES_MAX, binds};

use super::call::{Call, Way, unix_seconds};
use super::downstream::Downstream;
use super::exchange::Answer;
use super::parts::GatewayParts;
use super::tenure;
use crate::telemetry::Searched;

/// A new binding is in the stores when this is done.
pub async fn learn(parts: &GatewayParts, down: &Downstream<'_>, call: &mut Call, answer: &Answer) {
    let (status, minted) = (answer.head.status, headers::minted(&answer.head.fields));
    if let Some(Way::In(endpoint)) = &call.way {
        tenure::learn(parts, call, &endpoint.agent, status, minted);
    }
    let (Some(Way::Out(plan)), Some(attempt)) = (&call.way, &call.attempt) else { return };
    let now = unix_seconds();
    let idle = tenure::idle(&call.world, call.held, now);
    let mut lesson = plan.lesson(&attempt.endpoint, status, minted, idle, now);
    if let Lesson::Learn(_, binding) = &mut lesson
        && plan.keeps_opening()
    {
        binding.opening = down.upload.whole(&down.wire.inbox, OPENING_BYTES_MAX).map(Arc::from);
    }
    if plan.searches() {
        parts.events.session_searched(searched(status));
    }
    parts.sessions.obey(lesson, idle, now).await;
    // From now on the store counts it.
    call.opening = None;
}

/// What a client subscribed to, the agent remembers with its session: it stays there from now on.
pub fn pin_if_bound(parts: &GatewayParts, down: &Downstream<'_>, call: &Call) {
    let Some(bound) = call.bound.as_ref().filter(|bound| bound.movable) else { return };
    let seen = down.upload.beginning(&down.wire.inbox);
    if down.upload.envelope(&seen).is_some_and(|request| binds(&request)) {
        let idle = tenure::idle(&call.world, call.held, unix_seconds());
        parts.sessions.pin(bound.key, &bound.binding, idle);
    }
}

/// What the answer to a call of a session that no store knew tells about it.
fn searched(status: StatusCode) -> Searched {
    match status {
        StatusCode::NOT_FOUND | StatusCode::BAD_REQUEST => Searched::Unknown,
        status if status.is_success() => Searched::Found,
        _ => Searched::Unclear,
    }
}
