//! Calls that peers bring for the own agents.
//!
//! In: a request's head. Out: the own endpoint, once.
//! Never here: balance, and where sessions are; the calling proxy decided that.

use std::sync::Arc;

use outrigger_proxy_core::asked::Asked;
use outrigger_proxy_core::mcp::facts::{CallFacts, Verb};
use outrigger_proxy_core::mcp::table::Row;
use outrigger_proxy_core::refusal::Refusal;
use outrigger_proxy_core::visit;
use outrigger_proxy_core::world::endpoint::Endpoint;

use super::call::{Call, Ending, Way};
use super::downstream::Downstream;
use super::parts::GatewayParts;
use super::{admission, tenure};

/// Settles which own agent is called.
pub fn settle(parts: &GatewayParts, down: &mut Downstream<'_>, call: &mut Call) -> Result<(), Ending> {
    let head = &down.head;
    let asked = Asked::read(head.path(), head.query());
    let verb = Verb::of(head.method());
    // For the shape of refusals, the log and the end of streams only; what is wrong with these headers is the agent's to say.
    if let Some(Asked { target: Some(target), part }) = asked
        && let Ok(facts) = CallFacts::read(verb, &head.fields, target, parts.caller.clone())
    {
        let facts = facts.beside(part);
        (call.era, call.method, call.row) = (facts.era, facts.method, Some(Row::of(&facts)));
    }
    let (endpoint, part) = visit::visit(&call.world, asked).map_err(Ending::Refuse)?;
    admission::admit(parts, &mut call.entrance, call.row, verb, || admission::priority(head))
        .map_err(Ending::Refuse)?;
    tenure::visit(parts, down, call, &endpoint.agent).map_err(Ending::Refuse)?;
    down.part = part;
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
        Some(Way::Out(_) | Way::Elsewhere(..)) | None => Err(Ending::Refuse(Refusal::Internal)),
    }
}
