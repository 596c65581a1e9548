//! Protobuf → capability and its tools.

use outrigger_model::capability::{Capability, TOOL_NAME_BYTES_MAX, TOOLS_MAX, Tool, ToolHints};
use outrigger_model::name::CapabilityName;

use super::{calls, field};
use crate::error::{DecodeError, Wrong, cut};
use crate::proto::snapshot as wire;

pub fn capability(wire: wire::Capability) -> Result<Capability, DecodeError> {
    field::count("tools", wire.tools.len(), TOOLS_MAX)?;
    let tools = wire.tools.into_iter().enumerate();
    let tools = tools.map(|(at, wire)| tool(wire).map_err(|bad| bad.inside_item("tools", at)));
    let mut tools = tools.collect::<Result<Vec<_>, _>>()?;
    tools.sort_unstable();
    if let Some(name) = field::twice(&tools, |tool| tool.name.as_str()) {
        return Err(DecodeError::field("tools", Wrong::Twice(cut(name))));
    }
    Ok(Capability {
        name: CapabilityName::new(&wire.name).map_err(|bad| DecodeError::field("name", bad))?,
        version: field::version("semver", &wire.semver)?,
        tags: field::tags("tags", &wire.tags)?,
        tools,
        session_required: wire.session_required,
        calls: calls::calls(wire.calls)?,
    })
}

fn tool(wire: wire::Tool) -> Result<Tool, DecodeError> {
    if wire.name.is_empty() {
        return Err(DecodeError::field("name", Wrong::Missing));
    }
    if wire.name.len() > TOOL_NAME_BYTES_MAX {
        return Err(DecodeError::field("name", Wrong::Large { bytes: wire.name.len(), max: TOOL_NAME_BYTES_MAX }));
    }
    let hints = ToolHints { read_only: wire.read_only, idempotent: wire.idempotent, destructive: wire.destructive };
    Ok(Tool { schema: field::digest("schema_digest", &wire.schema_digest)?, name: wire.name, hints })
}
