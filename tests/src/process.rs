//! A process that a test started: its log, its signals, its end.
//!
//! In: a command. Out: a [`Process`] to wait on, to signal and to read.
//! Never here: what the process is for.
//! Invariant: only processes started here are signalled, by their own id, and none outlives its value.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use tokio::process::{Child, ChildStdin, Command};

use crate::wait;

/// Lines of a log that are shown when a test fails.
const TAIL_LINES: usize = 60;

pub struct Process {
    name: String,
    child: Child,
    log: PathBuf,
}

impl Process {
    /// Starts a command with both outputs in `folder/<name>.log`; a second start under one name appends.
    pub fn start(name: &str, folder: &Path, mut command: Command) -> Result<Self> {
        let log = folder.join(format!("{name}.log"));
        let out = File::options().create(true).append(true).open(&log)?;
        command.stdin(Stdio::piped()).stdout(out.try_clone()?).stderr(out).kill_on_drop(true);
        let child = command.spawn().with_context(|| format!("start {name}: {command:?}"))?;
        Ok(Self { name: name.to_owned(), child, log })
    }

    pub fn stdin(&mut self) -> Option<ChildStdin> {
        self.child.stdin.take()
    }

    pub fn log(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap_or_default()
    }

    pub fn log_file(&self) -> &Path {
        &self.log
    }

    /// Waits for a line that contains `words` and was written after `seen` bytes of the log.
    pub async fn says_after(&mut self, seen: usize, words: &str) -> Result<String> {
        wait::until(&format!("{} says `{words}`", self.name), async || {
            let log = self.log();
            let fresh = log.get(seen..).unwrap_or_default();
            if let Some(line) = fresh.lines().find(|line| line.contains(words)) {
                return Ok(line.to_owned());
            }
            bail!("{}", tail(&log, 5))
        })
        .await
    }

    pub async fn says(&mut self, words: &str) -> Result<String> {
        self.says_after(0, words).await
    }

    pub fn is_running(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(None))
    }

    /// As when the machine takes it away: no word of farewell.
    pub async fn kill(&mut self) -> Result<()> {
        self.child.kill().await.with_context(|| format!("kill {}", self.name))
    }

    /// As an operator ends it; waits until it is gone.
    pub async fn stop(&mut self) -> Result<ExitStatus> {
        self.signal(Signal::SIGTERM)?;
        self.ended().await
    }

    /// As an operator asks it to end; it may have calls to see through.
    pub fn terminate(&self) -> Result<()> {
        self.signal(Signal::SIGTERM)
    }

    /// As an operator who changed its file tells it.
    pub fn hang_up(&self) -> Result<()> {
        self.signal(Signal::SIGHUP)
    }

    /// As Ctrl-C ends it.
    pub async fn interrupt(&mut self) -> Result<ExitStatus> {
        self.signal(Signal::SIGINT)?;
        self.ended().await
    }

    /// Stops in its tracks: ports stay open, nothing answers.
    pub fn freeze(&self) -> Result<()> {
        self.signal(Signal::SIGSTOP)
    }

    pub fn thaw(&self) -> Result<()> {
        self.signal(Signal::SIGCONT)
    }

    pub async fn ended(&mut self) -> Result<ExitStatus> {
        self.ended_within(wait::DEADLINE).await
    }

    pub async fn ended_within(&mut self, limit: Duration) -> Result<ExitStatus> {
        match tokio::time::timeout(limit, self.child.wait()).await {
            Ok(status) => Ok(status?),
            Err(_) => bail!("{} does not end:\n{}", self.name, tail(&self.log(), TAIL_LINES)),
        }
    }

    fn signal(&self, signal: Signal) -> Result<()> {
        let id = self.child.id().with_context(|| format!("{} has ended already", self.name))?;
        Ok(kill(Pid::from_raw(i32::try_from(id)?), signal)?)
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("---- log of {} ----\n{}", self.name, tail(&self.log(), TAIL_LINES));
        }
        let _ = self.child.start_kill();
    }
}

fn tail(text: &str, lines: usize) -> String {
    let all: Vec<&str> = text.lines().collect();
    let start = all.len().saturating_sub(lines);
    all.iter().skip(start).copied().collect::<Vec<_>>().join("\n")
}
