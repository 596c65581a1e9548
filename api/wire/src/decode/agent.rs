//! Protobuf → agent.

use outrigger_model::agent::Agent;
use outrigger_model::name::{AgentName, PoolName};

use super::{field, session_policy};
use crate::error::DecodeError;
use crate::proto::snapshot as wire;

pub fn agent(wire: wire::Agent) -> Result<Agent, DecodeError> {
    Ok(Agent {
        name: AgentName::new(&wire.name).map_err(|bad| DecodeError::field("name", bad))?,
        version: field::version("semver", &wire.semver)?,
        tags: field::tags("tags", &wire.tags)?,
        pool: PoolName::new(&wire.pool).map_err(|bad| DecodeError::field("pool", bad))?,
        keys: session_policy::keys(wire.keys)?,
    })
}
