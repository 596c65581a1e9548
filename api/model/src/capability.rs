//! What an agent offers under one name, and the tools behind it.
//!
//! In: a registration. Out: a [`Capability`] with its tools sorted by name.
//! Never here: schema bodies; a digest stands for each.

use semver::Version;

use crate::calls::Calls;
use crate::digest::Digest;
use crate::name::CapabilityName;
use crate::tag::TagSet;

/// Most tools of one capability.
pub const TOOLS_MAX: usize = 4_096;
/// Longest tool name in bytes. Servers name tools freely; anything longer is left out at introspection.
pub const TOOL_NAME_BYTES_MAX: usize = 256;

/// One tool as its server describes it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Tool {
    pub name: String,
    /// Over the canonical JSON of `inputSchema` and `outputSchema`.
    pub schema: Digest,
    pub hints: ToolHints,
}

/// The annotations of MCP `ToolAnnotations`, with the defaults of the specification for those left out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct ToolHints {
    pub read_only: bool,
    pub idempotent: bool,
    pub destructive: bool,
}

impl ToolHints {
    /// Whether running it twice is as good as once, as its server says.
    pub const fn may_repeat(self) -> bool {
        self.read_only || self.idempotent
    }
}

/// A named offer of one agent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Capability {
    pub name: CapabilityName,
    pub version: Version,
    pub tags: TagSet,
    /// Sorted by name, at most [`TOOLS_MAX`].
    pub tools: Vec<Tool>,
    /// Calls of its tools that carry one `session_id` have to reach one replica.
    pub session_required: bool,
    /// How calls of it travel where no operator says it.
    pub calls: Calls,
}

impl Default for ToolHints {
    /// MCP `schema.ts`: `readOnlyHint` and `idempotentHint` default to false, `destructiveHint` to true.
    fn default() -> Self {
        Self { read_only: false, idempotent: false, destructive: true }
    }
}
