//! Copies of a store that outlive it, and a store made of such a copy.
//!
//! In: where the store is, the file of the copy. Out: a whole, checked copy, also of a store in use; or a store that begins another future.
//! Invariant: a restored store has a new epoch, so no token made since the copy was taken matches anything made after; what was there
//! before is kept beside it.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use outrigger_control_core::port::Store;
use outrigger_model::resource::{Epoch, Serial};

use super::error::StoreError;
use super::place::StorePlace;
use super::postgres::PostgresStore;
use super::sqlite;

/// What a copy holds, for people.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Summary {
    pub epoch: Epoch,
    pub serial: Serial,
    pub replicas: usize,
}

#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("a store in memory has nothing to keep")]
    Memory,
    #[error(
        "{0} is copied with PostgreSQL's own tools, such as `pg_dump --schema`; once it is brought back with them, run `outrigger control restore` without a file"
    )]
    Postgres(String),
    #[error("which file? `outrigger control restore FILE`")]
    NoFile,
    #[error("{path} is there already; name a file that is not")]
    Exists { path: PathBuf },
    #[error("{path} cannot be {verb}")]
    Io {
        path: PathBuf,
        verb: &'static str,
        #[source]
        cause: io::Error,
    },
}

/// Copies the store into a file that is not there yet. Control may run meanwhile.
pub async fn backup(place: &StorePlace, file: &Path) -> Result<Summary, BackupError> {
    let path = match place {
        StorePlace::Sqlite(path) => path,
        StorePlace::Postgres(database) => return Err(BackupError::Postgres(database.to_string())),
        StorePlace::Memory => return Err(BackupError::Memory),
    };
    // It holds the keys of session ids: nobody else's, not even for a moment.
    match OpenOptions::new().write(true).create_new(true).mode(0o600).open(file) {
        Ok(_) => {}
        Err(cause) if cause.kind() == io::ErrorKind::AlreadyExists => {
            return Err(BackupError::Exists { path: file.to_owned() });
        }
        Err(cause) => return Err(BackupError::Io { path: file.to_owned(), verb: "created", cause }),
    }
    let done = async {
        sqlite::copy(path, file).await?;
        let summary = look(file).await?;
        sync(file)?;
        Ok(summary)
    };
    let done = done.await;
    if done.is_err() {
        // Half a copy is none.
        let _ = fs::remove_file(file);
    }
    done
}

/// Makes the store what the copy is, in a new epoch. Control must not run.
pub async fn restore(place: &StorePlace, file: Option<&Path>) -> Result<Summary, BackupError> {
    let (path, file) = match (place, file) {
        (StorePlace::Memory, _) => return Err(BackupError::Memory),
        (StorePlace::Postgres(database), None) => return renewed(&PostgresStore::open(database).await?).await,
        (StorePlace::Postgres(database), Some(_)) => return Err(BackupError::Postgres(database.to_string())),
        (StorePlace::Sqlite(_), None) => return Err(BackupError::NoFile),
        (StorePlace::Sqlite(path), Some(file)) => (path, file),
    };
    let _lock = sqlite::lock(path)?;
    let fresh = beside(path, "restoring");
    let _ = fs::remove_file(&fresh);
    let failed = |path: &Path, verb| {
        let path = path.to_owned();
        move |cause| BackupError::Io { path, verb, cause }
    };
    sqlite::copy(file, &fresh).await?;
    sqlite::renew_epoch(&fresh).await?;
    let summary = look(&fresh).await?;
    sync(&fresh)?;
    if path.exists() {
        sqlite::settle(path).await;
        let before = beside(path, "replaced");
        let _ = fs::remove_file(&before);
        fs::hard_link(path, &before).map_err(failed(&before, "kept"))?;
    }
    for leftover in ["-wal", "-shm"] {
        match fs::remove_file(with_suffix(path, leftover)) {
            Err(cause) if cause.kind() != io::ErrorKind::NotFound => return Err(failed(path, "cleared")(cause)),
            _ => {}
        }
    }
    fs::rename(&fresh, path).map_err(failed(path, "replaced"))?;
    sync(path)?;
    Ok(summary)
}

async fn renewed(store: &PostgresStore) -> Result<Summary, BackupError> {
    let epoch = store.renew_epoch().await?;
    let stored = store.load().await?;
    store.close().await;
    Ok(Summary { epoch, serial: stored.serial, replicas: stored.standings.len() })
}

async fn look(file: &Path) -> Result<Summary, StoreError> {
    let (epoch, serial, replicas) = sqlite::look(file).await?;
    Ok(Summary { epoch, serial, replicas })
}

/// The file is on disk, and so is its name.
fn sync(file: &Path) -> Result<(), BackupError> {
    let failed = |cause| BackupError::Io { path: file.to_owned(), verb: "synced", cause };
    File::open(file).and_then(|file| file.sync_all()).map_err(failed)?;
    let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    File::open(folder).and_then(|folder| folder.sync_all()).map_err(failed)
}

fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    PathBuf::from(name)
}

fn beside(path: &Path, word: &str) -> PathBuf {
    with_suffix(path, &format!(".{word}"))
}

#[cfg(test)]
mod tests;
