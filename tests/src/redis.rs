//! A real Redis of the test's own, alone or with a replica and a sentinel.
//!
//! In: a folder for its files. Out: URLs, and ways to make it fail.
//! Never here: a Redis that somebody else started.
//! Invariant: it listens on loopback only and keeps no data on disk.

use std::net::TcpListener;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail, ensure};
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
    kind: Kind,
}

/// A primary, its replica, and one sentinel that decides alone.
pub struct Watched {
    pub primary: Redis,
    pub replica: Redis,
    pub sentinel: Redis,
}

#[derive(Clone, Copy)]
enum Kind {
    Alone,
    ReplicaOf(u16),
    SentinelOf(u16),
}

impl Watched {
    pub async fn start(folder: &Path) -> Result<Self> {
        let primary = Redis::start(folder).await?;
        let replica = Redis::start_as(folder, Kind::ReplicaOf(primary.port)).await?;
        let sentinel = Redis::start_as(folder, Kind::SentinelOf(primary.port)).await?;
        wait::until("the sentinel knows the replica", async || {
            let info = sentinel.ask("INFO sentinel").await?;
            ensure!(info.contains("status=ok") && info.contains("slaves=1"), "{info}");
            let replication = primary.ask("INFO replication").await?;
            ensure!(replication.contains("state=online"), "{replication}");
            Ok(())
        })
        .await?;
        Ok(Self { primary, replica, sentinel })
    }

    /// Lines of a proxy's file.
    pub fn lines(&self) -> String {
        format!("sessions: {{redis: {{urls: [\"{}\"], sentinel: {{master: main}}}}}}", self.sentinel.url())
    }

    /// From now on the primary acknowledges what the replica never hears of.
    pub async fn cut_off(&self) -> Result<()> {
        self.replica.process.freeze()?;
        self.primary.ask("CLIENT KILL TYPE replica").await?;
        Ok(())
    }

    /// Waits until the replica is the primary.
    pub async fn fails_over(&self) -> Result<()> {
        wait::until("the replica is promoted", async || {
            let replication = self.replica.ask("INFO replication").await?;
            ensure!(replication.contains("role:master"), "{replication}");
            Ok(())
        })
        .await
    }
}

impl Redis {
    pub async fn start(folder: &Path) -> Result<Self> {
        Self::start_as(folder, Kind::Alone).await
    }

    async fn start_as(folder: &Path, kind: Kind) -> Result<Self> {
        for _ in 0..ATTEMPTS {
            let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
            let mut redis = Self { process: launch(folder, port, kind)?, port, folder: folder.to_owned(), kind };
            if redis.is_ready().await.is_ok() {
                return Ok(redis);
            }
        }
        bail!("redis-server does not start; see its log in {}", folder.display())
    }

    /// How many keys it holds.
    pub async fn keys(&self) -> Result<usize> {
        let reply = self.ask("DBSIZE").await?;
        let number = reply.lines().next().and_then(|line| line.strip_prefix(':'));
        number.and_then(|number| number.parse().ok()).with_context(|| format!("no number: {reply}"))
    }

    pub fn url(&self) -> String {
        format!("redis://127.0.0.1:{}/", self.port)
    }

    /// Comes back where it was, with nothing in it.
    pub async fn start_again(&mut self) -> Result<()> {
        self.process = launch(&self.folder, self.port, self.kind)?;
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

fn launch(folder: &Path, port: u16, kind: Kind) -> Result<Process> {
    let mut lines = format!("bind 127.0.0.1\nport {port}\ndir {}\n", folder.display());
    lines.push_str(&match kind {
        Kind::Alone => "save \"\"\nappendonly no\n".to_owned(),
        Kind::ReplicaOf(primary) => {
            format!("save \"\"\nappendonly no\nreplicaof 127.0.0.1 {primary}\nrepl-diskless-sync-delay 0\n")
        }
        Kind::SentinelOf(primary) => format!(
            "sentinel monitor main 127.0.0.1 {primary} 1\nsentinel down-after-milliseconds main 500\n\
             sentinel failover-timeout main 2000\n"
        ),
    });
    // Redis writes to the file of a sentinel.
    let file = folder.join(format!("redis-{port}.conf"));
    std::fs::write(&file, lines)?;
    let mut command = Command::new("redis-server");
    command.arg(file);
    if matches!(kind, Kind::SentinelOf(_)) {
        command.arg("--sentinel");
    }
    Process::start("redis", folder, command).context("redis-server is needed; tests/setup.sh installs it")
}

async fn ask(port: u16, command: &str) -> Result<String> {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).await?;
    stream.write_all(format!("{command}\r\n").as_bytes()).await?;
    // A sentinel knows no QUIT; both answer before they see that nothing more comes.
    stream.shutdown().await?;
    let mut reply = String::new();
    stream.read_to_string(&mut reply).await?;
    Ok(reply)
}
