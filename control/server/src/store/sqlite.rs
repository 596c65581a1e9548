//! The store in one SQLite file: WAL, one writing connection, every commit flushed to disk.
//!
//! Invariant: at most one control has a file open (a lock file beside it says so).

mod file;
mod rollout;
mod write;
mod history;
mod load;
mod copy;

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use outrigger_control_core::event::Event;
use outrigger_control_core::intent::record::IntentRecord;
use outrigger_control_core::port::{Batch, SnapshotRow, Store, Stored};
use sqlx::SqlitePool;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};

use super::error::StoreError;
use super::log_row::{EventRow, SnapshotRowAsRead, event, snapshot};

pub use copy::{copy, look, renew_epoch, settle};
pub use file::lock;

/// Connections for reading the event log and the list of snapshots.
const READERS_MAX: u32 = 2;

#[derive(Debug, Clone)]
pub struct SqliteStore {
    path: PathBuf,
    writer: SqlitePool,
    readers: SqlitePool,
    /// Held for as long as any clone lives.
    _lock: Arc<File>,
}

impl SqliteStore {
    pub async fn open(path: &Path) -> Result<Self, StoreError> {
        let lock = Arc::new(lock(path)?);
        let options = SqliteConnectOptions::new().filename(path).busy_timeout(Duration::from_secs(5));
        let is_new = file::is_new(path)?;
        if is_new {
            file::create(path, options.clone()).await?;
        }
        file::make_private(path)?;
        let options = options
            .journal_mode(SqliteJournalMode::Wal)
            // FULL: a serial that was published must not be given out again after a power cut.
            .synchronous(SqliteSynchronous::Full);
        let sql = |doing| move |cause| file::explain(path, doing, cause);
        let writer = SqlitePoolOptions::new().max_connections(1).idle_timeout(None).max_lifetime(None);
        let writer = writer.connect_with(options.clone()).await.map_err(sql("opening"))?;
        let readers = SqlitePoolOptions::new().max_connections(READERS_MAX).connect_lazy_with(options.read_only(true));
        file::check(path, &writer).await?;
        file::migrate(path, &writer).await?;
        Ok(Self { path: path.to_owned(), writer, readers, _lock: lock })
    }

    pub async fn close(&self) {
        self.readers.close().await;
        self.writer.close().await;
    }

    /// Lets the database grow to this many pages: a disk that is full, for tests.
    #[cfg(test)]
    pub async fn limit_pages(&self, pages: u32) {
        let pragma = sqlx::AssertSqlSafe(format!("PRAGMA max_page_count = {pages}"));
        sqlx::query(pragma).execute(&self.writer).await.unwrap();
    }

    fn explain(&self, doing: &'static str) -> impl Fn(sqlx::Error) -> StoreError {
        move |cause| file::explain(&self.path, doing, cause)
    }
}

impl Store for SqliteStore {
    type Error = StoreError;

    async fn load(&self) -> Result<Stored, StoreError> {
        load::load(&self.path, &self.writer).await
    }

    async fn commit(&self, batch: &Batch) -> Result<(), StoreError> {
        write::commit(&self.writer, batch).await.map_err(self.explain("committing"))
    }

    async fn events(&self, after: u64, limit: u32) -> Result<Vec<Event>, StoreError> {
        let after = i64::try_from(after).unwrap_or(i64::MAX);
        let query = "SELECT id, at_ms, kind, subject, detail FROM event WHERE id > ? ORDER BY id LIMIT ?";
        let rows: Vec<EventRow> = sqlx::query_as(query)
            .bind(after)
            .bind(limit)
            .fetch_all(&self.readers)
            .await
            .map_err(self.explain("reading events"))?;
        Ok(rows.into_iter().filter_map(event).collect())
    }

    async fn last_event(&self) -> Result<u64, StoreError> {
        let row: (i64,) = sqlx::query_as("SELECT COALESCE(MAX(id), 0) FROM event")
            .fetch_one(&self.readers)
            .await
            .map_err(self.explain("reading events"))?;
        Ok(u64::try_from(row.0).unwrap_or(0))
    }

    async fn snapshots(&self, limit: u32) -> Result<Vec<SnapshotRow>, StoreError> {
        let query = "SELECT serial, epoch, digest, made_at_ms, reason FROM snapshot ORDER BY serial DESC LIMIT ?";
        let rows: Vec<SnapshotRowAsRead> = sqlx::query_as(query)
            .bind(limit)
            .fetch_all(&self.readers)
            .await
            .map_err(self.explain("reading snapshots"))?;
        Ok(rows.into_iter().filter_map(snapshot).collect())
    }

    async fn intents(&self, before: Option<u64>, limit: u32) -> Result<Vec<IntentRecord>, StoreError> {
        history::intents(&self.path, &self.readers, before, limit).await
    }

    async fn intent(&self, number: u64) -> Result<Option<IntentRecord>, StoreError> {
        history::intent(&self.path, &self.readers, number).await
    }
}
