//! What may be written on the command line.
//!
//! In: words. Out: [`Args`], in which addresses, names and numbers are valid.
//! Never here: what a command does.

mod control_at;
mod keep;
pub mod snapshot;

use std::path::PathBuf;

use clap::{Args as Group, Parser, Subcommand, ValueEnum};
use outrigger_model::name::{AgentName, RouteName};
use outrigger_model::position::Position;
use outrigger_model::requirement::Dependency;
use outrigger_model::resource::ResourceKind;
use outrigger_model::revocation::SessionName;

use crate::http::Origin;
use crate::render::form::Form;
use crate::target::Target;

pub use control_at::ControlAt;
pub use keep::Keep;

const EXAMPLES: &str = "\
Examples:
  outrigger up weather=http://127.0.0.1:8081/mcp,http://127.0.0.1:8082/mcp
  outrigger call weather get_forecast '{\"city\":\"Oslo\"}'
  outrigger get agents            outrigger explain weather --tag eu

Exit codes: 0 fine, 1 the thing asked failed, 2 bad usage, 64 bad configuration.";

/// A service mesh for MCP agents: sessions stay where their state is, and no agent is changed.
#[derive(Debug, Parser)]
#[command(name = "outrigger", version, after_help = EXAMPLES)]
pub struct Args {
    #[command(subcommand)]
    pub command: Command,
}

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Run a whole mesh here, in front of servers that are already running
    Up(Up),
    /// Run the proxy beside an agent
    Proxy(Beside),
    /// Run the control service
    Control(ControlService),
    /// List what the mesh knows
    Get(Get),
    /// End sessions before their time, or turn the key of their ids
    #[command(subcommand)]
    Sessions(Sessions),
    /// Plan, publish and roll back routes, pools and settings, and see what they were
    #[command(subcommand)]
    Snapshot(snapshot::Snapshot),
    /// Say why a capability leads to this provider, or what would be done with a call
    Explain(Explain),
    /// Call a tool of an agent through the proxy
    Call(Call),
    /// Watch snapshots as they are published, as a proxy does
    Watch(Watch),
    /// Make an authority, and certificates of agents, nodes and operators
    #[command(subcommand)]
    Ca(Ca),
    /// Check configuration files without starting anything
    Validate(Validate),
    /// Print the JSON Schema of a configuration file
    Schema(Schema),
    /// Print a completion script for a shell
    Completion(Completion),
    /// Check a proxy, control and every agent, and say what to try where something is wrong
    Check(Check),
    /// Ask whether a proxy or control is ready; for containers without curl
    Healthcheck(Healthcheck),
}

#[derive(Debug, Group)]
pub struct Up {
    /// An agent and where its replicas are: NAME=URL[,URL…]
    #[arg(required = true, value_name = "NAME=URL[,URL…]")]
    pub targets: Vec<Target>,
    /// Where agents and clients call in; port 0 takes a free one
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:17001")]
    pub outbound: std::net::SocketAddr,
    /// Where other proxies and `outrigger watch` reach control
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:17010")]
    pub grpc: std::net::SocketAddr,
    /// Where `outrigger get` and `outrigger explain` reach control
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8000")]
    pub http: std::net::SocketAddr,
    /// Where the proxy answers about itself
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:17000")]
    pub admin: std::net::SocketAddr,
    /// Health and metrics of the proxy
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:17020")]
    pub health: std::net::SocketAddr,
    /// Where sessions are kept; without it, in memory
    #[arg(long, value_name = "URL", env = "REDIS_URL", hide_env_values = true)]
    pub redis_url: Option<String>,
    /// A site that agents may reach with the mesh as their HTTP proxy: HOST:PORT or HOST:*; may be repeated
    #[arg(long, value_name = "SITE")]
    pub forward_allow: Vec<String>,
    /// Write the real addresses here, as JSON, once everything listens
    #[arg(long, value_name = "FILE")]
    pub ports_file: Option<PathBuf>,
}

#[derive(Debug, Group)]
pub struct Serve {
    /// Configuration, see `outrigger schema`; left out, everything comes from OUTRIGGER_… variables
    #[arg(short, long, value_name = "FILE")]
    pub file: Option<PathBuf>,
    /// Write the real addresses here, as JSON, once everything listens
    #[arg(long, value_name = "FILE")]
    pub ports_file: Option<PathBuf>,
}

#[derive(Debug, Group)]
pub struct ControlService {
    #[command(flatten)]
    pub serve: Serve,
    #[command(subcommand)]
    pub keep: Option<Keep>,
}

#[derive(Debug, Group)]
pub struct Beside {
    #[command(flatten)]
    pub serve: Serve,
    /// Take over from the proxy that runs with the same `handover.socket`: no connection is refused, no session is lost
    #[arg(long)]
    pub upgrade: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Kind {
    Agents,
    Replicas,
    Capabilities,
    Routes,
    Proxies,
    Snapshots,
    Events,
    /// What one proxy holds; see --admin
    Sessions,
}

#[derive(Debug, Group)]
pub struct Get {
    #[arg(value_enum)]
    pub kind: Kind,
    #[arg(short, long, value_enum, default_value_t)]
    pub output: Form,
    /// Ask every second and print again when the answer has changed
    #[arg(short, long)]
    pub watch: bool,
    /// Only sessions at this agent
    #[arg(long, value_name = "NAME")]
    pub agent: Option<AgentName>,
    /// How many of the newest events or sessions
    #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..=1000))]
    pub limit: u32,
    /// Address of the admin listener of the proxy whose sessions are listed
    #[arg(long, value_name = "ADDRESS", env = "OUTRIGGER_ADMIN", default_value = "127.0.0.1:17000")]
    pub admin: Origin,
    #[command(flatten)]
    pub at: ControlAt,
}

#[derive(Debug, Subcommand)]
pub enum Sessions {
    /// Refuse sessions from now on, at every proxy, and end their streams
    Revoke(Revoke),
    /// Have proxies seal new session ids with a new key; sessions that are open go on
    RotateKey {
        #[command(flatten)]
        at: ControlAt,
    },
}

#[derive(Debug, Group)]
#[command(group = clap::ArgGroup::new("whose").required(true))]
pub struct Revoke {
    /// One session, by the name that `outrigger get sessions` lists
    #[arg(group = "whose", value_name = "NAME")]
    pub name: Option<SessionName>,
    /// All sessions of a calling workload, by its SPIFFE id
    #[arg(long, group = "whose", value_name = "SPIFFE-ID")]
    pub caller: Option<String>,
    /// All sessions at an agent
    #[arg(long, group = "whose", value_name = "NAME")]
    pub agent: Option<AgentName>,
    /// Why, for the event log
    #[arg(long, value_name = "TEXT")]
    pub reason: Option<String>,
    /// Seconds to wait for the proxies
    #[arg(long, value_name = "SECONDS", default_value_t = 10, value_parser = clap::value_parser!(u64).range(1..=600))]
    pub within: u64,
    #[arg(short, long, value_enum, default_value_t)]
    pub output: Form,
    #[command(flatten)]
    pub at: ControlAt,
}

#[derive(Debug, Group)]
pub struct Explain {
    /// Name of a capability or a route; with --call also of an agent or a replica. A text with blanks is a whole requirement, such as
    /// "greeting prod +en @range=>=2 @reach=ties"
    pub name: String,
    /// Say what the proxy of this machine would do with a call of this method, such as tools/call
    #[arg(long, value_name = "METHOD", conflicts_with_all = ["tags", "version", "namespace", "schema"])]
    pub call: Option<String>,
    /// Tool that is called
    #[arg(long, value_name = "TOOL", requires = "call")]
    pub tool: Option<String>,
    /// Header of the call; may be repeated
    #[arg(long = "header", value_name = "NAME:VALUE", requires = "call")]
    pub headers: Vec<String>,
    /// Address of the proxy's admin listener
    #[arg(long, value_name = "ADDRESS", env = "OUTRIGGER_ADMIN", default_value = "127.0.0.1:17000")]
    pub admin: Origin,
    /// Tag that the provider must have; `+tag` is preferred, `-tag` excluded
    #[arg(long = "tag", value_name = "TAG", allow_hyphen_values = true)]
    pub tags: Vec<String>,
    /// Semver range, such as ^1.2
    #[arg(long, value_name = "RANGE")]
    pub version: Option<semver::VersionReq>,
    /// Namespace whose offers count
    #[arg(long, value_name = "NAME")]
    pub namespace: Option<String>,
    /// What the provider has to answer: `subset:` or `strict:`, then a JSON Schema in canonical form, or its hash
    #[arg(long, value_name = "MODE:SCHEMA")]
    pub schema: Option<String>,
    #[arg(short, long, value_enum, default_value_t)]
    pub output: Form,
    #[command(flatten)]
    pub at: ControlAt,
}

#[derive(Debug, Group)]
pub struct Call {
    /// Agent or capability
    pub target: RouteName,
    /// Tool; left out, the tools are listed
    pub tool: Option<String>,
    /// Arguments of the tool, a JSON object
    #[arg(default_value = "{}", value_parser = json_object)]
    pub arguments: JsonObject,
    /// `new` opens a session and keeps it, an id goes on with it; left out, the call has a session of its own
    #[arg(long, value_name = "new|ID")]
    pub session: Option<String>,
    /// Address of the proxy's outbound listener
    #[arg(long, value_name = "ADDRESS", env = "OUTRIGGER_OUTBOUND", default_value = "127.0.0.1:17001")]
    pub outbound: Origin,
    /// Seconds to wait for the answer
    #[arg(long, value_name = "SECONDS", default_value_t = 60, value_parser = clap::value_parser!(u64).range(1..=86_400))]
    pub within: u64,
    #[arg(short, long, value_enum, default_value_t)]
    pub output: Form,
}

/// A JSON object as written by the user.
#[derive(Debug, Clone)]
pub struct JsonObject(pub serde_json::Map<String, serde_json::Value>);

/// How lines are written as they come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub enum Lines {
    #[default]
    Text,
    /// One JSON object per line
    Json,
}

#[derive(Debug, Group)]
pub struct Watch {
    /// Kind to show: Settings, Keyring, Revocations, Agent, Capability, Pool, Endpoints or Route; all if left out
    #[arg(long = "kind", value_name = "KIND", value_parser = resource_kind)]
    pub kinds: Vec<ResourceKind>,
    /// Requirement whose route is part of the view, such as `forecast=weather ^1.2`
    #[arg(long = "need", value_name = "REQUIREMENT")]
    pub needs: Vec<Dependency>,
    #[arg(short, long, value_enum, default_value_t)]
    pub output: Lines,
    /// Begin with what changed since then: EPOCH.SERIAL, as a SYNCED line has it
    #[arg(long, value_name = "EPOCH.SERIAL")]
    pub since: Option<Position>,
    /// End after this many snapshots
    #[arg(long, value_name = "N")]
    pub snapshots: Option<u64>,
    /// Address of control's gRPC listener
    #[arg(long, value_name = "ADDRESS", env = "OUTRIGGER_CONTROL_GRPC", default_value = "127.0.0.1:17010")]
    pub grpc: Origin,
    /// Certificate to prove who watches; its `.key` and `ca.pem` lie beside it. Without it: no TLS
    #[arg(long, value_name = "FILE.pem", env = "OUTRIGGER_IDENTITY")]
    pub identity: Option<PathBuf>,
}

#[derive(Debug, Subcommand)]
pub enum Ca {
    /// Make an authority: ca.pem for everyone, ca.key for nobody else
    Init {
        /// Folder to put it in; made if it is not there
        #[arg(long, value_name = "DIR")]
        dir: PathBuf,
        /// What all identities of the mesh start with: spiffe://<trust domain>/…
        #[arg(long, value_name = "NAME", default_value = "local", value_parser = outrigger_model::identity::TrustDomain::new)]
        trust_domain: outrigger_model::identity::TrustDomain,
    },
    /// Issue a certificate: NAME.pem, NAME.key and a copy of ca.pem
    Issue {
        /// Folder of the authority
        #[arg(long, value_name = "DIR")]
        dir: PathBuf,
        /// `agent/NAME`, `node/NAME`, `operator/NAME` or `control`
        identity: String,
        /// Folder for the files
        #[arg(long, value_name = "DIR")]
        out: PathBuf,
        /// Days until it expires
        #[arg(long, default_value_t = 90, value_parser = clap::value_parser!(u32).range(1..=3650))]
        days: u32,
    },
}

#[derive(Debug, Group)]
pub struct Validate {
    #[arg(required = true, value_name = "FILE")]
    pub files: Vec<PathBuf>,
    /// What the files configure; left out, their names or keys tell
    #[arg(long = "as", value_enum, value_name = "KIND")]
    pub of: Option<SchemaOf>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum SchemaOf {
    Proxy,
    Control,
}

#[derive(Debug, Group)]
pub struct Schema {
    #[arg(value_enum)]
    pub of: SchemaOf,
}

#[derive(Debug, Group)]
pub struct Completion {
    #[arg(value_enum)]
    pub shell: clap_complete::Shell,
}

#[derive(Debug, Group)]
pub struct Check {
    /// Address of the proxy's health listener
    #[arg(long, value_name = "ADDRESS", env = "OUTRIGGER_HEALTH", default_value = "127.0.0.1:17020")]
    pub health: Origin,
    #[command(flatten)]
    pub at: ControlAt,
    #[arg(short, long, value_enum, default_value_t)]
    pub output: Form,
}

#[derive(Debug, Group)]
pub struct Healthcheck {
    /// Address of the health listener; control's is its HTTP listener
    #[arg(default_value = "127.0.0.1:17020", env = "OUTRIGGER_HEALTH")]
    pub address: Origin,
}

fn json_object(text: &str) -> Result<JsonObject, String> {
    match serde_json::from_str(text) {
        Ok(serde_json::Value::Object(object)) => Ok(JsonObject(object)),
        Ok(_) => Err("arguments are a JSON object, such as '{\"city\":\"Oslo\"}'".to_owned()),
        Err(cause) => Err(format!("not JSON ({cause}); write an object, such as '{{\"city\":\"Oslo\"}}'")),
    }
}

/// A kind of resource, whatever its case.
fn resource_kind(text: &str) -> Result<ResourceKind, String> {
    let named = |kind: &ResourceKind| kind.as_str().eq_ignore_ascii_case(text);
    ResourceKind::ALL.into_iter().find(named).ok_or_else(|| {
        let known: Vec<&str> = ResourceKind::ALL.into_iter().map(ResourceKind::as_str).collect();
        format!("there are {}", known.join(", "))
    })
}

#[cfg(test)]
mod tests;
