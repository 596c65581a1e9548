//! Calls that peers bring for the own agents.
//!
//! In: a request's head. Out: the own endpoint, once.
//! Never here: sessions and balance; the calling proxy decided those.

use std::sync::Arc;

use outrigger_proxy_core::http1::head::RequestHead;
use outrigger_proxy_core::mcp::facts::{CallFacts, Verb};
use outrigger_proxy_core::mcp::table::Row;
use outrigger_proxy_core::refusal::Refusal;
use outrigger_proxy_core::target::Target;
use outrigger_proxy_core::visit;
use outrigger_proxy_core::world::endpoint::Endpoint;

use super::call::{Call, Ending, Way};
use super::parts::GatewayParts;

/// Settles which own agent is called.
pub fn settle(parts: &GatewayParts, head: &RequestHead, call: &mut Call) -> Result<(), Ending> {
    let target = Target::from_path(head.path());
    let verb = Verb::of(head.method());
    // For the shape of refusals, the log and the end of streams only; what is wrong with these headers is the agent's to say.
    if let Some(Ok(facts)) = target.map(|target| CallFacts::read(verb, &head.fields, target, parts.caller.clone())) {
        (call.era, call.method, call.row) = (facts.era, facts.method, Some(Row::of(&facts)));
    }
    let endpoint = visit::visit(&call.world, target).map_err(Ending::Refuse)?;
    call.way = Some(Way::In(endpoint));
    Ok(())
}

/// The own agent, for the one attempt there is.
pub fn pick(call: &Call) -> Result<Arc<Endpoint>, Ending> {
    match &call.way {
        Some(Way::In(endpoint)) if call.attempts == 0 => Ok(Arc::clone(endpoint)),
        Some(Way::In(endpoint)) => {
            Err(Ending::Refuse(Refusal::AgentUnreachable { replica: endpoint.replica.as_str().to_owned() }))
        }
        Some(Way::Out(_)) | None => Err(Ending::Refuse(Refusal::Internal)),
    }
}
