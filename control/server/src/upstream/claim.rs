//! A heartbeat of an agent without a proxy, as a claim that the core judges like that of any proxy.
//!
//! In: what the agent says of itself, and the address that was made of it. Out: a [`Claim`].
//! Never here: whether it is taken.

use std::net::SocketAddr;
use std::sync::Arc;

use outrigger_control_core::agent::{Claim, ClaimedCapability, ClaimedTool};
use outrigger_model::capability::{Capability, Tool};
use outrigger_model::registration::Registration;
use outrigger_upstream::heartbeat::Heartbeat;
use outrigger_upstream::offers;

/// A new process of mcp-mesh has a new id, so nothing else has to tell two lives of one replica apart.
const GENERATION: u64 = 1;

pub fn claim(heartbeat: &Heartbeat, registration: &Arc<Registration>, address: SocketAddr) -> Claim {
    Claim {
        id: heartbeat.id.to_string(),
        agent: heartbeat.agent.to_string(),
        semver: heartbeat.version.to_string(),
        address: address.to_string(),
        generation: GENERATION,
        serving: true,
        namespace: heartbeat.namespace.to_string(),
        capabilities: offers::capabilities(registration).into_iter().map(capability).collect(),
        registration: Some(Ok(Arc::clone(registration))),
        ..Claim::default()
    }
}

fn capability(capability: Capability) -> ClaimedCapability {
    ClaimedCapability {
        name: capability.name.to_string(),
        semver: capability.version.to_string(),
        tags: capability.tags.iter().map(ToString::to_string).collect(),
        tools: capability.tools.into_iter().map(tool).collect(),
        session_required: capability.session_required,
        calls: capability.calls.written(),
    }
}

fn tool(tool: Tool) -> ClaimedTool {
    ClaimedTool { name: tool.name, schema: tool.schema.as_bytes().to_vec(), hints: tool.hints }
}
