//! `facade:` as people write it.

use schemars::JsonSchema;
use serde::Deserialize;

/// The registry that agents of mcp-mesh find at the outbound listener.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct FacadeFile {
    /// Whether agents of mcp-mesh may join through this proxy. Default: true.
    pub enabled: Option<bool>,
    /// Most agents that are joined at a time, 1 to 1000. Default: 64.
    pub agents_max: Option<u64>,
    /// Addresses of this machine beside loopback at which agents may say that they listen, such as `10.0.0.5`. Default: none.
    pub allow_hosts: Vec<String>,
}
