//! A real PostgreSQL of the test's own.
//!
//! In: nothing. Out: URLs, each with a schema of its own, and ways to make it fail.
//! Never here: a PostgreSQL that somebody else started.
//! Invariant: it listens on no network, keeps its files in a folder that is removed, and ends with this value or the test's process.

use std::process::Stdio;
use std::sync::atomic::{AtomicU32, Ordering};

use anyhow::{Context, Result, ensure};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};

use crate::wait;

/// It lives for as long as its standard input is open.
pub struct Postgres {
    folder: String,
    schemas: AtomicU32,
    input: ChildStdin,
    output: Lines<BufReader<ChildStdout>>,
    _child: Child,
}

impl Postgres {
    pub async fn start() -> Result<Self> {
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/postgres.sh");
        let mut child = Command::new(script).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
        let input = child.stdin.take().context("no input")?;
        let output = BufReader::new(child.stdout.take().context("no output")?).lines();
        let mut postgres = Self { folder: String::new(), schemas: AtomicU32::new(1), input, output, _child: child };
        let ready = postgres.line().await?;
        let folder = ready.strip_prefix("ready ").context("PostgreSQL is needed; tests/setup.sh installs it")?;
        postgres.folder = folder.to_owned();
        Ok(postgres)
    }

    /// As `store` of control's file.
    pub fn url(&self) -> String {
        let number = self.schemas.fetch_add(1, Ordering::Relaxed);
        format!("postgres://mesh@localhost/postgres?host={}&schema=m{number}", self.folder)
    }

    /// All of its processes stop in their tracks: connections stay open, nothing answers.
    pub async fn freeze(&mut self) -> Result<()> {
        self.tell("freeze").await
    }

    pub async fn thaw(&mut self) -> Result<()> {
        self.tell("thaw").await
    }

    /// As a power cut does.
    pub async fn kill(&mut self) -> Result<()> {
        self.tell("kill").await
    }

    /// Comes back with what it had stored.
    pub async fn start_again(&mut self) -> Result<()> {
        self.tell("start").await
    }

    async fn tell(&mut self, command: &str) -> Result<()> {
        self.input.write_all(format!("{command}\n").as_bytes()).await?;
        let told = self.line().await?;
        ensure!(told == "done", "{command}: {told}");
        Ok(())
    }

    async fn line(&mut self) -> Result<String> {
        let line = tokio::time::timeout(wait::DEADLINE, self.output.next_line()).await;
        line.context("PostgreSQL does not answer")??.context("PostgreSQL ended")
    }
}
