//! Calls that peers bring for the own agents.
//!
//! In: a request's head. Out: the own endpoint, once.
//! Never here: sessions and balance; the calling proxy decided those.

use std::sync::Arc;

use outrigger_proxy_core::http1::head::RequestHead;
use outrigger_proxy_core::mcp::headers::McpHeaders;
use outrigger_proxy_core::mcp::method::Method;
use outrigger_proxy_core::refusal::Refusal;
use outrigger_proxy_core::target::Target;
use outrigger_proxy_core::visit;
use outrigger_proxy_core::world::endpoint::Endpoint;

use super::call::{Call, Ending, Way};

/// Settles which own agent is called.
pub fn settle(head: &RequestHead, call: &mut Call) -> Result<(), Ending> {
    // For the shape of refusals and the log only; what is wrong with these headers is the agent's to say.
    if let Ok(mcp) = McpHeaders::read(&head.fields) {
        call.era = mcp.era();
        call.method = mcp.method.map(Method::from_text);
    }
    let endpoint = visit::visit(&call.world, Target::from_path(head.path())).map_err(Ending::Refuse)?;
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
