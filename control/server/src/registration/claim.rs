//! A report as it is sent, in the words of the core, which judges every field of it.

use std::sync::Arc;

use outrigger_control_core::agent::{Claim, ClaimedCapability, ClaimedTool, Refusal};
use outrigger_model::capability::ToolHints;
use outrigger_model::registration::Registration;
use outrigger_upstream::heartbeat::Heartbeat;
use outrigger_wire::decode::calls;
use outrigger_wire::proto::registry::{Refused, Replica};
use outrigger_wire::proto::snapshot::{Capability, Tool};

pub fn claim(replica: Replica) -> Claim {
    Claim {
        id: replica.id,
        agent: replica.agent,
        semver: replica.semver,
        tags: replica.tags,
        address: replica.address,
        generation: replica.generation,
        revisions: replica.revisions,
        weight: replica.weight,
        serving: replica.serving,
        trouble: replica.trouble,
        zone: replica.zone,
        namespace: replica.namespace,
        registration: registration(&replica.registration),
        capabilities: replica.capabilities.into_iter().map(capability).collect(),
    }
}

/// Nothing where the replica is none of mcp-mesh.
fn registration(body: &str) -> Option<Result<Arc<Registration>, String>> {
    let read = || Heartbeat::read(body.as_bytes()).map(|heartbeat| Arc::new(heartbeat.registration));
    (!body.is_empty()).then(|| read().map_err(|error| error.to_string()))
}

fn capability(capability: Capability) -> ClaimedCapability {
    ClaimedCapability {
        name: capability.name,
        semver: capability.semver,
        tags: capability.tags,
        tools: capability.tools.into_iter().map(tool).collect(),
        session_required: capability.session_required,
        calls: calls::written(capability.calls),
    }
}

fn tool(tool: Tool) -> ClaimedTool {
    let Tool { name, schema_digest, read_only, idempotent, destructive } = tool;
    ClaimedTool { name, schema: schema_digest, hints: ToolHints { read_only, idempotent, destructive } }
}

pub fn refused(refusal: Refusal) -> Refused {
    let Refusal { replica, reason, field, detail } = refusal;
    Refused { replica, reason: reason.as_str().to_owned(), field, detail }
}
