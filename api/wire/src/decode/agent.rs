//! Protobuf → agent.

use outrigger_model::agent::Agent;
use outrigger_model::capability::{TOOL_NAME_BYTES_MAX, TOOLS_MAX};
use outrigger_model::name::{AgentName, PoolName};

use super::{calls, field, session_policy};
use crate::error::{DecodeError, Wrong};
use crate::proto::snapshot as wire;

pub fn agent(wire: wire::Agent) -> Result<Agent, DecodeError> {
    Ok(Agent {
        name: AgentName::new(&wire.name).map_err(|bad| DecodeError::field("name", bad))?,
        version: field::version("semver", &wire.semver)?,
        tags: field::tags("tags", &wire.tags)?,
        pool: PoolName::new(&wire.pool).map_err(|bad| DecodeError::field("pool", bad))?,
        keys: session_policy::keys(wire.keys)?,
        repeatable: repeatable(wire.repeatable_tools)?,
        calls: calls::calls(wire.calls)?,
    })
}

fn repeatable(mut tools: Vec<String>) -> Result<Vec<String>, DecodeError> {
    field::count("repeatable_tools", tools.len(), TOOLS_MAX)?;
    if let Some((at, long)) = tools.iter().enumerate().find(|(_, tool)| tool.len() > TOOL_NAME_BYTES_MAX) {
        let wrong = Wrong::Large { bytes: long.len(), max: TOOL_NAME_BYTES_MAX };
        return Err(DecodeError::item("repeatable_tools", at, wrong));
    }
    // It is searched by halves, so its order is not left to whoever sent it.
    tools.sort_unstable();
    Ok(tools)
}
