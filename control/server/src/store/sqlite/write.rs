//! Writes one batch in one transaction.

use outrigger_control_core::event::Event;
use outrigger_control_core::intent::record::IntentRecord;
use outrigger_control_core::keyring::HeldKey;
use outrigger_control_core::port::{Batch, EVENTS_KEPT, SNAPSHOTS_KEPT, SnapshotRow};
use outrigger_control_core::snapshot::ledger::LedgerChange;
use sqlx::{Executor, SqliteConnection, SqlitePool};

use super::super::intent_row::IntentRow;
use super::super::key_row::KeyRow;
use super::super::meta_row::MetaRow;
use super::super::number::{millis, signed};
use super::super::row::{ReplicaRow, RevocationRow};
use super::rollout;

pub async fn commit(pool: &SqlitePool, batch: &Batch) -> Result<(), sqlx::Error> {
    let mut connection = pool.acquire().await?;
    begin(&mut connection).await?;
    let written = write(&mut connection, batch).await;
    end(&mut connection, written).await
}

/// Opens a transaction. Not by sqlx's own `begin`: where SQLite rolls back by itself, as it does when the disk is full,
/// that one keeps counting a transaction which is no more, and the connection never gets out of it.
pub async fn begin(connection: &mut SqliteConnection) -> Result<(), sqlx::Error> {
    if connection.execute("BEGIN IMMEDIATE").await.is_ok() {
        return Ok(());
    }
    // Something was interrupted half-way, or another process reads; the second answer is the true one.
    let _ = connection.execute("ROLLBACK").await;
    connection.execute("BEGIN IMMEDIATE").await.map(|_| ())
}

/// Commits what succeeded and rolls back what did not.
pub async fn end<T>(connection: &mut SqliteConnection, done: Result<T, sqlx::Error>) -> Result<T, sqlx::Error> {
    let done = match done {
        Ok(value) => connection.execute("COMMIT").await.map(|_| value),
        Err(error) => Err(error),
    };
    if done.is_err() {
        // Fails if SQLite has rolled back by itself already.
        let _ = connection.execute("ROLLBACK").await;
    }
    done
}

async fn write(connection: &mut SqliteConnection, batch: &Batch) -> Result<(), sqlx::Error> {
    let meta: MetaRow = sqlx::query_as("SELECT epoch, serial, intent, next_event, hash FROM meta WHERE id = 1")
        .fetch_one(&mut *connection)
        .await?;
    write_meta(connection, &meta.after(batch)).await?;
    write_intents(connection, &batch.intents).await?;
    write_replicas(connection, batch).await?;
    write_revocations(connection, batch).await?;
    write_events(connection, &batch.events).await?;
    write_snapshots(connection, &batch.snapshots).await?;
    for change in &batch.ledger {
        write_ledger(connection, change).await?;
    }
    if let Some(keys) = &batch.keys {
        write_keys(connection, keys).await?;
    }
    match &batch.rollout {
        Some(rollout) => rollout::write(connection, rollout).await,
        None => Ok(()),
    }
}

pub async fn write_meta(connection: &mut SqliteConnection, meta: &MetaRow) -> Result<(), sqlx::Error> {
    let query = "INSERT OR REPLACE INTO meta (id, epoch, serial, intent, next_event, hash) VALUES (1, ?, ?, ?, ?, ?)";
    sqlx::query(query)
        .bind(meta.epoch)
        .bind(meta.serial)
        .bind(&meta.intent)
        .bind(meta.next_event)
        .bind(&meta.hash)
        .execute(connection)
        .await?;
    Ok(())
}

/// One that is there already fails the transaction: what was published is never written over.
async fn write_intents(connection: &mut SqliteConnection, records: &[IntentRecord]) -> Result<(), sqlx::Error> {
    let query = "INSERT INTO intent (number, at_ms, author, reason, parent, undoes, source, document, digest, hash) \
                 VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)";
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

async fn write_replicas(connection: &mut SqliteConnection, batch: &Batch) -> Result<(), sqlx::Error> {
    if batch.is_whole {
        sqlx::query("DELETE FROM replica").execute(&mut *connection).await?;
    }
    for id in &batch.removed {
        sqlx::query("DELETE FROM replica WHERE id = ?").bind(id.as_str()).execute(&mut *connection).await?;
    }
    let query =
        "INSERT OR REPLACE INTO replica (id, node, agent, state, trouble, facts, hash) VALUES (?, ?, ?, ?, ?, ?, ?)";
    for standing in &batch.put {
        let row = ReplicaRow::of(standing).map_err(|error| sqlx::Error::Encode(Box::new(error)))?;
        sqlx::query(query)
            .bind(row.id)
            .bind(row.node)
            .bind(row.agent)
            .bind(row.state)
            .bind(row.trouble)
            .bind(row.facts)
            .bind(row.hash)
            .execute(&mut *connection)
            .await?;
    }
    Ok(())
}

async fn write_revocations(connection: &mut SqliteConnection, batch: &Batch) -> Result<(), sqlx::Error> {
    let query = "INSERT OR REPLACE INTO revocation (kind, name, at, reason, hash) VALUES (?, ?, ?, ?, ?)";
    for row in batch.revoked.iter().map(RevocationRow::of) {
        sqlx::query(query)
            .bind(row.kind)
            .bind(row.name)
            .bind(row.at)
            .bind(row.reason)
            .bind(row.hash)
            .execute(&mut *connection)
            .await?;
    }
    if batch.revoked_before > 0 {
        let before = signed(batch.revoked_before);
        sqlx::query("DELETE FROM revocation WHERE at < ?").bind(before).execute(connection).await?;
    }
    Ok(())
}

async fn write_events(connection: &mut SqliteConnection, events: &[Event]) -> Result<(), sqlx::Error> {
    let query = "INSERT OR REPLACE INTO event (id, at_ms, kind, subject, detail) VALUES (?, ?, ?, ?, ?)";
    for event in events {
        sqlx::query(query)
            .bind(signed(event.id))
            .bind(millis(event.at))
            .bind(event.kind.as_str())
            .bind(&event.subject)
            .bind(&event.detail)
            .execute(&mut *connection)
            .await?;
    }
    if let Some(newest) = events.iter().map(|event| event.id).max() {
        let oldest_kept = signed(newest.saturating_sub(EVENTS_KEPT));
        sqlx::query("DELETE FROM event WHERE id <= ?").bind(oldest_kept).execute(connection).await?;
    }
    Ok(())
}

async fn write_snapshots(connection: &mut SqliteConnection, rows: &[SnapshotRow]) -> Result<(), sqlx::Error> {
    let query = "INSERT OR REPLACE INTO snapshot (serial, epoch, digest, made_at_ms, reason) VALUES (?, ?, ?, ?, ?)";
    for row in rows {
        sqlx::query(query)
            .bind(signed(row.serial.0))
            .bind(i64::from(row.epoch.0))
            .bind(row.digest.as_bytes().as_slice())
            .bind(millis(row.made_at))
            .bind(&row.reason)
            .execute(&mut *connection)
            .await?;
    }
    if !rows.is_empty() {
        let query =
            "DELETE FROM snapshot WHERE serial NOT IN (SELECT serial FROM snapshot ORDER BY serial DESC LIMIT ?)";
        sqlx::query(query).bind(signed(SNAPSHOTS_KEPT)).execute(connection).await?;
    }
    Ok(())
}

async fn write_ledger(connection: &mut SqliteConnection, change: &LedgerChange) -> Result<(), sqlx::Error> {
    for view in &change.dropped {
        sqlx::query("DELETE FROM view WHERE view = ?").bind(view.as_str()).execute(&mut *connection).await?;
        sqlx::query("DELETE FROM ledger WHERE view = ?").bind(view.as_str()).execute(&mut *connection).await?;
    }
    let view = change.view.as_str();
    sqlx::query("INSERT OR REPLACE INTO view (view, serial) VALUES (?, ?)")
        .bind(view)
        .bind(signed(change.serial.0))
        .execute(&mut *connection)
        .await?;
    for (kind, name) in &change.removed {
        sqlx::query("DELETE FROM ledger WHERE view = ? AND kind = ? AND name = ?")
            .bind(view)
            .bind(kind.as_str())
            .bind(name)
            .execute(&mut *connection)
            .await?;
    }
    for ((kind, name), entry) in &change.changed {
        sqlx::query("INSERT OR REPLACE INTO ledger (view, kind, name, digest, serial) VALUES (?, ?, ?, ?, ?)")
            .bind(view)
            .bind(kind.as_str())
            .bind(name)
            .bind(entry.digest.as_bytes().as_slice())
            .bind(signed(entry.serial.0))
            .execute(&mut *connection)
            .await?;
    }
    Ok(())
}

async fn write_keys(connection: &mut SqliteConnection, keys: &[HeldKey]) -> Result<(), sqlx::Error> {
    sqlx::query("DELETE FROM session_key").execute(&mut *connection).await?;
    let query = "INSERT INTO session_key (id, secret, made_at, seals_since, hash) VALUES (?, ?, ?, ?, ?)";
    for key in keys {
        let row = KeyRow::of(key);
        sqlx::query(query)
            .bind(row.id)
            .bind(row.secret)
            .bind(row.made_at)
            .bind(row.seals_since)
            .bind(row.hash)
            .execute(&mut *connection)
            .await?;
    }
    Ok(())
}
