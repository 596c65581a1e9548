//! A server for the suite, as a process: which SDK it is written with, and where it listens.
//!
//! In: the SDK and a name. Out: a running replica with its URL.
//! Never here: the mesh; a server knows its own port and nothing else.
//! Invariant: every replica is a process of its own and shares nothing with the others.

use std::path::Path;

use anyhow::{Context, Result};
use outrigger_tests::binary;
use outrigger_tests::peers::{installed, node};
use outrigger_tests::process::Process;
use tokio::process::Command;

/// The official SDK that a server is written with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sdk {
    Python,
    TypeScript,
    Rust,
}

pub struct Agent {
    _process: Process,
    port: u16,
}

impl Agent {
    pub async fn start(sdk: Sdk, name: &str, folder: &Path) -> Result<Self> {
        let agents = binary::root().join("tests/agents");
        let mut command = match sdk {
            Sdk::Python => Command::new(installed("python/bin/python")?),
            Sdk::TypeScript => Command::new(node()?),
            Sdk::Rust => Command::new(binary::conformance_server()?),
        };
        match sdk {
            Sdk::Python => command.arg(agents.join("python/server_conformance.py")),
            Sdk::TypeScript => command.arg(agents.join("typescript/server_conformance.mjs")),
            Sdk::Rust => &mut command,
        };
        // Nothing of the test's environment reaches a server: a proxy in it would be one way too many.
        command.env_clear().env("PATH", std::env::var_os("PATH").unwrap_or_default());
        command.env("PORT", "0").env("PYTHONDONTWRITEBYTECODE", "1").current_dir(folder);
        let mut process = Process::start(name, folder, command)?;
        let line = process.says("127.0.0.1:").await?;
        let after = line.split("127.0.0.1:").nth(1).unwrap_or_default();
        let digits: String = after.chars().take_while(char::is_ascii_digit).collect();
        let port = digits.parse().with_context(|| format!("no port in `{line}`"))?;
        Ok(Self { _process: process, port })
    }

    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}/mcp", self.port)
    }
}
