//! `control.yaml` as people write it. Every key may be left out.

use outrigger_config::identity::IdentityFile;
use outrigger_config::log::LogFile;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::retries::RetriesFile;
use crate::config::pools::PoolFile;
use crate::config::rates::RateFile;
use crate::config::traffic::{FaultsFile, HeadersFile, MatchFile, MirrorFile, ShareFile};

/// Configuration of `outrigger control`.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ControlFile {
    /// Where control listens.
    pub listen: ListenFile,
    /// Where facts outlive the process: `sqlite:PATH`, relative to this file; `postgres://USER@HOST/DATABASE`, which replicas of control
    /// share; or `memory`. Default: sqlite:control.db
    pub store: Option<String>,
    /// `host:port` under which proxies reach this replica of control, as they write it in `control.address`; the others tell it to proxies
    /// while this one leads. Default: listen.grpc, if it is an address that others can dial
    pub advertise: Option<String>,
    /// Control's own certificate. Without it gRPC is plaintext, on loopback only unless `insecure` is set.
    pub identity: Option<IdentityFile>,
    /// Allows plaintext beyond loopback. For closed networks only.
    pub insecure: bool,
    /// Who may register what.
    pub registration: RegistrationFile,
    /// How long control believes in a proxy that it does not hear from.
    pub lease: LeaseFile,
    /// Settings that every proxy of the mesh gets.
    pub settings: MeshFile,
    /// Routes of your own, beside those that every agent and capability has.
    pub routes: Vec<RouteFile>,
    /// How calls are spread over the replicas of an agent.
    pub pools: Vec<PoolFile>,
    /// Whether operators may call agents through control, as `meshctl call` does. Default: true, but false where control has an `identity`
    pub relay: Option<bool>,
    /// What control writes about itself.
    pub log: LogFile,
}

/// Addresses of the form ip:port; port 0 takes a free one.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ListenFile {
    /// Registration and discovery, for proxies. Default: 127.0.0.1:17010
    pub grpc: String,
    /// The API of operators; always plaintext, so keep it on loopback. Default: 127.0.0.1:8000
    pub http: String,
}

/// Who may register what.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct RegistrationFile {
    /// Networks in which a proxy may advertise an address other than the one it connects from, such as 10.0.0.0/8.
    pub allow_networks: Vec<String>,
    /// Most replicas of the whole mesh, 1 to 20000. Default: 20000
    pub replicas_max: Option<usize>,
}

/// How long control believes in a proxy that it does not hear from.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct LeaseFile {
    /// How often a proxy signals that it lives. Default: 5
    pub light_seconds: Option<u64>,
    /// After how long without a signal its replicas are unhealthy; at least twice `light_seconds`. Default: 20
    pub lease_seconds: Option<u64>,
}

/// Settings that every proxy of the mesh gets.
#[derive(Debug, Clone, Default, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct MeshFile {
    /// A session that is not used for this long is forgotten. Default: 3600
    pub session_idle_seconds: Option<u64>,
    /// A session is over after this long, however much it is used. Default: 2592000, which is 30 days
    pub session_lifetime_seconds: Option<u64>,
    /// Who knows where a session lives: `stored`, the stores of the proxies, or `sealed`, the id itself. Default: stored
    pub session_mode: Option<String>,
    /// After how many days proxies get a new key to seal session ids with, 0 to 365; 0 is never. Default: 30
    pub session_key_days: Option<u32>,
    /// Sessions that one proxy holds open for one caller. Default: no limit
    pub sessions_per_caller_max: Option<u32>,
    /// Sessions that one proxy holds open with one agent. Default: no limit
    pub sessions_per_agent_max: Option<u32>,
    /// Sessions that one proxy holds open. Default: no limit but that of its memory
    pub sessions_max: Option<u32>,
}

/// A route: callers reach it as /NAME/mcp.
#[derive(Debug, Clone, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RouteFile {
    pub name: String,
    /// The capability that it leads to.
    pub capability: String,
    /// A semver range such as ^1.2. Default: every version
    #[serde(default)]
    pub version: Option<String>,
    /// Tags of its provider: `tag` must be there, `+tag` is preferred, `-tag` must not be there.
    #[serde(default)]
    pub tags: Vec<String>,
    /// Which state calls follow: auto, agent, keys or none. Default: auto
    #[serde(default)]
    pub affinity: Option<String>,
    /// Read the body of every call and refuse those whose head says something else. Default: false, then bodies of calls of revision
    /// 2026-07-28 are not touched
    #[serde(default)]
    pub inspect: bool,
    /// Values of a call that say which replica holds the state behind them, in the order in which they decide; at most 4.
    #[serde(default)]
    pub keys: Vec<KeyFile>,
    /// What becomes of a session whose replica is gone: `404`, its client opens another one, or `reestablish`, it is opened again on
    /// another replica, which loses what it held. Default: 404
    #[serde(default)]
    pub on_replica_loss: Option<String>,
    #[serde(default)]
    pub timeouts: TimeoutsFile,
    /// Who shares the calls that nothing in `match` is about, each by its weight; at most 8. Default: the route's own provider gets all
    #[serde(default)]
    pub split: Vec<ShareFile>,
    /// Calls that go elsewhere because of what they say or who sends them. The first that matches decides; at most 15.
    #[serde(default, rename = "match")]
    pub matches: Vec<MatchFile>,
    /// Who gets copies of calls; what it answers is thrown away.
    #[serde(default)]
    pub mirror: Option<MirrorFile>,
    /// Calls that are made to wait or to fail, to see what callers do then.
    #[serde(default)]
    pub faults: Option<FaultsFile>,
    /// What is changed of the head of each request.
    #[serde(default)]
    pub headers: Option<HeadersFile>,
    /// When a call that failed is sent again.
    #[serde(default)]
    pub retries: RetriesFile,
    /// How often calls may leave for it; a call needs room in all of them; at most 8.
    #[serde(default)]
    pub rates: Vec<RateFile>,
    /// Which calls are refused first where a proxy has too much to do: low, then normal, then high. Default: normal
    #[serde(default)]
    pub priority: Option<String>,
}

/// Where in a call a key stands: exactly one of `header`, `param`, `cookie` and `argument`.
#[derive(Debug, Clone, Default, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct KeyFile {
    /// A header of the request.
    pub header: Option<String>,
    /// The header `Mcp-Param-<param>`, of calls of revision 2026-07-28 or later.
    pub param: Option<String>,
    /// A cookie of the request.
    pub cookie: Option<String>,
    /// A string or number in the arguments of `tools/call`, such as session_id or cart.id.
    pub argument: Option<String>,
    /// Tools whose argument it is. Default: all
    pub tools: Vec<String>,
}

/// How long each phase of a call may take, by what kind of call it is.
#[derive(Debug, Clone, Default, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct TimeoutsFile {
    /// To connect to a replica. Default: 1500
    pub connect_ms: Option<u64>,
    /// Lists, reads, initialize, server/discover, notifications. Default: first byte 30000, idle 30000, total 60000
    pub quick: LimitsFile,
    /// Calls of tools, and whatever may be one. Default: first byte 300000, idle 300000, total 3600000
    pub call: LimitsFile,
    /// GET streams and subscriptions/listen. Default: first byte 30000, idle and total without limit
    pub stream: LimitsFile,
    /// How long an event stream may be quiet before its caller is sent a comment. Default: it is never sent one
    pub keep_alive_ms: Option<u64>,
}

/// How long calls of one kind may take.
#[derive(Debug, Clone, Default, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct LimitsFile {
    /// From the sent request to the head of the answer.
    pub first_byte_ms: Option<u64>,
    /// Between two bytes of an answer.
    pub idle_ms: Option<u64>,
    /// From the head of the request to the last byte of the answer.
    pub total_ms: Option<u64>,
}

impl Default for ListenFile {
    fn default() -> Self {
        Self { grpc: "127.0.0.1:17010".to_owned(), http: "127.0.0.1:8000".to_owned() }
    }
}
