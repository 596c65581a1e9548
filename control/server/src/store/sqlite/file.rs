//! Whether a file may be our store: looked at before SQLite touches it, and checked through before it is believed.
//!
//! Invariant: a file that is not ours is left byte for byte as it was.

use std::fs::{File, OpenOptions, Permissions, TryLockError};
use std::io::Read;
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use sqlx::migrate::{MigrateError, Migrator};
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions, Connection, SqlitePool};

use super::super::error::StoreError;

static MIGRATIONS: Migrator = sqlx::migrate!("src/store/migrations");

/// "OUTR": marks the file as ours, see <https://www.sqlite.org/pragma.html#pragma_application_id>.
const APPLICATION: u32 = 0x4f55_5452;
/// Where the header of a database file holds it, see <https://www.sqlite.org/fileformat.html>.
const HEADER_BYTES: usize = 72;
const MAGIC: &[u8; 16] = b"SQLite format 3\0";

/// Holds the lock file beside the store. The store's own file cannot carry it: closing a second handle of it would
/// release SQLite's locks.
pub fn lock(path: &Path) -> Result<File, StoreError> {
    let name = with_suffix(path, ".lock");
    let file = OpenOptions::new().create(true).truncate(false).write(true).open(name);
    let file = file.map_err(|cause| StoreError::Unreachable { path: path.to_owned(), cause })?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(StoreError::Busy { path: path.to_owned() }),
        Err(TryLockError::Error(cause)) => Err(StoreError::Unreachable { path: path.to_owned(), cause }),
    }
}

/// Whether there is nothing yet. What is there and is not ours is refused.
pub fn is_new(path: &Path) -> Result<bool, StoreError> {
    let unreachable = |cause| StoreError::Unreachable { path: path.to_owned(), cause };
    let mut file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(true),
        Err(cause) => return Err(unreachable(cause)),
    };
    let mut header = Vec::new();
    file.by_ref().take(HEADER_BYTES as u64).read_to_end(&mut header).map_err(unreachable)?;
    if header.is_empty() {
        return Ok(true);
    }
    match header.as_slice() {
        [start @ .., a, b, c, d] if header.len() == HEADER_BYTES && start.starts_with(MAGIC) => {
            if u32::from_be_bytes([*a, *b, *c, *d]) == APPLICATION {
                Ok(false)
            } else {
                Err(StoreError::Foreign { path: path.to_owned() })
            }
        }
        _ => Err(StoreError::NotADatabase { path: path.to_owned() }),
    }
}

/// Lets nobody else read the file, which holds the keys of session ids; SQLite gives the files beside it the same mode. One that is
/// not there is made, empty.
pub fn make_private(path: &Path) -> Result<(), StoreError> {
    let unreachable = |cause| StoreError::Unreachable { path: path.to_owned(), cause };
    let file = OpenOptions::new().create(true).truncate(false).write(true).mode(0o600).open(path);
    let file = file.map_err(unreachable)?;
    let mode = file.metadata().map_err(unreachable)?.permissions().mode();
    if mode & 0o077 != 0 {
        file.set_permissions(Permissions::from_mode(mode & 0o700)).map_err(unreachable)?;
    }
    Ok(())
}

/// Makes the file and marks it as ours, in the main file and not in a log beside it, so that `is_new` can see it. It gets its name when all of
/// that is on disk: one that a kill left without the mark would look like somebody else's.
pub async fn create(path: &Path, options: SqliteConnectOptions) -> Result<(), StoreError> {
    let explain = |cause| explain(path, "creating", cause);
    let unreachable = |cause| StoreError::Unreachable { path: path.to_owned(), cause };
    let fresh = with_suffix(path, ".new");
    for leftover in ["", "-journal", "-wal", "-shm"] {
        match std::fs::remove_file(with_suffix(&fresh, leftover)) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(unreachable(error)),
            _ => {}
        }
    }
    make_private(&fresh)?;
    let options = options.filename(&fresh).pragma("application_id", APPLICATION.to_string());
    let connection = options.connect().await.map_err(explain)?;
    connection.close().await.map_err(explain)?;
    let named = File::open(&fresh).and_then(|file| file.sync_all()).and_then(|()| std::fs::rename(&fresh, path));
    named.and_then(|()| sync_folder(path)).map_err(unreachable)
}

/// A rename survives a power cut only once the folder is on disk.
fn sync_folder(path: &Path) -> std::io::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    File::open(folder)?.sync_all()
}

fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    PathBuf::from(name)
}

/// Reads the file through once. This finds broken pages; changed bytes inside rows are found by their hashes.
pub async fn check(path: &Path, pool: &SqlitePool) -> Result<(), StoreError> {
    let findings: Vec<String> = sqlx::query_scalar("PRAGMA quick_check(3)")
        .fetch_all(pool)
        .await
        .map_err(|cause| explain(path, "checking", cause))?;
    match findings.as_slice() {
        [only] if only == "ok" => Ok(()),
        _ => Err(StoreError::Damaged { path: path.to_owned(), detail: findings.join("; ") }),
    }
}

pub async fn migrate(path: &Path, pool: &SqlitePool) -> Result<(), StoreError> {
    match MIGRATIONS.run(pool).await {
        Ok(()) => Ok(()),
        Err(MigrateError::VersionMissing(_) | MigrateError::VersionTooNew(..)) => {
            Err(StoreError::Newer { path: path.to_owned() })
        }
        Err(MigrateError::Execute(cause)) => Err(explain(path, "migrating", cause)),
        Err(error) => Err(StoreError::Damaged { path: path.to_owned(), detail: error.to_string() }),
    }
}

/// Tells a broken file (SQLITE_CORRUPT, SQLITE_NOTADB) from everything else that may fail.
pub fn explain(path: &Path, doing: &'static str, cause: sqlx::Error) -> StoreError {
    let path = path.to_owned();
    let code = cause.as_database_error().and_then(|error| error.code()).and_then(|code| code.parse::<u32>().ok());
    match code.map(|code| code & 0xff) {
        Some(11) => StoreError::Damaged { path, detail: cause.to_string() },
        Some(26) => StoreError::NotADatabase { path },
        _ => StoreError::Sql { path, doing, cause },
    }
}
