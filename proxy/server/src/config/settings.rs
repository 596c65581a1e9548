//! What the proxy runs with: checked values, no defaults left to decide.
//!
//! Out: [`Settings`], made only by `resolve`, or changed by who runs a proxy inside its own process.
//! Never here: serde, texts that are still to be parsed.
//! Invariant: secrets are not shown by `Debug`.

use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use outrigger_config::log::Log;
use outrigger_identity::Material;
use outrigger_model::calls::Calls;
use outrigger_model::label::Labels;
use outrigger_model::name::{AgentName, CapabilityName, NodeId, ReplicaId};
use outrigger_model::requirement::Dependency;
use outrigger_model::tag::TagSet;
use outrigger_proxy_core::outside::Outside;
use semver::Version;

use super::redis::Redis;

/// Everything a proxy needs to start.
#[derive(Debug, Clone)]
pub struct Settings {
    pub node: NodeId,
    /// Where this proxy runs; empty: it is not said.
    pub zone: String,
    /// By which operators pick it.
    pub labels: Labels,
    pub agents: Vec<AgentSettings>,
    pub needs: Vec<Dependency>,
    /// Control tells it of nothing else.
    pub only_needs: bool,
    pub listen: Listen,
    /// What other proxies dial; none means the inbound address, or the local address towards control.
    pub advertise: Option<SocketAddr>,
    /// `host:port` of the gRPC listener of each replica of control; none means that the proxy runs from its last good snapshot.
    pub control: Vec<String>,
    pub identity: IdentitySource,
    /// Plaintext beyond loopback is meant.
    pub insecure: bool,
    pub sessions: Sessions,
    /// The last good snapshot; none keeps it in memory only.
    pub snapshot_file: Option<PathBuf>,
    pub limits: Limits,
    pub overload: Overload,
    pub aggregate: Aggregate,
    /// Lower case, `name` or `name:port`.
    pub allowed_hosts: Vec<String>,
    /// Lower case, `scheme://host[:port]`.
    pub allowed_origins: Vec<String>,
    pub forward: Forward,
    /// None: agents of mcp-mesh cannot join.
    pub facade: Option<Facade>,
    pub drain: Drain,
    /// Where a process that takes over asks for the listeners; none means that nobody can.
    pub handover_socket: Option<PathBuf>,
    pub log: Log,
    pub threads: usize,
}

/// How the proxy ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Drain {
    /// Longest wait for calls in flight.
    pub grace: Duration,
    /// Shortest time for which the own agents are still served.
    pub agent: Duration,
}

/// One local agent: one replica in the mesh.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AgentSettings {
    pub name: AgentName,
    pub url: AgentUrl,
    pub replica: ReplicaId,
    pub version: Version,
    pub tags: TagSet,
    /// 1 to 1000.
    pub weight: u16,
    /// That of its proxy.
    pub zone: String,
    pub capabilities: Vec<DeclaredCapability>,
    pub probe: Probe,
    /// How calls of it travel.
    pub calls: Calls,
}

/// A capability that the operator names; its tools are looked up when the agent has told them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeclaredCapability {
    pub name: CapabilityName,
    pub version: Version,
    pub tags: TagSet,
    pub tools: Vec<String>,
    pub session_required: bool,
    pub calls: Calls,
}

/// The MCP endpoint of a local agent: plain HTTP, with host, port and path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AgentUrl {
    pub(super) host: String,
    pub(super) port: u16,
    pub(super) path_and_query: String,
}

/// When the own agent is asked, and how long it may take.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Probe {
    pub interval: Duration,
    pub timeout: Duration,
    /// Failed looks in a row that withdraw it; at least 1.
    pub unhealthy_after: u32,
    /// Good looks in a row that bring it back; at least 1.
    pub healthy_after: u32,
    /// Whether it is asked what it offers.
    pub ask: bool,
    pub check: Check,
}

/// What has to be well, beside an open port.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Check {
    Port,
    Page(Page),
    Ping,
    Command(Command),
}

/// A page of the own agent, and what it says while the agent is well.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    /// With host and port of its own.
    pub url: AgentUrl,
    /// None is any 2xx.
    pub status: Option<u16>,
    /// JSON pointers, and the values there.
    pub json: Vec<(String, serde_json::Value)>,
}

/// A command that ends with 0 while the agent is well.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Command {
    pub program: PathBuf,
    pub arguments: Vec<String>,
}

/// The four listeners.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Listen {
    pub outbound: SocketAddr,
    pub inbound: SocketAddr,
    pub admin: SocketAddr,
    pub health: SocketAddr,
}

/// Where the proxy's identity comes from.
#[derive(Debug, Clone)]
pub enum IdentitySource {
    /// The mesh is plaintext.
    None,
    Files {
        certificate: PathBuf,
        key: PathBuf,
        authority: PathBuf,
    },
    /// Held in memory by who runs the proxy.
    Material(Box<Material>),
}

/// Session bindings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sessions {
    /// None keeps bindings in memory only.
    pub redis: Option<Redis>,
    pub key_prefix: String,
    pub entries_max: usize,
    pub redis_timeout: Duration,
}

/// What is done with whole URLs and tunnels.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Forward {
    pub outside: Outside,
    pub tunnel_idle: Duration,
}

/// The registry that agents of mcp-mesh find at this proxy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Facade {
    /// Most agents that are joined at a time.
    pub agents_max: usize,
    /// Addresses of this machine at which they may listen, beside loopback.
    pub allow_hosts: Vec<IpAddr>,
}

/// What a single caller may use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    pub body_bytes_max: usize,
    pub header_bytes_max: usize,
    pub connections_max: usize,
    pub head_time: Duration,
    pub body_grace: Duration,
    pub body_bytes_per_second_min: u32,
}

/// When calls are refused because there is too much to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Overload {
    pub in_flight_max: Option<u64>,
    pub memory: Option<MemoryMax>,
    /// How often memory is looked at.
    pub check: Duration,
}

/// How much memory this process may use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MemoryMax {
    Bytes(u64),
    /// Of what its control group may have, or the machine has.
    Percent(u8),
}

/// The aggregated endpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Aggregate {
    /// Most entries of one page.
    pub page_size: usize,
    /// Longest time between two looks at an agent's lists.
    pub refresh: Duration,
    /// How long one look may take.
    pub deadline: Duration,
}

impl Default for Aggregate {
    fn default() -> Self {
        Self { page_size: 1_000, refresh: Duration::from_secs(30), deadline: Duration::from_secs(5) }
    }
}

impl Check {
    /// The word for it in files and dumps.
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Port => "tcp",
            Self::Page(_) => "http",
            Self::Ping => "mcp",
            Self::Command(_) => "exec",
        }
    }
}

impl AgentUrl {
    /// A page at an address.
    pub fn at(address: SocketAddr, path_and_query: &str) -> Self {
        let host = match address.ip() {
            IpAddr::V4(ip) => ip.to_string(),
            IpAddr::V6(ip) => format!("[{ip}]"),
        };
        Self { host, port: address.port(), path_and_query: path_and_query.to_owned() }
    }

    /// Without brackets, also for IPv6.
    pub fn host(&self) -> &str {
        self.host.trim_start_matches('[').trim_end_matches(']')
    }

    pub fn port(&self) -> u16 {
        self.port
    }

    pub fn path_and_query(&self) -> &str {
        &self.path_and_query
    }

    /// What the agent finds in `Host`, and what is dialled.
    pub fn authority(&self) -> String {
        format!("{}:{}", self.host, self.port)
    }
}

impl fmt::Display for AgentUrl {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "http://{}:{}{}", self.host, self.port, self.path_and_query)
    }
}
