//! A real Redis of the test's own.
//!
//! In: a folder for its log. Out: a URL, and ways to make it fail.
//! Never here: a Redis that somebody else started.
//! Invariant: it listens on loopback only and writes nothing to disk.

use std::net::TcpListener;
use std::path::{Path, PathBuf};

use anyhow::{Result, bail, ensure};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::process::Command;

use crate::process::Process;
use crate::wait;

/// Another process may take a port between our looking and Redis's binding; then another one is tried.
const ATTEMPTS: usize = 5;

pub struct Redis {
    pub process: Process,
    port: u16,
    folder: PathBuf,
}

impl Redis {
    pub async fn start(folder: &Path) -> Result<Self> {
        for _ in 0..ATTEMPTS {
            let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
            let mut redis = Self { process: launch(folder, port)?, port, folder: folder.to_owned() };
            if redis.is_ready().await.is_ok() {
                return Ok(redis);
            }
        }
        bail!("redis-server does not start; see its log in {}", folder.display())
    }

    pub fn url(&self) -> String {
        format!("redis://127.0.0.1:{}/", self.port)
    }

    /// Comes back where it was, with nothing in it.
    pub async fn start_again(&mut self) -> Result<()> {
        self.process = launch(&self.folder, self.port)?;
        self.is_ready().await
    }

    /// One command as redis-cli would send it; the reply as it came.
    pub async fn ask(&self, command: &str) -> Result<String> {
        ask(self.port, command).await
    }

    async fn is_ready(&mut self) -> Result<()> {
        let (process, port) = (&mut self.process, self.port);
        wait::until("redis answers", async || {
            if !process.is_running() {
                return Ok(false);
            }
            let reply = ask(port, "PING").await?;
            ensure!(reply.contains("PONG"), "{reply}");
            Ok(true)
        })
        .await
        .and_then(|running| if running { Ok(()) } else { bail!("redis-server ended: {}", self.process.log()) })
    }
}

fn launch(folder: &Path, port: u16) -> Result<Process> {
    let mut command = Command::new("redis-server");
    command.args(["--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--port", &port.to_string()]);
    command.arg("--dir").arg(folder);
    Process::start("redis", folder, command)
}

async fn ask(port: u16, command: &str) -> Result<String> {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).await?;
    stream.write_all(format!("{command}\r\nQUIT\r\n").as_bytes()).await?;
    let mut reply = String::new();
    stream.read_to_string(&mut reply).await?;
    Ok(reply)
}
