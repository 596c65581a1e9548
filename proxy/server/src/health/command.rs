//! A command that tells whether the own agent is well.
//!
//! In: the command, whom it is about. Out: nothing, or how it ended and the first it said on its standard error.
//! Never here: a shell, and the environment of the proxy, which holds secrets: `PATH`, `LANG` and `HOME` are all it gets of that.
//! Invariant: when this ends, or is dropped, the command and all of its process group are killed; what it says fills no memory.

use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;
use tokio::io::AsyncReadExt as _;
use tokio::process::{Child, ChildStderr, Command as Process};
use tokio::time::timeout;

use super::local::LocalReplica;
use crate::config::settings::Command;

/// What is kept of what it says.
const SAID_BYTES_MAX: usize = 256;
/// What it said before it ended is there at once, unless something it left behind keeps the pipe open.
const LAST_WORDS: Duration = Duration::from_millis(50);
const KEPT: [&str; 3] = ["PATH", "LANG", "HOME"];

/// Why a command does not say that all is well.
#[derive(Debug, thiserror::Error)]
pub(super) enum CommandError {
    #[error("its health command does not start")]
    Start(#[source] std::io::Error),
    #[error("its health command is lost")]
    Wait(#[source] std::io::Error),
    #[error("its health command ends with {status}{said}")]
    Ended { status: ExitStatus, said: String },
}

/// A running command, and all that it starts.
struct Group(Child);

impl Drop for Group {
    fn drop(&mut self) {
        // There is an id until the process was waited for, so it is nobody else's.
        if let Some(id) = self.0.id().and_then(|id| i32::try_from(id).ok()) {
            let _ = killpg(Pid::from_raw(id), Signal::SIGKILL);
        }
    }
}

pub(super) async fn run(command: &Command, about: &LocalReplica) -> Result<(), CommandError> {
    let kept = KEPT.iter().filter_map(|name| Some((*name, std::env::var_os(name)?)));
    let mut process = Process::new(&command.program);
    process
        .args(&command.arguments)
        .env_clear()
        .envs(kept)
        .env("OUTRIGGER_AGENT", about.agent.as_str())
        .env("OUTRIGGER_REPLICA", about.id.as_str())
        .env("OUTRIGGER_URL", about.url.to_string())
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .process_group(0)
        .kill_on_drop(true);
    let mut group = Group(process.spawn().map_err(CommandError::Start)?);
    let mut said = Vec::new();
    let mut words = group.0.stderr.take();
    let status = tokio::select! {
        status = group.0.wait() => status.map_err(CommandError::Wait)?,
        () = hear(words.as_mut(), &mut said) => group.0.wait().await.map_err(CommandError::Wait)?,
    };
    if status.success() {
        return Ok(());
    }
    let _ = timeout(LAST_WORDS, hear(words.as_mut(), &mut said)).await;
    Err(CommandError::Ended { status, said: told(&said) })
}

/// Reads to the end and keeps the beginning: who writes much is not held up and costs nothing.
async fn hear(words: Option<&mut ChildStderr>, said: &mut Vec<u8>) {
    let Some(words) = words else { return };
    let mut piece = [0; 1024];
    while let Ok(count @ 1..) = words.read(&mut piece).await {
        let room = SAID_BYTES_MAX.saturating_sub(said.len());
        said.extend_from_slice(piece.get(..room.min(count)).unwrap_or_default());
    }
}

/// Its first line, for people.
fn told(said: &[u8]) -> String {
    let text = String::from_utf8_lossy(said);
    let line: String = text.lines().next().unwrap_or_default().chars().filter(|letter| !letter.is_control()).collect();
    if line.is_empty() { line } else { format!(": {line}") }
}

#[cfg(test)]
mod tests;
