//! What the suite tells a client by its environment.
//!
//! In: `MCP_CONFORMANCE_PROTOCOL_VERSION` and `MCP_CONFORMANCE_CONTEXT`. Out: the same, parsed once.
//! Never here: the URL; that is an argument.
//! Invariant: a context that cannot be read ends the client before it has sent anything.

use anyhow::Context as _;
use rmcp::model::{JsonObject, ProtocolVersion};
use rmcp::service::ClientLifecycleMode;
use serde::Deserialize;

/// What a scenario hands over; each knows only some of it.
#[derive(Default, Deserialize)]
pub struct Context {
    #[serde(skip)]
    pub modern: bool,
    #[serde(default)]
    pub name: String,
    pub client_id: Option<String>,
    pub client_secret: Option<String>,
    /// Calls to make with exactly these arguments.
    #[serde(rename = "toolCalls", default)]
    pub calls: Vec<Call>,
}

#[derive(Deserialize)]
pub struct Call {
    pub name: String,
    pub arguments: JsonObject,
}

impl Context {
    pub fn from_environment() -> anyhow::Result<Self> {
        let mut context = match std::env::var("MCP_CONFORMANCE_CONTEXT") {
            Ok(text) => serde_json::from_str(&text).context("MCP_CONFORMANCE_CONTEXT is unreadable")?,
            Err(_) => Self::default(),
        };
        let revision = std::env::var("MCP_CONFORMANCE_PROTOCOL_VERSION").unwrap_or_default();
        context.modern = revision.as_str() >= ProtocolVersion::V_2026_07_28.as_str();
        Ok(context)
    }

    /// Whether the client is to be authorized as itself, and not by a user.
    pub fn has_own_credentials(&self) -> bool {
        self.name.contains("client-credentials") && self.client_secret.is_some()
    }

    pub fn lifecycle(&self) -> ClientLifecycleMode {
        if self.modern {
            ClientLifecycleMode::Discover { preferred_versions: vec![ProtocolVersion::V_2026_07_28] }
        } else {
            ClientLifecycleMode::Initialize
        }
    }
}
