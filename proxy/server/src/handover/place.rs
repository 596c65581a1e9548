//! The socket at which a process can be asked to hand over.
//!
//! Invariant: the path leads to one process at any moment; a path that a dead process left is taken.

use std::io;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use tokio::net::{UnixListener, UnixStream};

use super::HandoverError;

/// A socket that listens, and is not found at its path yet.
#[derive(Debug)]
pub struct Prepared {
    listener: UnixListener,
    aside: Aside,
    path: PathBuf,
}

/// Where it is until then; nothing stays there.
#[derive(Debug)]
struct Aside(PathBuf);

impl Prepared {
    /// Must be called inside a tokio runtime. `replaces`: a process that answers there is the one to take over from.
    pub async fn at(path: &Path, replaces: bool) -> Result<Self, HandoverError> {
        if !replaces && UnixStream::connect(path).await.is_ok() {
            return Err(HandoverError::Taken(path.to_owned()));
        }
        let mut aside = path.as_os_str().to_owned();
        aside.push(format!(".{}", std::process::id()));
        let aside = Aside(PathBuf::from(aside));
        let made = Self::make(&aside.0);
        let listener = made.map_err(|cause| HandoverError::Socket { path: path.to_owned(), cause })?;
        Ok(Self { listener, aside, path: path.to_owned() })
    }

    fn make(aside: &Path) -> io::Result<UnixListener> {
        // Of a process that had the same number and died.
        let _ = std::fs::remove_file(aside);
        let listener = UnixListener::bind(aside)?;
        std::fs::set_permissions(aside, std::fs::Permissions::from_mode(0o600))?;
        Ok(listener)
    }

    /// From now on whoever asks at the path asks this process.
    pub fn publish(self) -> Result<UnixListener, HandoverError> {
        match std::fs::rename(&self.aside.0, &self.path) {
            Ok(()) => Ok(self.listener),
            Err(cause) => Err(HandoverError::Socket { path: self.path, cause }),
        }
    }
}

impl Drop for Aside {
    fn drop(&mut self) {
        // It is gone where it was published.
        let _ = std::fs::remove_file(&self.0);
    }
}
