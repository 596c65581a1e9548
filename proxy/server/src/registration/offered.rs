//! What a replica is registered with.
//!
//! In: the current state of the own agents. Out: replicas as control is told of them.
//! Rule: capabilities are those declared; one named like the agent, with all its tools; and one for each tool that no
//! declared capability has, named like the tool. The first of equal names stays. Of an agent that registered itself they are
//! those of its functions.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::sync::Arc;

use outrigger_model::capability::{Capability, Tool};
use outrigger_model::name::{CapabilityName, Namespace, NodeId};
use outrigger_model::replica::{CAPABILITIES_MAX, Replica};
use outrigger_upstream::heartbeat::Heartbeat;
use outrigger_upstream::offers;
use outrigger_wire::report::ReportedReplica;

use crate::config::settings::{AgentSettings, DeclaredCapability};
use crate::health::local::LocalReplica;

/// Those agents that were looked at, as control is told of them.
pub fn reported(node: &NodeId, advertise: SocketAddr, locals: &[LocalReplica]) -> Vec<ReportedReplica> {
    let seen = locals.iter().filter(|local| local.probed && local.offers());
    seen.map(|local| one(node, advertise, local)).collect()
}

fn one(node: &NodeId, advertise: SocketAddr, local: &LocalReplica) -> ReportedReplica {
    let (agent, offer) = (local.settings.as_ref(), local.offer.as_deref());
    let tools = || offer.map(|offer| offer.tools.as_slice()).unwrap_or_default();
    let (namespace, registration, capabilities) = match local.heartbeat.as_deref() {
        None => (Namespace::default(), None, capabilities(agent, tools())),
        Some(Heartbeat { namespace, registration, .. }) => {
            (namespace.clone(), Some(Arc::new(registration.clone())), offers::capabilities(registration))
        }
    };
    let replica = Replica {
        id: local.id.clone(),
        agent: agent.name.clone(),
        node: node.clone(),
        version: agent.version.clone(),
        tags: agent.tags.clone(),
        address: advertise,
        // Control takes the identity from the connection.
        identity: None,
        generation: local.generation,
        revisions: offer.map(|offer| offer.revisions.clone()).unwrap_or_default(),
        weight: agent.weight,
        zone: agent.zone.clone(),
        namespace,
        registration,
        capabilities,
    };
    let trouble = local.trouble.clone().filter(|_| !local.serving).unwrap_or_default();
    ReportedReplica { replica, serving: local.serving, trouble }
}

/// `tools` are sorted by name.
pub fn capabilities(agent: &AgentSettings, tools: &[Tool]) -> Vec<Capability> {
    let declared: BTreeSet<&str> =
        agent.capabilities.iter().flat_map(|declared| &declared.tools).map(String::as_str).collect();
    let mut capabilities: Vec<_> = agent.capabilities.iter().map(|declared| of_declared(declared, tools)).collect();
    let mut names: BTreeSet<CapabilityName> = capabilities.iter().map(|capability| capability.name.clone()).collect();
    let whole = CapabilityName::new(agent.name.as_str()).ok().map(|name| (name, tools.to_vec()));
    let single = tools.iter().filter(|tool| !declared.contains(tool.name.as_str()));
    let single = single.filter_map(|tool| Some((CapabilityName::new(&tool.name).ok()?, vec![tool.clone()])));
    for (name, tools) in whole.into_iter().chain(single) {
        if capabilities.len() < CAPABILITIES_MAX && names.insert(name.clone()) {
            let (version, tags) = (agent.version.clone(), agent.tags.clone());
            let calls = agent.calls.clone();
            capabilities.push(Capability { name, version, tags, tools, session_required: false, calls });
        }
    }
    capabilities
}

fn of_declared(declared: &DeclaredCapability, tools: &[Tool]) -> Capability {
    let own = tools.iter().filter(|tool| declared.tools.contains(&tool.name));
    Capability {
        name: declared.name.clone(),
        version: declared.version.clone(),
        tags: declared.tags.clone(),
        tools: own.cloned().collect(),
        session_required: declared.session_required,
        calls: declared.calls.clone(),
    }
}

#[cfg(test)]
mod tests;
