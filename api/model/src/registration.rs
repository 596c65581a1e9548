//! An agent of mcp-mesh as it registers itself: functions, what each offers and depends on.
//!
//! In: the body of its `POST /heartbeat`, read by `outrigger-upstream`. Out: a [`Registration`].
//! Never here: JSON; texts that are JSON pass through as they came.

use std::sync::Arc;

use semver::Version;

use crate::requirement::Requirement;
use crate::tag::TagSet;

/// Most functions of one registration.
pub const FUNCTIONS_MAX: usize = 4_096;
/// Most dependencies of one function.
pub const NEEDS_PER_FUNCTION_MAX: usize = 64;

/// One registration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Registration {
    pub kind: AgentKind,
    /// Such as `python`; what its SDK is written in.
    pub runtime: Arc<str>,
    pub description: Arc<str>,
    /// Where the agent itself says that it listens.
    pub host: Arc<str>,
    pub port: u16,
    pub functions: Vec<Function>,
    /// The body as it was sent: a JSON object.
    pub raw: Arc<str>,
}

/// `agent_type` of mcp-mesh.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AgentKind {
    /// Serves MCP.
    Mcp,
    /// A web application that calls others and is called by none.
    Api,
    /// Offers surfaces of A2A.
    A2a,
}

/// One function, which may be offered to others, or only call them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Function {
    /// The MCP tool, or a route such as `GET:/hi`.
    pub name: Arc<str>,
    /// As it was written; empty: it is offered to nobody.
    pub capability: Arc<str>,
    pub version: Version,
    pub tags: TagSet,
    pub description: Arc<str>,
    /// A JSON object; empty: none.
    pub kwargs: Arc<str>,
    /// JSON; empty: none.
    pub input_schema: Arc<str>,
    pub input: Shape,
    pub output: Shape,
    /// In the order in which they were written, which is the order in which they are answered.
    pub needs: Vec<FunctionNeed>,
    /// What a model may choose its tools from.
    pub tools: Option<ToolChoice>,
    /// Which model the function talks to.
    pub model: Option<Requirement>,
}

/// A schema in its canonical form.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Shape {
    /// Such as `sha256:…`; empty: none was registered.
    pub hash: Arc<str>,
    /// JSON; empty: none.
    pub canonical: Arc<str>,
}

/// One dependency of a function.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FunctionNeed {
    pub requirement: Requirement,
    /// Without it the function does not work, and is offered to nobody.
    pub required: bool,
}

/// Tools for a model.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ToolChoice {
    /// Everything that fits any of them.
    pub any_of: Vec<Requirement>,
    pub mode: ToolChoiceMode,
}

/// `filter_mode` of mcp-mesh.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ToolChoiceMode {
    All,
    BestMatch,
    /// Every tool of the namespace, whatever the filter says.
    Wildcard,
}

impl AgentKind {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Mcp => "mcp_agent",
            Self::Api => "api",
            Self::A2a => "a2a",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        [Self::Mcp, Self::Api, Self::A2a].into_iter().find(|kind| kind.as_str() == text)
    }
}

impl ToolChoiceMode {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::All => "all",
            Self::BestMatch => "best_match",
            Self::Wildcard => "*",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        [Self::All, Self::BestMatch, Self::Wildcard].into_iter().find(|mode| mode.as_str() == text)
    }
}
