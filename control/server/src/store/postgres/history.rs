//! Reads and adds intents: one, a page of them, and all of them once, when a replica begins to lead.
//!
//! Invariant: a record is served only if its hash covers exactly what it says. Where the newest cannot be believed nobody knows what is to
//! run, and the store is refused; older ones are set aside.

use outrigger_control_core::intent::record::{IntentRecord, IntentSource};
use outrigger_control_core::port::DamagedRow;
use outrigger_model::digest::Digest;
use sqlx::PgConnection;

use super::super::intent_row::IntentRow;
use super::super::number::signed;

/// What a start needs of the history.
pub struct Newest {
    pub record: Option<IntentRecord>,
    /// Of the newest record that the file declared.
    pub declared: Option<Digest>,
    /// Older ones that cannot be believed, each with what it says.
    pub damaged: Vec<(DamagedRow, String)>,
}

/// A page, newest first, as it was read.
pub async fn page(
    connection: &mut PgConnection,
    before: Option<u64>,
    limit: u32,
) -> Result<Vec<IntentRow>, sqlx::Error> {
    let before = before.map_or(i64::MAX, signed);
    sqlx::query_as(
        "SELECT number, at_ms, author, reason, parent, undoes, source, document, digest, hash
         FROM intent WHERE number < $1 ORDER BY number DESC LIMIT $2",
    )
    .bind(before)
    .bind(i64::from(limit))
    .fetch_all(connection)
    .await
}

pub async fn one(connection: &mut PgConnection, number: i64) -> Result<Option<IntentRow>, sqlx::Error> {
    sqlx::query_as(
        "SELECT number, at_ms, author, reason, parent, undoes, source, document, digest, hash
         FROM intent WHERE number = $1",
    )
    .bind(number)
    .fetch_optional(connection)
    .await
}

/// None: the newest cannot be believed.
pub async fn newest(connection: &mut PgConnection) -> Result<Option<Newest>, sqlx::Error> {
    let numbers: Vec<i64> =
        sqlx::query_scalar("SELECT number FROM intent ORDER BY number DESC").fetch_all(&mut *connection).await?;
    let mut newest = Newest { record: None, declared: None, damaged: Vec::new() };
    // One after the other: documents are large, and all of them at once would be in memory.
    for number in numbers {
        let Some(row) = one(connection, number).await? else { continue };
        let content = row.document.clone();
        match (row.record(), &newest.record) {
            (Some(record), _) => {
                let is_declared = record.source == IntentSource::File;
                newest.declared = newest.declared.or(is_declared.then_some(record.digest));
                newest.record.get_or_insert(record);
            }
            (None, None) => return Ok(None),
            (None, Some(_)) => {
                let why = "its content does not match its hash".to_owned();
                newest.damaged.push((DamagedRow { table: "intent", key: number.to_string(), why }, content));
            }
        }
    }
    Ok(Some(newest))
}

/// One that is there already fails the transaction: what was published is never written over.
pub async fn add(connection: &mut PgConnection, records: &[IntentRecord]) -> Result<(), sqlx::Error> {
    let query = "INSERT INTO intent (number, at_ms, author, reason, parent, undoes, source, document, digest, hash)
                 VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)";
    for row in records.iter().map(IntentRow::of) {
        sqlx::query(query)
            .bind(row.number)
            .bind(row.at_ms)
            .bind(row.author)
            .bind(row.reason)
            .bind(row.parent)
            .bind(row.undoes)
            .bind(row.source)
            .bind(row.document)
            .bind(row.digest)
            .bind(row.hash)
            .execute(&mut *connection)
            .await?;
    }
    Ok(())
}
