//! Protobuf → replicas of a report. Each is judged alone, so that a bad one does not hold back its neighbours.

use outrigger_model::identity::SpiffeId;
use outrigger_model::name::{AgentName, NodeId, ReplicaId};
use outrigger_model::replica::{CAPABILITIES_MAX, Generation, Replica};
use outrigger_model::revision::{BadRevision, Revision};

use super::{capability, field};
use crate::error::{DecodeError, Wrong};
use crate::limit::{REPLICAS_MAX, REVISIONS_MAX, TROUBLE_CHARS_MAX};
use crate::proto::registry as wire;
use crate::report::ReportedReplica;

/// One replica of a report as it was judged: its id as written, and the replica or what is wrong with it.
pub type Judged = (String, Result<ReportedReplica, DecodeError>);

/// Reads a report. `node` and `identity` are those of the stream, never of the message.
///
/// Fails as a whole only if it holds too many replicas; error paths start at `replicas[…]`.
pub fn report(wire: wire::Report, node: &NodeId, identity: Option<&SpiffeId>) -> Result<Vec<Judged>, DecodeError> {
    field::count("replicas", wire.replicas.len(), REPLICAS_MAX)?;
    let replicas = wire.replicas.into_iter().enumerate().map(|(at, wire)| {
        let id = crate::error::cut(&wire.id);
        (id, replica(wire, node, identity).map_err(|bad| bad.inside_item("replicas", at)))
    });
    Ok(replicas.collect())
}

fn replica(wire: wire::Replica, node: &NodeId, identity: Option<&SpiffeId>) -> Result<ReportedReplica, DecodeError> {
    field::count("capabilities", wire.capabilities.len(), CAPABILITIES_MAX)?;
    let capabilities = wire.capabilities.into_iter().enumerate();
    let capabilities =
        capabilities.map(|(at, wire)| capability::capability(wire).map_err(|bad| bad.inside_item("capabilities", at)));
    let mut capabilities = capabilities.collect::<Result<Vec<_>, _>>()?;
    capabilities.sort_by(|one, other| one.name.cmp(&other.name));
    if let Some(name) = field::twice(&capabilities, |capability| &capability.name) {
        return Err(DecodeError::field("capabilities", Wrong::Twice(name.to_string())));
    }
    let replica = Replica {
        id: ReplicaId::new(&wire.id).map_err(|bad| DecodeError::field("id", bad))?,
        agent: AgentName::new(&wire.agent).map_err(|bad| DecodeError::field("agent", bad))?,
        node: node.clone(),
        version: field::version("semver", &wire.semver)?,
        tags: field::tags("tags", &wire.tags)?,
        address: field::address("address", &wire.address)?,
        identity: identity.cloned(),
        generation: Generation(wire.generation),
        revisions: revisions(&wire.revisions)?,
        weight: field::weight("weight", wire.weight)?,
        zone: field::zone("zone", &wire.zone)?,
        capabilities,
    };
    let trouble = wire.trouble.chars().take(TROUBLE_CHARS_MAX).collect();
    Ok(ReportedReplica { replica, serving: wire.serving, trouble })
}

fn revisions(texts: &[String]) -> Result<Vec<Revision>, DecodeError> {
    field::count("revisions", texts.len(), REVISIONS_MAX)?;
    let mut revisions = Vec::with_capacity(texts.len());
    for (at, text) in texts.iter().enumerate() {
        revisions.push(text.parse().map_err(|bad: BadRevision| DecodeError::item("revisions", at, bad))?);
    }
    revisions.sort_unstable();
    revisions.dedup();
    Ok(revisions)
}

#[cfg(test)]
mod tests;
