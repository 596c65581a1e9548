//! Copies of the file, and another future for a copy.
//!
//! Invariant: a file that is not wholly ours is neither copied nor changed.

use std::path::Path;
use std::time::Duration;

use outrigger_model::resource::{Epoch, Serial};
use sqlx::SqlitePool;
use sqlx::sqlite::{SqliteConnectOptions, SqlitePoolOptions};

use super::super::error::StoreError;
use super::super::meta_row::MetaRow;
use super::file;
use super::write::{begin, end, write_meta};

/// Writes all of the store into `to`, which is empty or not there. Others may write to the store meanwhile.
pub async fn copy(from: &Path, to: &Path) -> Result<(), StoreError> {
    let pool = open(from).await?;
    let copied = sqlx::query("VACUUM INTO ?").bind(to.display().to_string()).execute(&pool).await;
    pool.close().await;
    copied.map(|_| ()).map_err(|cause| file::explain(from, "copying", cause))
}

/// Checks a file through, and says what is in it: epoch, serial, and how many replicas.
pub async fn look(path: &Path) -> Result<(Epoch, Serial, usize), StoreError> {
    let pool = open(path).await?;
    let looked = async {
        file::check(path, &pool).await?;
        let meta = meta(path, &pool).await?;
        let replicas: i64 = sqlx::query_scalar("SELECT count(*) FROM replica")
            .fetch_one(&pool)
            .await
            .map_err(|cause| file::explain(path, "reading", cause))?;
        Ok((meta.epoch(), meta.serial(), usize::try_from(replicas).unwrap_or_default()))
    };
    let looked = looked.await;
    pool.close().await;
    looked
}

/// The same content as the beginning of another future.
pub async fn renew_epoch(path: &Path) -> Result<(), StoreError> {
    let pool = open(path).await?;
    let renewed = async {
        file::check(path, &pool).await?;
        file::migrate(path, &pool).await?;
        let meta = meta(path, &pool).await?;
        let explain = |cause| file::explain(path, "renewing the epoch", cause);
        let mut connection = pool.acquire().await.map_err(explain)?;
        begin(&mut connection).await.map_err(explain)?;
        let epoch = meta.another_epoch();
        let written = write_meta(&mut connection, &meta.in_epoch(epoch)).await;
        end(&mut connection, written).await.map_err(explain)
    };
    let renewed = renewed.await;
    pool.close().await;
    renewed
}

/// Brings what lies in the log beside a file into the file itself, if that can be done.
pub async fn settle(path: &Path) {
    if let Ok(pool) = open(path).await {
        let _ = sqlx::query("PRAGMA wal_checkpoint(TRUNCATE)").execute(&pool).await;
        pool.close().await;
    }
}

async fn open(path: &Path) -> Result<SqlitePool, StoreError> {
    if file::is_new(path)? {
        let cause = std::io::Error::from(std::io::ErrorKind::NotFound);
        return Err(StoreError::Unreachable { path: path.to_owned(), cause });
    }
    let options = SqliteConnectOptions::new().filename(path).busy_timeout(Duration::from_secs(5));
    let pool = SqlitePoolOptions::new().max_connections(1).connect_with(options).await;
    pool.map_err(|cause| file::explain(path, "opening", cause))
}

async fn meta(path: &Path, pool: &SqlitePool) -> Result<MetaRow, StoreError> {
    let query = "SELECT epoch, serial, intent, next_event, hash FROM meta WHERE id = 1";
    let meta: Option<MetaRow> =
        sqlx::query_as(query).fetch_optional(pool).await.map_err(|cause| file::explain(path, "reading", cause))?;
    meta.filter(MetaRow::is_sound).ok_or_else(|| {
        let detail = "its serial and epoch do not match their hash".to_owned();
        StoreError::Damaged { path: path.to_owned(), detail }
    })
}
