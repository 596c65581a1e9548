//! What an agent of mcp-mesh is told of a dependency: who provides it, and by which function.
//!
//! In: a resolved requirement. Out: a [`Wiring`], named like the route that calls of it take.

use std::sync::Arc;

use semver::Version;

use crate::name::{AgentName, CapabilityName, ReplicaId, RouteName};
use crate::tag::TagSet;

/// Most providers of one requirement that reaches all.
pub const PROVIDERS_MAX: usize = 1_024;

/// One dependency, resolved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wiring {
    pub route: RouteName,
    /// The one that callers name first; none where nobody provides it. More than one where all that fits is asked for.
    pub providers: Vec<Provider>,
}

/// A function behind a capability.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Provider {
    pub agent: AgentName,
    /// One replica of it by which agents of mcp-mesh know it; calls go to any.
    pub replica: ReplicaId,
    pub capability: CapabilityName,
    /// The tool to call.
    pub function: Arc<str>,
    pub version: Version,
    pub tags: TagSet,
    pub description: Arc<str>,
    /// A JSON object; empty: none was registered.
    pub kwargs: Arc<str>,
    /// JSON; empty: none was registered.
    pub input_schema: Arc<str>,
    /// Whether any replica of it may be called now.
    pub callable: bool,
}
