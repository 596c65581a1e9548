//! One child process: pinned to a core, its output in a file, ended by its id.
//!
//! Invariant: dropping a [`Child`] ends the process and waits for it; it is asked first and killed after [`GRACE`].

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

/// How long a process may take to end when asked.
const GRACE: Duration = Duration::from_secs(5);
const LOOK_AGAIN: Duration = Duration::from_millis(20);
/// Lines of a log that are shown when its process did not come up.
const LOG_LINES_SHOWN: usize = 8;

#[derive(Debug, thiserror::Error)]
pub enum ChildError {
    #[error("{0} cannot be started")]
    Start(String, #[source] std::io::Error),
    #[error("{program} ended at once:\n{log}")]
    Ended { program: String, log: String },
}

#[derive(Debug)]
pub struct Child {
    process: std::process::Child,
    program: String,
    log: PathBuf,
}

/// What is started: a program with arguments, as it would be typed.
#[derive(Debug)]
pub struct Line<'a> {
    pub program: &'a str,
    pub arguments: &'a [&'a str],
    /// Where it runs and where its log goes.
    pub folder: &'a Path,
    /// Name of its log.
    pub name: &'a str,
    pub core: usize,
}

impl Child {
    pub fn start(line: &Line<'_>) -> Result<Self, ChildError> {
        let failed = |cause| ChildError::Start(line.program.to_owned(), cause);
        let log = line.folder.join(format!("{}.log", line.name));
        let output = File::create(&log).map_err(failed)?;
        let errors = output.try_clone().map_err(failed)?;
        let mut command = Command::new("taskset");
        command.args(["-c", &line.core.to_string(), line.program]).args(line.arguments);
        command.current_dir(line.folder).stdin(Stdio::null()).stdout(output).stderr(errors);
        // What a shell is set up for is not part of the measurement.
        command.env_remove("REDIS_URL");
        let process = command.spawn().map_err(failed)?;
        Ok(Self { process, program: line.program.to_owned(), log })
    }

    pub fn pid(&self) -> u32 {
        self.process.id()
    }

    /// An error with the end of the log, if the process is gone.
    pub fn must_live(&mut self) -> Result<(), ChildError> {
        match self.process.try_wait() {
            Ok(None) => Ok(()),
            _ => Err(ChildError::Ended { program: self.program.clone(), log: self.last_words() }),
        }
    }

    pub fn last_words(&self) -> String {
        let text = std::fs::read_to_string(&self.log).unwrap_or_default();
        let lines: Vec<&str> = text.lines().collect();
        lines.iter().skip(lines.len().saturating_sub(LOG_LINES_SHOWN)).copied().collect::<Vec<_>>().join("\n")
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        if let Ok(pid) = i32::try_from(self.process.id()) {
            // It may have ended by itself; the wait below tells.
            let _ = kill(Pid::from_raw(pid), Signal::SIGTERM);
        }
        let until = Instant::now() + GRACE;
        while Instant::now() < until {
            if !matches!(self.process.try_wait(), Ok(None)) {
                return;
            }
            std::thread::sleep(LOOK_AGAIN);
        }
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
