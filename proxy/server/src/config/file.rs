//! `proxy.yaml` as people write it.
//!
//! Invariant: every key is documented here, as these texts are the JSON Schema that editors show.

mod facade;
mod probe;

use std::collections::BTreeMap;
use std::fmt;

use outrigger_config::identity::IdentityFile;
use outrigger_config::log::LogFile;
use schemars::JsonSchema;
use serde::Deserialize;

pub use facade::FacadeFile;
pub use probe::{CommandFile, PageFile, PingFile, ProbeFile};

/// Configuration of one proxy: the agents behind it, where it listens, and whom it asks.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[schemars(title = "Outrigger proxy configuration")]
pub struct ProxyFile {
    /// Name of this proxy in the mesh. Default: the id of the first agent's replica, else the host name.
    pub node: Option<String>,
    /// Where this proxy runs, such as eu-1a: calls go to replicas of the same zone first. `OUTRIGGER_ZONE` says the same. Default: none.
    pub zone: Option<String>,
    /// Labels by which operators pick this proxy for a rollout, such as `track: canary`; at most 16, spelled as in Kubernetes.
    pub labels: BTreeMap<String, String>,
    /// The agents behind this proxy; usually one, none for a proxy that only calls.
    pub agents: Vec<AgentFile>,
    /// What these agents call: `alias=capability [range] [tag] [+preferred] [-excluded]`, such as
    /// `forecast=weather ^1.2 +eu`. Each alias is reachable at `/{alias}/mcp`.
    pub needs: Vec<String>,
    /// What control tells this proxy of: `all`, every agent and route of the mesh, or `needs`, nothing but what stands in `needs` and what its
    /// agents of mcp-mesh depend on. Default: all
    pub view: Option<String>,
    /// Where this proxy listens. Port 0 takes any free port.
    pub listen: ListenFile,
    /// `ip:port` by which other proxies reach the inbound listener. Default: its address; if that is unspecified, the
    /// local address towards control.
    pub advertise: Option<String>,
    /// The control service. Without it the proxy runs from its last snapshot.
    pub control: Option<ControlFile>,
    /// Who this proxy proves to be. Without it everything is plaintext, which is taken only on loopback.
    pub identity: Option<IdentityFile>,
    /// Take plaintext beyond loopback. For trials only.
    pub insecure: bool,
    /// Which session lives on which replica.
    pub sessions: SessionsFile,
    /// The last good snapshot, kept for a start without control.
    pub snapshot: SnapshotFile,
    /// What a single caller may use.
    pub limits: LimitsFile,
    /// When calls are refused because there is too much to do.
    pub overload: OverloadFile,
    /// Everything at once, at `/mcp`.
    pub aggregate: AggregateFile,
    /// Further `Host` values (`name` or `name:port`) that agents may use for the outbound listener; loopback names always are.
    pub allowed_hosts: Vec<String>,
    /// Further `Origin` values, such as `https://app.example.com`; loopback origins always are.
    pub allowed_origins: Vec<String>,
    /// Agents that use this proxy as their HTTP proxy (`HTTP_PROXY=http://127.0.0.1:17001`) and keep the URLs they know.
    pub forward: ForwardFile,
    /// Agents of mcp-mesh that take this proxy for their registry.
    pub facade: FacadeFile,
    /// How the proxy ends.
    pub drain: DrainFile,
    /// How another process takes over from this one, without a connection refused.
    pub handover: HandoverFile,
    /// What the log looks like.
    pub log: LogFile,
    /// Threads that serve calls, 1 to 256. Default: 2.
    pub threads: Option<u16>,
}

/// One agent behind the proxy.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AgentFile {
    /// The name of the agent; all its replicas share it.
    pub name: String,
    /// Its MCP endpoint, such as `http://127.0.0.1:8081/mcp`.
    pub url: String,
    /// Id of this copy, unique in the mesh. Default: the name and a digest of node (or host name) and url.
    pub replica: Option<String>,
    /// Semantic version of the agent. Default: 0.0.0.
    pub version: Option<String>,
    /// Tags that callers can ask for.
    #[serde(default)]
    pub tags: Vec<String>,
    /// Share of new calls relative to other replicas, 1 to 1000. Default: 100.
    pub weight: Option<u16>,
    /// What is known of this copy.
    #[serde(default)]
    pub metadata: MetadataFile,
    /// Capabilities beside those that follow from the agent's name and its tools.
    #[serde(default)]
    pub capabilities: Vec<CapabilityFile>,
    /// How the agent is asked whether it serves.
    #[serde(default)]
    pub probe: ProbeFile,
    /// How long a call of it may take until its answer begins, and between two bytes of it, in seconds. Default: 300, and 300.
    pub timeout: Option<f64>,
    /// How often a call that may be sent again is, 0 to 9. It makes no call one that may run twice. Default: 2.
    pub retry_count: Option<u32>,
    /// Headers that its calls get in place of what their callers wrote.
    #[serde(default)]
    pub custom_headers: BTreeMap<String, String>,
    /// Whether an answer that began may take as long as it likes. Default: false.
    pub streaming: Option<bool>,
    /// A path that answers 2xx while the agent is well, such as `/health`: short for `probe: {http: {path: /health}}`.
    pub health_check: Option<String>,
}

/// What is known of one copy of an agent.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct MetadataFile {
    /// How much it can do beside another one, 0.01 to 10; the same as a `weight` of a hundred times as much. Default: 1.
    pub capacity: Option<f64>,
}

/// A capability under its own name.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CapabilityFile {
    /// The name that callers ask for.
    pub name: String,
    /// Semantic version. Default: that of the agent.
    pub version: Option<String>,
    /// Tags. Default: those of the agent.
    pub tags: Option<Vec<String>>,
    /// The agent's tools that belong to it.
    #[serde(default)]
    pub tools: Vec<String>,
    /// Whether calls of its tools with one `session_id` among their arguments have to reach one replica. Default: false.
    #[serde(default)]
    pub session_required: bool,
    /// The same as `session_required`, as agents of mcp-mesh spell it.
    #[serde(default)]
    pub stateful: bool,
    /// As of the agent, for calls of this capability. Default: that of the agent.
    pub timeout: Option<f64>,
    /// As of the agent. Default: that of the agent.
    pub retry_count: Option<u32>,
    /// As of the agent. Default: those of the agent.
    pub custom_headers: Option<BTreeMap<String, String>>,
    /// As of the agent. Default: that of the agent.
    pub streaming: Option<bool>,
}

/// Addresses to listen on, as `ip:port`.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ListenFile {
    /// For the local agent. Default: 127.0.0.1:17001.
    pub outbound: Option<String>,
    /// For other proxies. Default: 0.0.0.0:17006; 127.0.0.1:17006 without identity.
    pub inbound: Option<String>,
    /// For the operator of this machine. Default: 127.0.0.1:17000.
    pub admin: Option<String>,
    /// Health and metrics. Default: 0.0.0.0:17020.
    pub health: Option<String>,
}

/// Where control is.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ControlFile {
    /// `host:port` of control's gRPC listener, such as `127.0.0.1:17010`. Of several replicas of control, all of them with commas between;
    /// they are tried in an order of chance.
    pub address: String,
}

/// Session bindings.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct SessionsFile {
    /// Redis that shares bindings between proxies, such as `redis://127.0.0.1:6379`. Default: `REDIS_URL` of the
    /// environment; empty keeps them in memory only.
    pub redis_url: Option<String>,
    /// A Redis that takes more to reach than one URL.
    pub redis: RedisFile,
    /// Put before every key in Redis. Default: `session:`.
    pub key_prefix: Option<String>,
    /// Most bindings in memory, 1 to 10000000. Default: 100000.
    pub entries_max: Option<u64>,
    /// Longest wait for Redis in milliseconds, 1 to 5000; then memory alone decides. Default: 50.
    pub redis_timeout_ms: Option<u64>,
}

/// Redis with Sentinel, as a cluster, with a user of its own or with certificates.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct RedisFile {
    /// Instead of `redis_url`: one node, some nodes of a cluster, or all sentinels. `rediss://` is TLS.
    pub urls: Vec<String>,
    /// The nodes of `urls` are sentinels; they are asked which node is the primary.
    pub sentinel: Option<SentinelFile>,
    /// The nodes of `urls` belong to a cluster.
    pub cluster: bool,
    /// The user that the proxy is. Default: that of the URL.
    pub username: Option<String>,
    /// Its password. Default: that of the URL.
    pub password: Option<PasswordText>,
    /// A file whose first line is the password, relative to the folder of the configuration file.
    pub password_file: Option<String>,
    /// PEM file of the authorities that Redis is verified by. Default: those of the system.
    pub ca_file: Option<String>,
    /// PEM file of the certificate that the proxy shows to Redis. Default: none.
    pub certificate: Option<String>,
    /// PEM file of its key.
    pub key: Option<String>,
}

/// How sentinels are asked.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SentinelFile {
    /// The name by which the sentinels know the primary, such as `mymaster`.
    pub master: String,
    /// The user at the sentinels. Default: that of the URL.
    pub username: Option<String>,
    /// The password at the sentinels. Default: that of the URL.
    pub password: Option<PasswordText>,
    /// A file whose first line is that password.
    pub password_file: Option<String>,
}

/// A password; nothing shows it.
#[derive(Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct PasswordText(pub String);

impl fmt::Debug for PasswordText {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("(password)")
    }
}

/// The last good snapshot.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct SnapshotFile {
    /// The file it is kept in, relative to the folder of the configuration file. Default: none, so a start needs control.
    pub file: Option<String>,
}

/// Limits of what is accepted.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct LimitsFile {
    /// Largest request body in bytes, 1 to 1073741824. Default: 16777216.
    pub body_bytes_max: Option<u64>,
    /// Largest request head in bytes, 1024 to 1048576. Default: 65536.
    pub header_bytes_max: Option<u64>,
    /// Most open connections of callers, 1 to 1000000. Default: 10000.
    pub connections_max: Option<u64>,
    /// Longest time for a request head to arrive in milliseconds, 10 to 600000. Default: 10000.
    pub head_ms: Option<u64>,
    /// How long a request body may be waited for in milliseconds, 10 to 600000, beside what its bytes earn. Default: 5000.
    pub body_grace_ms: Option<u64>,
    /// So many bytes of a request body earn it another second, 1 to 1048576. Default: 256.
    pub body_bytes_per_second_min: Option<u32>,
}

/// When calls are refused because there is too much to do: streams and low priority from 85 percent of it on, the usual from 95,
/// high priority at the end.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct OverloadFile {
    /// Calls that are under way at once, open streams among them, 1 to 1000000. Default: no limit.
    pub in_flight_max: Option<u64>,
    /// Memory of this process in bytes, at least 16777216. Default: no limit.
    pub memory_bytes_max: Option<u64>,
    /// The same in percent of what its control group may have, or else of the machine's memory, 1 to 100. Default: no limit.
    pub memory_percent: Option<u8>,
    /// How often memory is looked at in milliseconds, 10 to 10000. Default: 100.
    pub check_ms: Option<u64>,
}

/// Where whole URLs and tunnels may lead.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ForwardFile {
    /// Sites beyond the mesh, as `host:port` or `host:*`, such as `127.0.0.1:*` or `api.example.com:443`. Default: none.
    pub allow: Vec<String>,
    /// URLs of MCP endpoints as the agents write them, and the route that each stands for, such as
    /// `http://weather.example:8080/mcp: weather`. The URLs of the agents behind this proxy are known without that.
    pub routes: BTreeMap<String, String>,
    /// How long a tunnel in which nothing moves is kept, in seconds, 1 to 86400. Default: 3600.
    pub tunnel_idle_seconds: Option<u64>,
}

/// The aggregated endpoint, `/mcp`.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct AggregateFile {
    /// Most entries of one page of a list, 1 to 10000. Default: 1000.
    pub page_size: Option<u64>,
    /// Longest time between two looks at the lists of an agent in seconds, 1 to 3600. Default: 30.
    pub refresh_seconds: Option<u64>,
    /// Longest time that one look may take in milliseconds, 100 to 60000; then the last good list is kept. Default: 5000.
    pub deadline_ms: Option<u64>,
}

/// How the proxy ends.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct DrainFile {
    /// Longest wait for calls in flight in seconds, 0 to 3600. Default: 10.
    pub grace_seconds: Option<u64>,
    /// Shortest time in seconds for which the own agents are still served after the end began, 0 to 3600; they are served longer while
    /// calls to them go on, and never beyond the grace. Default: 1.
    pub agent_seconds: Option<u64>,
}

/// How another process takes over from this one.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct HandoverFile {
    /// The Unix socket at which `outrigger proxy --upgrade` asks for the listeners, relative to the folder of the configuration file; its
    /// folder must be writable and nobody else's. Default: none.
    pub socket: Option<String>,
}
