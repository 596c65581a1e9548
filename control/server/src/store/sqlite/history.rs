//! Reads intents: one, a page of them, and all of them once, at the start.
//!
//! Invariant: a record is served only if its hash covers exactly what it says. Where the newest cannot be believed nobody knows what is to run,
//! and the store is refused; older ones are named, to be set aside.

use std::path::Path;

use outrigger_control_core::intent::record::{IntentRecord, IntentSource};
use outrigger_model::digest::Digest;
use sqlx::{SqliteConnection, SqlitePool};

use super::super::error::StoreError;
use super::super::intent_row::IntentRow;
use super::file;

const COLUMNS: &str = "number, at_ms, author, reason, parent, undoes, source, document, digest, hash";

/// What a start needs of the history.
pub struct Newest {
    pub record: Option<IntentRecord>,
    /// Of the newest record that the file declared.
    pub declared: Option<Digest>,
    /// Numbers and documents of older records that cannot be believed.
    pub damaged: Vec<(i64, String)>,
}

pub async fn intents(
    path: &Path,
    pool: &SqlitePool,
    before: Option<u64>,
    limit: u32,
) -> Result<Vec<IntentRecord>, StoreError> {
    let before = before.and_then(|before| i64::try_from(before).ok()).unwrap_or(i64::MAX);
    let query = format!("SELECT {COLUMNS} FROM intent WHERE number < ? ORDER BY number DESC LIMIT ?");
    let rows: Vec<IntentRow> = sqlx::query_as(sqlx::AssertSqlSafe(query))
        .bind(before)
        .bind(limit)
        .fetch_all(pool)
        .await
        .map_err(|cause| file::explain(path, "reading intents", cause))?;
    rows.into_iter().map(|row| believed(path, row)).collect()
}

pub async fn intent(path: &Path, pool: &SqlitePool, number: u64) -> Result<Option<IntentRecord>, StoreError> {
    let Ok(number) = i64::try_from(number) else { return Ok(None) };
    let query = format!("SELECT {COLUMNS} FROM intent WHERE number = ?");
    let row: Option<IntentRow> = sqlx::query_as(sqlx::AssertSqlSafe(query))
        .bind(number)
        .fetch_optional(pool)
        .await
        .map_err(|cause| file::explain(path, "reading an intent", cause))?;
    row.map(|row| believed(path, row)).transpose()
}

fn believed(path: &Path, row: IntentRow) -> Result<IntentRecord, StoreError> {
    let number = row.number;
    row.record().ok_or_else(|| {
        let detail = format!("intent {number} does not match its hash");
        StoreError::Damaged { path: path.to_owned(), detail }
    })
}

/// None if the newest cannot be believed.
pub async fn newest(connection: &mut SqliteConnection) -> Result<Option<Newest>, sqlx::Error> {
    let numbers: Vec<i64> =
        sqlx::query_scalar("SELECT number FROM intent ORDER BY number DESC").fetch_all(&mut *connection).await?;
    let mut newest = Newest { record: None, declared: None, damaged: Vec::new() };
    let query = format!("SELECT {COLUMNS} FROM intent WHERE number = ?");
    // One after the other: documents are large, and all of them at once would be in memory.
    for number in numbers {
        let row: IntentRow =
            sqlx::query_as(sqlx::AssertSqlSafe(query.clone())).bind(number).fetch_one(&mut *connection).await?;
        let content = row.document.clone();
        match (row.record(), &newest.record) {
            (Some(record), _) => {
                let is_declared = record.source == IntentSource::File;
                newest.declared = newest.declared.or(is_declared.then_some(record.digest));
                newest.record.get_or_insert(record);
            }
            (None, None) => return Ok(None),
            (None, Some(_)) => newest.damaged.push((number, content)),
        }
    }
    Ok(Some(newest))
}
