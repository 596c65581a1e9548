//! What an agent of mcp-mesh is told of a dependency → protobuf.

use outrigger_model::wiring::{Provider, Wiring};

use super::field;
use crate::proto::snapshot as wire;

pub fn wiring(wiring: &Wiring) -> wire::Wiring {
    wire::Wiring { route: wiring.route.to_string(), providers: wiring.providers.iter().map(provider).collect() }
}

fn provider(provider: &Provider) -> wire::wiring::Provider {
    wire::wiring::Provider {
        agent: provider.agent.to_string(),
        replica: provider.replica.to_string(),
        capability: provider.capability.to_string(),
        function: provider.function.to_string(),
        semver: provider.version.to_string(),
        tags: field::tags(&provider.tags),
        description: provider.description.to_string(),
        kwargs: provider.kwargs.to_string(),
        input_schema: provider.input_schema.to_string(),
        callable: provider.callable,
    }
}
