//! Agent → protobuf.

use outrigger_model::agent::Agent;

use super::{calls, field, session_policy};
use crate::proto::snapshot as wire;

pub fn agent(agent: &Agent) -> wire::Agent {
    wire::Agent {
        name: agent.name.to_string(),
        semver: agent.version.to_string(),
        tags: field::tags(&agent.tags),
        pool: agent.pool.to_string(),
        keys: agent.keys.iter().map(session_policy::key).collect(),
        repeatable_tools: agent.repeatable.clone(),
        calls: calls::calls(&agent.calls),
    }
}
