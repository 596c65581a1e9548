//! One process, and how it is started again.
//!
//! In: a command line. Out: a [`Part`] that runs, or that was killed and may run again.
//! Invariant: waiting never blocks the thread, which carries the load at the same time.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use nix::sys::signal::{self, Signal};
use nix::unistd::Pid;

use crate::generate::connection::CallError;
use crate::generate::crew::CrewError;
use crate::machine::process::GoneError;
use crate::peers::child::{Child, ChildError, Line};

/// How long a process may take until it listens, or until it is gone.
const READY_MAX: Duration = Duration::from_secs(20);
const LOOK_AGAIN: Duration = Duration::from_millis(2);

#[derive(Debug, thiserror::Error)]
pub enum StageError {
    #[error(transparent)]
    Child(#[from] ChildError),
    #[error("a file of the stage cannot be written or read")]
    File(#[from] std::io::Error),
    #[error("{0} is not there; {1}")]
    Missing(String, &'static str),
    #[error("{name}: {what}; its log ends with:\n{log}")]
    NotReady { name: String, what: &'static str, log: String },
    #[error("{0} was killed and does not run")]
    NotRunning(String),
    #[error("{0} cannot be signalled")]
    Signal(String, #[source] nix::Error),
    #[error("no answer of a part")]
    Call(#[from] CallError),
    #[error("callers cannot begin")]
    Crew(#[from] CrewError),
    #[error(transparent)]
    Gone(#[from] GoneError),
    #[error("waited in vain until {0}")]
    InVain(String),
}

/// A command line that outlives its process.
#[derive(Debug, Clone)]
pub struct Script {
    pub name: String,
    pub program: PathBuf,
    pub arguments: Vec<String>,
    /// Where it runs and where its log goes.
    pub folder: PathBuf,
    pub core: usize,
}

#[derive(Debug)]
pub struct Part {
    pub script: Script,
    child: Option<Child>,
}

impl Script {
    fn start(&self) -> Result<Child, StageError> {
        if !self.program.is_file() {
            return Err(StageError::Missing(self.program.display().to_string(), "build it, or install it"));
        }
        let program = self.program.display().to_string();
        let arguments: Vec<&str> = self.arguments.iter().map(String::as_str).collect();
        let (folder, name) = (self.folder.as_path(), self.name.as_str());
        Ok(Child::start(&Line { program: &program, arguments: &arguments, folder, name, core: self.core })?)
    }
}

impl Part {
    pub fn start(script: Script) -> Result<Self, StageError> {
        let child = script.start()?;
        Ok(Self { script, child: Some(child) })
    }

    /// Starts the same command line once more; the process before must be gone.
    pub fn again(&mut self) -> Result<(), StageError> {
        self.child = Some(self.script.start()?);
        Ok(())
    }

    pub fn pid(&self) -> Result<u32, StageError> {
        self.child.as_ref().map(Child::pid).ok_or_else(|| StageError::NotRunning(self.script.name.clone()))
    }

    /// As when the machine takes it away; returns when it is gone.
    pub async fn kill(&mut self) -> Result<(), StageError> {
        self.signal(Signal::SIGKILL)?;
        let until = Instant::now() + READY_MAX;
        while self.must_live().is_ok() {
            if Instant::now() >= until {
                return Err(self.not_ready("does not end"));
            }
            tokio::time::sleep(LOOK_AGAIN).await;
        }
        self.child = None;
        Ok(())
    }

    /// Stops it in its tracks: its ports stay open, and nothing answers.
    pub fn freeze(&self) -> Result<(), StageError> {
        self.signal(Signal::SIGSTOP)
    }

    pub fn thaw(&self) -> Result<(), StageError> {
        self.signal(Signal::SIGCONT)
    }

    fn signal(&self, signal: Signal) -> Result<(), StageError> {
        let failed = |cause| StageError::Signal(self.script.name.clone(), cause);
        let pid = i32::try_from(self.pid()?).map_err(|_| failed(nix::Error::ESRCH))?;
        signal::kill(Pid::from_raw(pid), signal).map_err(failed)
    }

    pub fn must_live(&mut self) -> Result<(), StageError> {
        match &mut self.child {
            Some(child) => Ok(child.must_live()?),
            None => Err(StageError::NotRunning(self.script.name.clone())),
        }
    }

    /// Asks until there is an answer, for as long as the process lives.
    pub async fn until<T>(&mut self, what: &'static str, ask: impl AsyncFn() -> Option<T>) -> Result<T, StageError> {
        let until = Instant::now() + READY_MAX;
        while Instant::now() < until {
            if let Some(answer) = ask().await {
                return Ok(answer);
            }
            self.must_live()?;
            tokio::time::sleep(LOOK_AGAIN).await;
        }
        Err(self.not_ready(what))
    }

    fn not_ready(&self, what: &'static str) -> StageError {
        let log = self.child.as_ref().map(Child::last_words).unwrap_or_default();
        StageError::NotReady { name: self.script.name.clone(), what, log }
    }
}

impl Drop for Part {
    fn drop(&mut self) {
        // Nobody needs its farewell any more, and one that is frozen would not hear that it is asked to end.
        if self.child.is_some() {
            let _ = self.signal(Signal::SIGKILL);
        }
    }
}

/// Waits for something outside any one process.
pub async fn until(what: &str, limit: Duration, ask: impl AsyncFn() -> bool) -> Result<(), StageError> {
    let until = Instant::now() + limit;
    while !ask().await {
        if Instant::now() >= until {
            return Err(StageError::InVain(what.to_owned()));
        }
        tokio::time::sleep(LOOK_AGAIN).await;
    }
    Ok(())
}

/// One address of the file that a part writes when it listens.
pub fn port(file: &Path, listener: &str) -> Option<std::net::SocketAddr> {
    let text = std::fs::read_to_string(file).ok()?;
    let ports: serde_json::Value = serde_json::from_str(&text).ok()?;
    ports.get(listener)?.as_str()?.parse().ok()
}
