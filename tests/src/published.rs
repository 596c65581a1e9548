//! Servers and clients as they are published, run by the commands of their own documentation.
//!
//! In: which one, and where its data or its server is. Out: a running server with its URL, or what a client said.
//! Never here: anything that changes a peer, but that it binds loopback.
//! Invariant: nothing is written outside the folder of the test; settings and stores of the peers are in it too.

use std::path::Path;
use std::process::Output;

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};
use tokio::process::Command;

use crate::mesh::{Mesh, Proxy, Shape};
use crate::peers::{installed, node};
use crate::process::Process;
use crate::{binary, wait};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// `server-filesystem` behind supergateway, with a child process for each session.
    Filesystem,
    /// `server-memory` behind supergateway, with a child process for each request.
    Memory,
    /// Tools, prompts and resources in both eras: the conformance server on the Rust SDK.
    Conformance,
}

pub struct Server {
    pub process: Process,
    pub url: String,
}

impl Server {
    /// `data` is the folder it serves, or in which it keeps what it is told.
    pub async fn start(kind: Kind, name: &str, folder: &Path, data: &Path) -> Result<Self> {
        let mut command = match kind {
            Kind::Filesystem => bridged("server-filesystem", data)?,
            Kind::Memory => bridged("server-memory", data)?,
            Kind::Conformance => Command::new(binary::conformance_server()?),
        };
        if kind == Kind::Filesystem {
            command.arg("--stateful");
        }
        command.env("MEMORY_FILE_PATH", data.join("memory.jsonl")).env("PORT", "0").current_dir(folder);
        let mut process = Process::start(name, folder, command)?;
        let line = process.says("127.0.0.1:").await?;
        let port = line.split("127.0.0.1:").nth(1).unwrap_or_default();
        let port: String = port.chars().take_while(char::is_ascii_digit).collect();
        Ok(Self { process, url: format!("http://127.0.0.1:{port}/mcp") })
    }
}

fn bridged(server: &str, data: &Path) -> Result<Command> {
    let (node, server) = (node()?, published(&format!("@modelcontextprotocol/{server}/dist/index.js"))?);
    let stdio = format!("{} {} {}", node.display(), server.display(), data.display());
    let mut command = on_loopback(&node);
    command.arg(published("supergateway/dist/index.js")?).args(["--stdio", &stdio]);
    command.args(["--outputTransport", "streamableHttp", "--port", "0"]);
    Ok(command)
}

fn published(path: &str) -> Result<std::path::PathBuf> {
    installed(&format!("published/node_modules/{path}"))
}

/// Node, with servers bound to loopback.
fn on_loopback(node: &Path) -> Command {
    let mut command = Command::new(node);
    command.arg("--require").arg(binary::root().join("tests/peers/loopback.cjs"));
    command
}

/// Replicas of one agent, each behind its own proxy, and a proxy that calls them.
pub struct Replicas {
    pub servers: Vec<Server>,
    pub proxies: Vec<Proxy>,
    pub caller: Proxy,
    pub mesh: Mesh,
}

/// What replicas are called by.
const AGENT: &str = "published";

impl Replicas {
    /// As many replicas as names; each finds its data in the folder that `data` names for it.
    pub async fn start(kind: Kind, names: &[&str], data: impl Fn(&Path, &str) -> Result<String>) -> Result<Self> {
        let mut mesh = Mesh::new().await?;
        mesh.start_control().await?;
        let (mut servers, mut proxies) = (vec![], vec![]);
        for name in names {
            let data = data(mesh.folder(), name)?;
            let server = Server::start(kind, name, mesh.folder(), Path::new(&data)).await?;
            let shape = Shape { node: format!("{name}-proxy"), ..Shape::beside(AGENT, name, &server.url) };
            proxies.push(mesh.start_proxy(&shape).await?);
            servers.push(server);
        }
        let caller = mesh.start_proxy(&Shape::calling("desk-1", "agent/desk")).await?;
        caller.sees(AGENT, names.len()).await?;
        Ok(Self { servers, proxies, caller, mesh })
    }

    /// Where a client calls them.
    pub fn url(&self) -> String {
        self.caller.url(AGENT)
    }
}

/// Uses every feature of `server-everything` once, with the TypeScript SDK; answers with what it saw.
pub async fn tour_everything(url: &str, name: &str, folder: &Path) -> Result<Value> {
    let mut command = Command::new(node()?);
    command.arg(binary::root().join("tests/peers/tour_everything.mjs")).args([url, name]);
    command.env("PEERS", installed("node")?);
    let out = run(command, folder).await?;
    let line = out.lines().rfind(|line| line.starts_with('{')).with_context(|| format!("no report in {out}"))?;
    Ok(serde_json::from_str(line)?)
}

/// One method by the inspector's command line; answers with the JSON it prints.
pub async fn inspect(url: &str, words: &[&str], folder: &Path) -> Result<Value> {
    // It asks for a Node that is newer than the system's may be; the conformance suite brings one.
    let mut command = Command::new(installed("conformance/node_modules/node/bin/node")?);
    command.arg(published(".bin/mcp-inspector")?).args(["--cli", url, "--transport", "http"]).args(words);
    command.env("HOME", folder);
    let out = run(command, folder).await?;
    serde_json::from_str(&out).with_context(|| format!("inspector {}: not JSON: {out}", words.join(" ")))
}

/// The command that makes a remote server one on standard streams, as a JSON list.
pub fn remote_command(url: &str, folder: &Path) -> Result<String> {
    let (peers, remote) = (binary::root().join("tests/peers/loopback.cjs"), published("mcp-remote/dist/proxy.js")?);
    let settings = format!("MCP_REMOTE_CONFIG_DIR={}", folder.join("mcp-remote").display());
    let words =
        json!(["env", settings, node()?, "--require", peers, remote, url, "--allow-http", "--transport", "http-only"]);
    Ok(words.to_string())
}

/// Runs a client to its end, and wants it to succeed; answers with its standard output.
async fn run(mut command: Command, folder: &Path) -> Result<String> {
    command.current_dir(folder).kill_on_drop(true);
    let words = format!("{command:?}");
    let done = tokio::time::timeout(wait::DEADLINE, command.output()).await;
    let Output { status, stdout, stderr } = done.with_context(|| format!("{words} does not end"))??;
    let out = String::from_utf8_lossy(&stdout).into_owned();
    ensure!(status.success(), "{words}: {status}\n{out}{}", String::from_utf8_lossy(&stderr));
    Ok(out)
}
