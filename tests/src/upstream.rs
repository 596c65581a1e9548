//! Agents of mcp-mesh, as published: `tests/setup.sh` installs the SDK, `tests/agents/mcp-mesh` holds the agents.
//!
//! In: which agent, what it takes for its registry. Out: a running agent, and calls of its tools.
//! Never here: anything the SDK does not do by itself.
//! Invariant: an agent knows its registry, its host and its port, and nothing of the mesh.

use std::net::TcpListener;
use std::path::{Path, PathBuf};

use ::http::{Method, StatusCode};
use anyhow::{Context, Result, bail, ensure};
use serde_json::{Value, json};
use tokio::process::Command;

use crate::http::{self, Reply};
use crate::peers::installed;
use crate::process::Process;
use crate::{binary, wait};

/// Which of the agents.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    Provider,
    Consumer,
    Api,
}

pub struct MeshAgent {
    pub process: Process,
    pub name: String,
    pub port: u16,
    launch: Launch,
    starts: u32,
}

/// How its processes are started.
struct Launch {
    script: &'static str,
    registry: String,
    variables: Vec<(String, String)>,
    folder: PathBuf,
}

impl MeshAgent {
    /// Starts an agent; it takes a while until it serves. `registry` is host and port.
    pub fn start(role: Role, name: &str, registry: &str, folder: &Path, variables: &[(&str, &str)]) -> Result<Self> {
        let variables = variables.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned()));
        let script = match role {
            Role::Provider => "provider.py",
            Role::Consumer => "consumer.py",
            Role::Api => "api.py",
        };
        let (registry, variables, folder) = (registry.to_owned(), variables.collect(), folder.to_owned());
        let launch = Launch { script, registry, variables, folder };
        // The agent binds it a moment later; nobody else is given it meanwhile.
        let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
        let process = launch.process(name, port, 0)?;
        Ok(Self { process, name: name.to_owned(), port, launch, starts: 1 })
    }

    /// Another process of it at the same port.
    pub fn start_again(&mut self) -> Result<()> {
        self.process = self.launch.process(&self.name, self.port, self.starts)?;
        self.starts += 1;
        Ok(())
    }

    /// Calls a tool of it, as another agent or a person would, and gives what it returned.
    pub async fn call(&self, tool: &str, arguments: Value) -> Result<Value> {
        let url = format!("http://127.0.0.1:{}/mcp", self.port);
        call(&url, tool, arguments).await
    }

    /// Waits until a tool returns what is wanted.
    pub async fn until<T>(&self, tool: &str, arguments: Value, read: impl Fn(&Value) -> Option<T>) -> Result<T> {
        wait::until(&format!("{} {tool}", self.name), async || {
            let found = self.call(tool, arguments.clone()).await?;
            read(&found).with_context(|| found.to_string())
        })
        .await
    }

    pub async fn get(&self, path: &str) -> Result<Reply> {
        http::get(&format!("http://127.0.0.1:{}{path}", self.port)).await
    }
}

/// One call without a session, as agents of mcp-mesh make it.
pub async fn call(url: &str, tool: &str, arguments: Value) -> Result<Value> {
    let headers = [("accept", "application/json, text/event-stream"), ("content-type", "application/json")];
    let body =
        json!({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": tool, "arguments": arguments}});
    let reply = http::send(Method::POST, url, &headers, body.to_string()).await?;
    ensure!(reply.status == StatusCode::OK, "{tool}: {} {}", reply.status, reply.body);
    let data = reply.body.lines().rev().find_map(|line| line.strip_prefix("data: ")).unwrap_or(&reply.body);
    let answer: Value = serde_json::from_str(data).with_context(|| format!("not JSON: {}", reply.body))?;
    match answer.pointer("/result/structuredContent") {
        Some(result) if answer.pointer("/result/isError") != Some(&json!(true)) => Ok(result.clone()),
        _ => bail!("{tool}: {answer}"),
    }
}

impl Launch {
    fn process(&self, name: &str, port: u16, starts: u32) -> Result<Process> {
        let Self { script, registry, variables, folder } = self;
        let mut command = Command::new(installed("mcp-mesh/bin/python")?);
        command.arg(binary::root().join("tests/agents/mcp-mesh").join(script)).current_dir(folder).env_clear();
        command.env("PATH", std::env::var_os("PATH").unwrap_or_default()).env("HOME", folder);
        command.env("NAME", name).env("PYTHONDONTWRITEBYTECODE", "1").env("PYTHONUNBUFFERED", "1");
        command.env("MCP_MESH_REGISTRY_URL", format!("http://{registry}"));
        command.env("HOST", "127.0.0.1").env("MCP_MESH_HTTP_HOST", "127.0.0.1");
        command.env("MCP_MESH_HTTP_PORT", port.to_string());
        // On a busy machine a module is loaded for longer than the usual second; an agent that begins before binds its port twice.
        command.env("MCP_MESH_DEBOUNCE_DELAY", "4");
        // A fifth of what is usual, so that tests are quick.
        command.env("MCP_MESH_HEALTH_INTERVAL", "1");
        command.envs(variables.iter().map(|(key, value)| (key, value)));
        Process::start(&format!("{name}-{port}-{starts}"), folder, command)
    }
}
