//! Puts valgrind between the harness and `outrigger`: a script that is started instead, and runs a proxy under callgrind.
//!
//! In: the binary, a folder. Out: the script; dumps of what ran since the dump before.
//! Invariant: control is not slowed down; the script becomes the process, so that its id is the proxy's.

use std::fs;
use std::io;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use super::profile::{NoSumError, Profile};

/// How long valgrind may take to write a dump.
const DUMP_MAX: Duration = Duration::from_secs(30);

#[derive(Debug, thiserror::Error)]
pub enum FrontError {
    #[error("valgrind is missing; run load-tests/cost-setup.sh")]
    NoValgrind,
    #[error("a file of the profile cannot be read or written")]
    File(#[from] io::Error),
    #[error("valgrind does not write a dump: {0}")]
    NoDump(String),
    #[error(transparent)]
    Sum(#[from] NoSumError),
}

#[derive(Debug)]
pub struct Front {
    /// To be started in place of the binary.
    pub script: PathBuf,
    folder: PathBuf,
    dumps: u32,
}

impl Front {
    pub fn new(outrigger: &Path, folder: &Path) -> Result<Self, FrontError> {
        for program in ["valgrind", "vgdb"] {
            let asked = Command::new(program).arg("--help").stdout(Stdio::null()).stderr(Stdio::null()).status();
            asked.map_err(|_| FrontError::NoValgrind)?;
        }
        let script = folder.join("outrigger");
        let binary = quoted(outrigger);
        // Names are spelled out, so that they need not be looked up; lines of code are of no interest. Threads run one at a time
        // under valgrind, and without a fair turn one that is busy may keep the others waiting for seconds.
        let text = format!(
            "#!/bin/sh\n[ \"$1\" = proxy ] || exec {binary} \"$@\"\n\
             exec valgrind --tool=callgrind --fair-sched=try --dump-line=no --compress-strings=no --compress-pos=no \
             --callgrind-out-file={} --vgdb-prefix={} {binary} \"$@\"\n",
            quoted(&folder.join("callgrind")),
            quoted(&folder.join("vgdb")),
        );
        fs::write(&script, text)?;
        fs::set_permissions(&script, fs::Permissions::from_mode(0o755))?;
        Ok(Self { script, folder: folder.to_owned(), dumps: 0 })
    }

    /// What the process has done since the last dump, or since it started.
    pub async fn dump(&mut self, pid: u32) -> Result<Profile, FrontError> {
        let prefix = format!("--vgdb-prefix={}", self.folder.join("vgdb").display());
        let mut command = tokio::process::Command::new("vgdb");
        command.args([&prefix, &format!("--pid={pid}"), "dump"]).stdin(Stdio::null()).kill_on_drop(true);
        let asked = tokio::time::timeout(DUMP_MAX, command.output()).await;
        let output = asked.map_err(|_| FrontError::NoDump(format!("no answer for {DUMP_MAX:?}")))??;
        self.dumps += 1;
        let file = self.folder.join(format!("callgrind.{}", self.dumps));
        let text = fs::read_to_string(&file);
        let text = text.map_err(|_| FrontError::NoDump(String::from_utf8_lossy(&output.stderr).trim().to_owned()))?;
        fs::remove_file(&file)?;
        Ok(Profile::parse(&text)?)
    }
}

/// As a shell takes it literally.
fn quoted(path: &Path) -> String {
    format!("'{}'", path.display().to_string().replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests;
