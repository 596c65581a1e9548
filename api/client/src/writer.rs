//! Writes accepted snapshots to the last good file, no more often than asked, newest wins.
//!
//! In: accepted snapshots, at any rate. Out: the file; failures are logged and the next snapshot is tried.
//! Invariant: memory is one snapshot, however slow the disk; a slow disk never delays an ACK.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{oneshot, watch};
use tokio::task::JoinHandle;
use tracing::{debug, warn};

use crate::committed::Committed;
use crate::last_good::{self, Image, Written};

/// The task that owns the file.
#[derive(Debug)]
pub struct Writer {
    newest: watch::Sender<Arc<Committed>>,
    hurry: oneshot::Sender<()>,
    task: JoinHandle<()>,
}

impl Writer {
    pub fn start(path: PathBuf, every: Duration) -> Self {
        let (newest, inbox) = watch::channel(Arc::default());
        let (hurry, hurried) = oneshot::channel();
        Self { newest, hurry, task: tokio::spawn(run(path, every, inbox, hurried)) }
    }

    /// Takes note of the newest snapshot; returns at once.
    pub fn put(&self, committed: Arc<Committed>) {
        self.newest.send_replace(committed);
    }

    /// Writes what is not written yet, and ends.
    pub async fn finish(self) {
        drop(self.newest);
        let _ = self.hurry.send(());
        if self.task.await.is_err() {
            warn!("the writer of the last good snapshot failed");
        }
    }
}

async fn run(
    path: PathBuf,
    every: Duration,
    mut inbox: watch::Receiver<Arc<Committed>>,
    mut hurried: oneshot::Receiver<()>,
) {
    let mut hurry = false;
    while inbox.changed().await.is_ok() {
        let committed = inbox.borrow_and_update().clone();
        let path = path.clone();
        if tokio::task::spawn_blocking(move || write(&path, &committed)).await.is_err() {
            warn!("writing the last good snapshot failed");
        }
        if !hurry {
            tokio::select! {
                () = tokio::time::sleep(every) => {}
                _ = &mut hurried => hurry = true,
            }
        }
    }
}

fn write(path: &Path, committed: &Committed) {
    let Some(image) = Image::of(committed) else { return };
    match last_good::write(path, &image) {
        Ok(Written::Replaced) => debug!(serial = %image.serial, "last good snapshot written"),
        Ok(Written::Kept) => warn!(serial = %image.serial, "the last good file is newer and was kept"),
        Err(error) => {
            let cause = std::error::Error::source(&error).map(ToString::to_string);
            warn!(%error, cause, "last good snapshot not written");
        }
    }
}

#[cfg(test)]
mod tests;
