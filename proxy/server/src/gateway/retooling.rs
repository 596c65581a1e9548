//! Calls of a function that its providers call by different names.
//!
//! In: a call on a wired route, the endpoint of an attempt. Out: the body that goes up there, if it is another one.
//! Rules: the name is written anew for each attempt, so that one that fails over calls what the next endpoint has. A body that is not
//! here whole goes only where nothing has to be changed.
//! Only routes of agents of mcp-mesh, called by the URLs that those are given, cost anything.

use std::sync::Arc;

use outrigger_proxy_core::mcp::renamed::{Renamed, renamed};
use outrigger_proxy_core::target;
use outrigger_proxy_core::world::endpoint::Endpoint;

use super::call::{Call, Way};
use super::downstream::{Downstream, Retooled};
use super::parts::GatewayParts;

/// Puts those endpoints aside at which the call could not be written.
pub async fn put_aside(parts: &GatewayParts, down: &mut Downstream<'_>, call: &mut Call) {
    let Some(Way::Out(plan)) = &call.way else { return };
    if !plan.wired().is_some_and(|wired| wired.mixed) || !is_noted(down) {
        return;
    }
    wait(parts, down).await;
    let body = down.upload.all(&down.wire.inbox);
    let cannot = |endpoint: &&Endpoint| match (&body, &endpoint.tool) {
        (Some(body), Some(tool)) => renamed(body, tool) == Renamed::Never,
        (None, Some(_)) => true,
        (_, None) => false,
    };
    let others: Vec<_> = plan.named_otherwise().filter(cannot).map(|endpoint| endpoint.replica.clone()).collect();
    for replica in others {
        if !call.tried.has(&replica) {
            call.tried.add(&replica);
        }
    }
}

/// Settles what goes up to `endpoint`.
pub async fn prepare(parts: &GatewayParts, down: &mut Downstream<'_>, call: &Call, endpoint: &Endpoint) {
    down.retooled = None;
    let Some(Way::Out(plan)) = &call.way else { return };
    let Some(function) = plan.function_at(endpoint).filter(|_| is_noted(down)) else { return };
    wait(parts, down).await;
    let Some(body) = down.upload.all(&down.wire.inbox) else { return };
    if let Renamed::To(body) = renamed(&body, function) {
        down.retooled = Some(Retooled { tool: Arc::clone(function), body });
    }
}

/// Whether it came by a URL that stands for one function.
fn is_noted(down: &Downstream<'_>) -> bool {
    target::function(down.head.path()).is_some() && down.part.is_endpoint()
}

async fn wait(parts: &GatewayParts, down: &mut Downstream<'_>) {
    if !down.upload.is_here(&down.wire.inbox) {
        down.wait_for_body(parts.limits.head_time).await;
    }
}
