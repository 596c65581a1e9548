//! Agents and clients that were not written by us: the official SDKs as `tests/setup.sh` installs them.
//!
//! In: which SDK, which name. Out: a running agent with its URL, or a client that does as it is told, line by line.
//! Never here: anything an SDK does not do by itself.
//! Invariant: an agent knows its name and its port, and nothing of the mesh.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail, ensure};
use serde_json::{Value, json};
use tokio::io::AsyncWriteExt;
use tokio::process::{ChildStdin, Command};

use crate::process::Process;
use crate::{binary, wait};

/// Which SDK an agent is built with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sdk {
    Python,
    FastMcp,
    /// `server-everything`, as published.
    Everything,
    Rust,
    /// The transport of 2024-11-05, HTTP with SSE.
    PythonSse,
    /// The same of `server-everything`.
    EverythingSse,
    /// Wants a token, and has an authorisation server beside it.
    PythonProtected,
    /// The servers of the conformance suite: tasks, and calls in several rounds.
    ConformancePython,
    ConformanceTypeScript,
    ConformanceRust,
}

pub struct Agent {
    pub process: Process,
    pub name: String,
    pub sdk: Sdk,
    folder: PathBuf,
    port: u16,
}

impl Agent {
    pub async fn start(sdk: Sdk, name: &str, folder: &Path) -> Result<Self> {
        let mut agent = Self {
            process: launch(sdk, name, folder, 0)?,
            name: name.to_owned(),
            sdk,
            folder: folder.to_owned(),
            port: 0,
        };
        agent.port = agent.listens(0).await?;
        Ok(agent)
    }

    pub fn url(&self) -> String {
        let path = if matches!(self.sdk, Sdk::PythonSse | Sdk::EverythingSse) { "sse" } else { "mcp" };
        format!("http://127.0.0.1:{}/{path}", self.port)
    }

    /// Comes back where it was, having forgotten everything.
    pub async fn start_again(&mut self) -> Result<()> {
        let seen = self.process.log().len();
        self.process = launch(self.sdk, &self.name, &self.folder, self.port)?;
        self.listens(seen).await?;
        Ok(())
    }

    /// A tool whose answer says which replica gave it.
    pub fn tool(&self) -> &'static str {
        self.sdk.tool()
    }

    async fn listens(&mut self, seen: usize) -> Result<u16> {
        let line = self.process.says_after(seen, "127.0.0.1:").await?;
        let port = line.split("127.0.0.1:").nth(1).unwrap_or_default();
        let port: String = port.chars().take_while(char::is_ascii_digit).collect();
        port.parse().with_context(|| format!("no port in `{line}`"))
    }
}

impl Sdk {
    pub fn tool(self) -> &'static str {
        match self {
            Self::Everything | Self::EverythingSse => "get-env",
            Self::PythonProtected => "whoami",
            Self::Python | Self::FastMcp | Self::Rust | Self::PythonSse => "increment",
            Self::ConformancePython | Self::ConformanceTypeScript | Self::ConformanceRust => "test_simple_text",
        }
    }

    /// Which replica gave an answer of [`Sdk::tool`].
    pub fn replica_in(self, text: &str) -> Result<String> {
        if !matches!(self, Self::Everything | Self::EverythingSse) {
            return Ok(text.split(' ').next().unwrap_or_default().to_owned());
        }
        let env: Value = serde_json::from_str(text).with_context(|| format!("not JSON: {text}"))?;
        Ok(env.get("REPLICA").and_then(Value::as_str).context("no REPLICA in the environment")?.to_owned())
    }
}

fn launch(sdk: Sdk, name: &str, folder: &Path, port: u16) -> Result<Process> {
    let (peers, agents) = (binary::root().join("tests/peers"), binary::root().join("tests/agents"));
    let mut command = match sdk {
        Sdk::Python | Sdk::FastMcp | Sdk::PythonSse | Sdk::PythonProtected | Sdk::ConformancePython => {
            Command::new(installed("python/bin/python")?)
        }
        Sdk::Everything | Sdk::EverythingSse | Sdk::ConformanceTypeScript => Command::new(node()?),
        Sdk::Rust => Command::new(binary::counter()?),
        Sdk::ConformanceRust => Command::new(binary::conformance_server()?),
    };
    // An agent's environment is its own: nothing of the test's leaks into what `get-env` answers.
    command.env_clear().env("PATH", std::env::var_os("PATH").unwrap_or_default());
    command.env("PORT", port.to_string()).env("REPLICA", name).env("PYTHONDONTWRITEBYTECODE", "1").current_dir(folder);
    match sdk {
        Sdk::Python => command.arg(peers.join("agent_mcp.py")).arg(name),
        Sdk::PythonProtected => command.arg(peers.join("agent_oauth.py")).arg(name),
        Sdk::PythonSse => command.arg(peers.join("agent_mcp.py")).args([name, "sse"]),
        Sdk::FastMcp => command.arg(peers.join("agent_fastmcp.py")).arg(name),
        Sdk::Everything | Sdk::EverythingSse => command
            .arg("--require")
            .arg(peers.join("loopback.cjs"))
            .arg(installed("node/node_modules/@modelcontextprotocol/server-everything/dist/index.js")?)
            .arg(if sdk == Sdk::Everything { "streamableHttp" } else { "sse" }),
        Sdk::Rust => command.args(["--name", name, "--port", &port.to_string()]),
        Sdk::ConformancePython => command.arg(agents.join("python/server_conformance.py")),
        Sdk::ConformanceTypeScript => command.arg(agents.join("typescript/server_conformance.mjs")),
        Sdk::ConformanceRust => &mut command,
    };
    Process::start(name, folder, command)
}

/// Runs the client that finds out by itself how to be authorised; answers with what it printed.
pub async fn authorised(url: &str, folder: &Path, variables: &[(&str, &str)]) -> Result<Value> {
    let mut command = Command::new(installed("python/bin/python")?);
    command.arg(binary::root().join("tests/peers/client_oauth.py")).arg(url).envs(variables.iter().copied());
    let done = tokio::time::timeout(wait::DEADLINE, command.current_dir(folder).kill_on_drop(true).output()).await;
    let done = done.context("the client does not end")??;
    let said = String::from_utf8_lossy(&done.stdout);
    let line = said.lines().find(|line| line.starts_with("{\"ok\""));
    let line = line.with_context(|| format!("no answer: {said}{}", String::from_utf8_lossy(&done.stderr)))?;
    Ok(serde_json::from_str(line)?)
}

/// What the Python client saw that samples, answers forms and watches progress; see `client_ask.py`.
pub async fn ask_and_be_asked(url: &str, mode: &str, server: &str) -> Result<Value> {
    let mut command = Command::new(installed("python/bin/python")?);
    command.arg(binary::root().join("tests/peers/client_ask.py")).args([url, mode, server]).kill_on_drop(true);
    let done = tokio::time::timeout(wait::DEADLINE, command.output()).await.context("the client does not end")??;
    let said = String::from_utf8_lossy(&done.stdout);
    ensure!(done.status.success(), "{said}{}", String::from_utf8_lossy(&done.stderr));
    serde_json::from_str(&said).with_context(|| format!("not JSON: {said}"))
}

/// Something `tests/setup.sh` put into `tests/.peers`.
pub fn installed(path: &str) -> Result<PathBuf> {
    let path = binary::root().join("tests/.peers").join(path);
    ensure!(path.exists(), "{} is not there; run tests/setup.sh", path.display());
    Ok(path)
}

pub fn node() -> Result<PathBuf> {
    Ok(installed("node/node_modules/.bin/node").unwrap_or_else(|_| PathBuf::from("node")))
}

/// Which SDK a client is built with, and which revision it looks for first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ClientSdk {
    PythonLegacy,
    PythonAuto,
    /// SDK 1.x.
    TypeScriptLegacy,
    /// Client 2.x, newest revision first.
    TypeScriptAuto,
    /// The transport of 2024-11-05.
    PythonSse,
    TypeScriptSse,
    FastMcpLegacy,
    FastMcpAuto,
    /// The Python SDK on standard streams: the URL is a command, as a JSON list.
    PythonStdio,
}

pub struct Client {
    process: Process,
    orders: ChildStdin,
    answered: usize,
}

impl Client {
    pub fn start(sdk: ClientSdk, url: &str, name: &str, folder: &Path) -> Result<Self> {
        Self::start_with(sdk, url, name, folder, &[])
    }

    /// The same, with further variables in its environment.
    pub fn start_with(
        sdk: ClientSdk,
        url: &str,
        name: &str,
        folder: &Path,
        variables: &[(&str, &str)],
    ) -> Result<Self> {
        let peers = binary::root().join("tests/peers");
        let mut command = match sdk {
            ClientSdk::TypeScriptLegacy | ClientSdk::TypeScriptAuto | ClientSdk::TypeScriptSse => Command::new(node()?),
            _ => Command::new(installed("python/bin/python")?),
        };
        match sdk {
            ClientSdk::PythonLegacy => command.arg(peers.join("client_mcp.py")).args([url, "legacy"]),
            ClientSdk::PythonAuto => command.arg(peers.join("client_mcp.py")).args([url, "auto"]),
            ClientSdk::PythonSse => command.arg(peers.join("client_mcp.py")).args([url, "sse"]),
            ClientSdk::TypeScriptSse => command.arg(peers.join("client_ts.mjs")).args([url, "sse"]),
            ClientSdk::TypeScriptLegacy => command.arg(peers.join("client_ts.mjs")).args([url, "legacy"]),
            ClientSdk::TypeScriptAuto => command.arg(peers.join("client_ts.mjs")).args([url, "auto"]),
            ClientSdk::FastMcpLegacy => command.arg(peers.join("client_fastmcp.py")).args([url, "legacy"]),
            ClientSdk::FastMcpAuto => command.arg(peers.join("client_fastmcp.py")).args([url, "auto"]),
            ClientSdk::PythonStdio => command.arg(peers.join("client_mcp.py")).args([url, "stdio"]),
        };
        command.env("PEERS", installed("node")?).envs(variables.iter().copied());
        let mut process = Process::start(name, folder, command)?;
        let orders = process.stdin().context("a client is driven through its standard input")?;
        Ok(Self { process, orders, answered: 0 })
    }

    /// Opens a session; answers with the revision that was agreed on.
    pub async fn open(&mut self, session: &str) -> Result<String> {
        self.order(json!({"do": "open", "session": session})).await
    }

    pub async fn call(&mut self, session: &str, tool: &str) -> Result<String> {
        self.order(json!({"do": "call", "session": session, "tool": tool})).await
    }

    pub async fn call_with(&mut self, session: &str, tool: &str, arguments: Value) -> Result<String> {
        self.order(json!({"do": "call", "session": session, "tool": tool, "arguments": arguments})).await
    }

    pub async fn tools(&mut self, session: &str) -> Result<String> {
        self.order(json!({"do": "tools", "session": session})).await
    }

    pub async fn close(&mut self, session: &str) -> Result<String> {
        self.order(json!({"do": "close", "session": session})).await
    }

    async fn order(&mut self, order: Value) -> Result<String> {
        self.orders.write_all(format!("{order}\n").as_bytes()).await.context("the client has ended")?;
        let answered = self.answered;
        let process = &mut self.process;
        let answer = wait::until(&format!("an answer to {order}"), async || {
            let log = process.log();
            let mut answers = log.lines().filter(|line| line.starts_with("{\"ok\"") && line.ends_with('}'));
            if let Some(answer) = answers.nth(answered) {
                return Ok(answer.to_owned());
            }
            bail!("{log}")
        })
        .await?;
        self.answered += 1;
        let answer: Value = serde_json::from_str(&answer)?;
        match answer.get("text").and_then(Value::as_str) {
            Some(text) => Ok(text.to_owned()),
            None => bail!("{}", answer.get("error").and_then(Value::as_str).unwrap_or("no words for it")),
        }
    }
}
