//! A replica of a report → protobuf. Node and identity do not travel: control takes them from the stream.

use super::capability::capability;
use super::field;
use crate::limit::TROUBLE_CHARS_MAX;
use crate::proto::registry as wire;
use crate::report::ReportedReplica;

pub fn report<'a>(replicas: impl IntoIterator<Item = &'a ReportedReplica>) -> wire::Report {
    wire::Report { replicas: replicas.into_iter().map(replica).collect(), calls: None }
}

fn replica(reported: &ReportedReplica) -> wire::Replica {
    let replica = &reported.replica;
    wire::Replica {
        id: replica.id.to_string(),
        agent: replica.agent.to_string(),
        semver: replica.version.to_string(),
        tags: field::tags(&replica.tags),
        address: replica.address.to_string(),
        generation: replica.generation.0,
        revisions: replica.revisions.iter().map(ToString::to_string).collect(),
        weight: replica.weight.into(),
        serving: reported.serving,
        trouble: reported.trouble.chars().take(TROUBLE_CHARS_MAX).collect(),
        capabilities: replica.capabilities.iter().map(capability).collect(),
        zone: replica.zone.clone(),
        namespace: replica.namespace.to_string(),
        registration: replica.registration.as_ref().map(|it| it.raw.to_string()).unwrap_or_default(),
    }
}
