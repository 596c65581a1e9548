//! The registrations of the agents that joined, in a file beside the last good snapshot.
//!
//! In: heartbeats as they were sent. Out: the same after a restart, so that a proxy that comes back knows its agents before they speak.
//! A file that cannot be read or written costs that knowledge for some seconds, and nothing else: agents register again by themselves.
//! Invariant: nobody else may read it (registrations may hold headers with secrets); it is replaced whole.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use outrigger_upstream::heartbeat::Heartbeat;
use tracing::warn;

/// Largest file that is read.
const FILE_BYTES_MAX: u64 = 256 << 20;

/// Where they are kept.
#[derive(Debug, Clone)]
pub(super) struct Kept(PathBuf);

impl Kept {
    /// Beside `snapshot`: `snapshot.bin` → `snapshot.agents`.
    pub fn beside(snapshot: &Path) -> Self {
        Self(snapshot.with_extension("agents"))
    }

    /// At most `most` of them; none where there is no file.
    pub fn read(&self, most: usize) -> Vec<Heartbeat> {
        let mut text = String::new();
        let read = File::open(&self.0).and_then(|file| file.take(FILE_BYTES_MAX).read_to_string(&mut text));
        match read {
            Err(missing) if missing.kind() == io::ErrorKind::NotFound => return Vec::new(),
            Err(error) => warn!(file = %self.0.display(), %error, "agents that had joined are not known"),
            Ok(_) => {}
        }
        text.lines().take(most).filter_map(|line| Heartbeat::read(line.as_bytes()).ok()).collect()
    }

    /// Puts these in place of those before; each is one line.
    pub fn write(&self, heartbeats: &[std::sync::Arc<Heartbeat>]) {
        if let Err(error) = self.replace(heartbeats) {
            warn!(file = %self.0.display(), %error, "agents that joined will not be known after a restart");
        }
    }

    fn replace(&self, heartbeats: &[std::sync::Arc<Heartbeat>]) -> io::Result<()> {
        let fresh = self.0.with_extension("agents.new");
        match fs::remove_file(&fresh) {
            Err(missing) if missing.kind() == io::ErrorKind::NotFound => {}
            done => done?,
        }
        let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&fresh)?;
        for heartbeat in heartbeats {
            // JSON that was written anew has no line feeds in it.
            writeln!(file, "{}", heartbeat.registration.raw)?;
        }
        file.sync_all()?;
        fs::rename(&fresh, &self.0)
    }
}

#[cfg(test)]
mod tests;
