//! Requests for the registry of agents of mcp-mesh, and for tools by plain HTTP: read whole, answered by the facade.
//!
//! In: a request on the outbound listener that names no MCP endpoint. Out: the facade's answer on the caller's connection.
//! Never here: what the answer is.

use outrigger_proxy_core::refusal::Refusal;
use outrigger_proxy_core::target::Target;

use super::call::{Call, Ending};
use super::downstream::Downstream;
use super::everything::{may_be_ours, read_body, write};
use super::parts::GatewayParts;
use crate::facade::Request;
use crate::facade::doors::Door;
use crate::telemetry::{CallEnd, Direction};

/// Largest body: that of a registration.
const BODY_BYTES_MAX: usize = outrigger_upstream::heartbeat::BODY_BYTES_MAX;

/// Whether a request is for it.
pub fn is_meant(parts: &GatewayParts, direction: Direction, down: &Downstream<'_>, call: &Call) -> bool {
    let Some(facade) = parts.facade.as_ref().filter(|_| direction == Direction::Outbound) else { return false };
    let path = down.head.path();
    Target::from_path(path).is_none()
        && Door::of(down.head.method(), path).is_some_and(|door| facade.has(door))
        && may_be_ours(parts, down, call)
}

/// Serves it to its end.
pub async fn serve(parts: &GatewayParts, down: &mut Downstream<'_>) -> Result<CallEnd, Ending> {
    let body = read_body(parts, down, parts.limits.body_bytes_max.min(BODY_BYTES_MAX)).await?;
    let path = down.head.path().to_owned();
    let (Some(facade), Some(door)) = (&parts.facade, Door::of(down.head.method(), &path)) else {
        return Err(Ending::Refuse(Refusal::Internal));
    };
    let answer = facade.serve(Request { door, body }).await;
    write(down, answer).await
}
