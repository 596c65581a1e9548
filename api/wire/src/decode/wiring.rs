//! Protobuf → what an agent of mcp-mesh is told of a dependency.

use outrigger_model::capability::TOOL_NAME_BYTES_MAX;
use outrigger_model::name::{AgentName, CapabilityName, ReplicaId, RouteName};
use outrigger_model::wiring::{PROVIDERS_MAX, Provider, Wiring};

use super::field;
use crate::error::{DecodeError, Wrong};
use crate::proto::snapshot as wire;

pub fn wiring(wire: wire::Wiring) -> Result<Wiring, DecodeError> {
    field::count("providers", wire.providers.len(), PROVIDERS_MAX)?;
    let providers = wire.providers.into_iter().enumerate();
    let providers = providers.map(|(at, wire)| provider(wire).map_err(|bad| bad.inside_item("providers", at)));
    Ok(Wiring {
        route: RouteName::new(&wire.route).map_err(|bad| DecodeError::field("route", bad))?,
        providers: providers.collect::<Result<_, _>>()?,
    })
}

fn provider(wire: wire::wiring::Provider) -> Result<Provider, DecodeError> {
    let length = wire.function.len();
    if !(1..=TOOL_NAME_BYTES_MAX).contains(&length) {
        let max = TOOL_NAME_BYTES_MAX as u64;
        return Err(DecodeError::field("function", Wrong::Range { value: length as u64, min: 1, max }));
    }
    Ok(Provider {
        agent: AgentName::new(&wire.agent).map_err(|bad| DecodeError::field("agent", bad))?,
        replica: ReplicaId::new(&wire.replica).map_err(|bad| DecodeError::field("replica", bad))?,
        capability: CapabilityName::new(&wire.capability).map_err(|bad| DecodeError::field("capability", bad))?,
        function: wire.function.into(),
        version: field::version("semver", &wire.semver)?,
        tags: field::tags("tags", &wire.tags)?,
        description: wire.description.into(),
        kwargs: wire.kwargs.into(),
        input_schema: wire.input_schema.into(),
        callable: wire.callable,
    })
}
