//! Capability and its tools → protobuf.

use outrigger_model::capability::{Capability, Tool};

use super::{calls, field};
use crate::proto::snapshot as wire;

pub fn capability(capability: &Capability) -> wire::Capability {
    wire::Capability {
        name: capability.name.to_string(),
        semver: capability.version.to_string(),
        tags: field::tags(&capability.tags),
        tools: capability.tools.iter().map(tool).collect(),
        session_required: capability.session_required,
        calls: calls::calls(&capability.calls),
    }
}

fn tool(tool: &Tool) -> wire::Tool {
    wire::Tool {
        name: tool.name.clone(),
        schema_digest: tool.schema.as_bytes().to_vec(),
        read_only: tool.hints.read_only,
        idempotent: tool.hints.idempotent,
        destructive: tool.hints.destructive,
    }
}
