//! `agents[].probe` as people write it.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

/// Active probes of the own agent. Its port is always looked at; `http`, `mcp` and `exec` each ask for more, and at most one
/// of them is taken.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ProbeFile {
    /// Time between two probes in milliseconds, 50 to 60000. Default: 1000.
    pub interval_ms: Option<u64>,
    /// Longest wait for the answer in milliseconds, 10 to 60000. Default: 1000.
    pub timeout_ms: Option<u64>,
    /// So many failed probes in a row withdraw the agent, 1 to 100; a closed port does at once. Default: 2.
    pub unhealthy_after: Option<u32>,
    /// So many good probes in a row bring it back, 1 to 100. Default: 1.
    pub healthy_after: Option<u32>,
    /// Whether the agent is asked what it offers. `false` sends it nothing but the probe itself. Default: true.
    pub ask: Option<bool>,
    /// The agent is well while a page of it answers as expected.
    pub http: Option<PageFile>,
    /// The agent is well while it answers `ping`, or `server/discover` where it speaks 2026-07-28. Write `mcp: {}`.
    pub mcp: Option<PingFile>,
    /// The agent is well while a command ends with 0.
    pub exec: Option<CommandFile>,
}

/// A page that tells whether the agent is well.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PageFile {
    /// Its path at the host of the agent's URL, such as `/health`.
    pub path: String,
    /// Its port. Default: that of the agent's URL.
    pub port: Option<u16>,
    /// The status that means well, 100 to 599. Default: any 2xx.
    pub status: Option<u16>,
    /// What has to be in its JSON: a key of the object, or a pointer such as `/checks/0/status`, and the value there.
    #[serde(default)]
    pub json: BTreeMap<String, Value>,
}

/// A question of the protocol itself. It has no keys yet.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct PingFile {}

/// A command that tells whether the agent is well.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CommandFile {
    /// The program and its arguments, such as `[pg_isready, -q]`. A program with `/` in it is relative to the folder of the
    /// configuration file; no shell is involved.
    pub command: Vec<String>,
}
