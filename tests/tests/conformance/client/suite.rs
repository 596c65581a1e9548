//! Runs the suite's client scenarios with one client, for one set of requirements, on one way to the server.
//!
//! In: which client, which revision, which way. Out: every check of the run, and whether the suite calls it a pass.
//! Never here: what the outcome should be.
//! Invariant: one suite at a time: each keeps every core busy by itself, with all of its scenarios side by side.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use outrigger_tests::binary;
use outrigger_tests::conformance::{self, Checks, scenario_of};
use outrigger_tests::peers::installed;
use outrigger_tests::process::Process;
use tokio::process::Command;
use tokio::sync::Semaphore;

static ONE_AT_A_TIME: Semaphore = Semaphore::const_new(1);

/// Far more than a run takes; the suite's own limit for one scenario is half of it.
const RUN_WITHIN: Duration = Duration::from_secs(240);
const SCENARIO_WITHIN_MS: &str = "120000";

/// The official SDK that a client is written with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sdk {
    Python,
    TypeScript,
    Rust,
}

/// What a run is measured against.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Requirements {
    Of2025,
    Of2026,
}

/// A client, ready to be run as often as the suite wants.
pub struct Client {
    command: String,
    /// What has to live as long as runs are to be made.
    _kept: Option<Process>,
}

/// The way to the suite's servers.
pub enum Way {
    Direct,
    /// With an HTTP proxy in the environment.
    HttpProxy(String),
    /// Behind what somebody stands up for each URL; where to ask.
    Door(String),
}

pub struct Run {
    pub checks: Checks,
    /// Whether every scenario that is scored has passed.
    pub passed: bool,
    pub log: String,
    folder: PathBuf,
}

impl Requirements {
    fn name(self) -> &'static str {
        match self {
            Self::Of2025 => "2025-11-25",
            Self::Of2026 => "2026-07-28",
        }
    }
}

impl Client {
    pub async fn ready(sdk: Sdk, folder: &Path) -> Result<Self> {
        let agents = binary::root().join("tests/agents");
        match sdk {
            Sdk::Python => {
                let mut command = Command::new(installed("python/bin/python")?);
                command.arg("-u").arg(agents.join("python/client_warm.py")).env("PYTHONDONTWRITEBYTECODE", "1");
                let mut warm = Process::start("client-warm", folder, command)?;
                let line = warm.says("listening ").await?;
                let address = line.trim_start_matches("listening ");
                let command = format!("{} {address}", agents.join("python/client_warm.sh").display());
                Ok(Self { command, _kept: Some(warm) })
            }
            Sdk::TypeScript => {
                let script = agents.join("typescript/client_conformance.mjs");
                Ok(Self { command: format!("{} {}", node()?.display(), script.display()), _kept: None })
            }
            Sdk::Rust => Ok(Self { command: binary::conformance_client()?.display().to_string(), _kept: None }),
        }
    }
}

impl Way {
    /// The client's command on this way. `turns` is the folder of the turnstile.
    fn take(&self, client: &Client, turns: &Path) -> String {
        let agents = binary::root().join("tests/agents");
        let (agents, turns, command) = (agents.display(), turns.display(), &client.command);
        let way = match self {
            Self::Direct => String::new(),
            Self::HttpProxy(url) => format!("env HTTP_PROXY={url} http_proxy={url} NODE_USE_ENV_PROXY=1"),
            Self::Door(address) => format!("{agents}/through.sh {address}"),
        };
        format!("{agents}/turn.sh {turns} {way} {command}")
    }
}

/// One run; what it writes goes to `folder/name`.
pub async fn run(client: &Client, requirements: Requirements, way: &Way, folder: &Path, name: &str) -> Result<Run> {
    let _mine = ONE_AT_A_TIME.acquire().await?;
    let out = folder.join(name);
    let mut command = Command::new(node()?);
    // Nothing of the test's environment reaches a client: a proxy in it would be one way too many.
    command.env_clear().env("PATH", std::env::var_os("PATH").unwrap_or_default()).env("PEERS", installed("node")?);
    for preload in ["tests/peers/loopback.cjs", "tests/agents/patient.cjs"] {
        command.arg("--require").arg(binary::root().join(preload));
    }
    command.arg(installed("conformance/node_modules/@modelcontextprotocol/conformance/dist/index.js")?);
    command.args(["client", "--requirements", requirements.name(), "--timeout", SCENARIO_WITHIN_MS]);
    command.arg("--command").arg(way.take(client, folder)).arg("-o").arg(&out);
    let mut suite = Process::start(name, folder, command)?;
    let began = Instant::now();
    let ended = suite.ended_within(RUN_WITHIN).await?;
    println!("{} {name}: {:.1} s", requirements.name(), began.elapsed().as_secs_f64());
    let checks = conformance::load(&out)?;
    ensure!(!checks.is_empty(), "the suite wrote no checks:\n{}", suite.log());
    Ok(Run { checks, passed: ended.success(), log: suite.log(), folder: out })
}

impl Run {
    /// What the client printed in a scenario.
    pub fn said(&self, scenario: &str) -> String {
        let (folder, name) = scenario.rsplit_once('/').unwrap_or(("", scenario));
        let entries = std::fs::read_dir(self.folder.join(folder)).into_iter().flatten().flatten();
        let own = entries.filter(|entry| scenario_of(Path::new(&entry.file_name())) == name);
        let files = own.flat_map(|entry| ["stdout.txt", "stderr.txt"].map(|file| entry.path().join(file)));
        files.filter_map(|file| std::fs::read_to_string(file).ok()).collect()
    }
}

fn node() -> Result<PathBuf> {
    installed("conformance/node_modules/node/bin/node")
}
