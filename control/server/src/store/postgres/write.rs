//! Writes one batch in one transaction, if its writer still leads; each table in one statement.

use outrigger_control_core::event::Event;
use outrigger_control_core::keyring::HeldKey;
use outrigger_control_core::port::{Batch, EVENTS_KEPT, SNAPSHOTS_KEPT, SnapshotRow};
use outrigger_model::resource::Epoch;
use sqlx::{Connection, Executor, PgConnection};

use super::super::key_row::KeyRow;
use super::super::meta_row::MetaRow;
use super::super::number::{millis, signed};
use super::super::row::{ReplicaRow, RevocationRow};
use super::{history, rollout};

mod editions;

/// Wakes replicas that serve what is committed.
pub const COMMITTED: &str = "outrigger_committed";

/// Events that are pruned with a batch beyond as many as it brings.
const PRUNED_BEYOND: usize = 100;

/// False: another replica leads, and nothing was written.
pub async fn commit(connection: &mut PgConnection, batch: &Batch, term: u64) -> Result<bool, sqlx::Error> {
    let mut transaction = connection.begin().await?;
    let Some(meta) = own(&mut transaction, term).await? else {
        transaction.rollback().await?;
        return Ok(false);
    };
    write_meta(&mut transaction, &meta.after(batch)).await?;
    history::add(&mut transaction, &batch.intents).await?;
    write_replicas(&mut transaction, batch).await?;
    write_revocations(&mut transaction, batch).await?;
    write_events(&mut transaction, &batch.events).await?;
    write_snapshots(&mut transaction, &batch.snapshots).await?;
    editions::write(&mut transaction, batch).await?;
    if let Some(keys) = &batch.keys {
        write_keys(&mut transaction, keys).await?;
    }
    if let Some(rollout) = &batch.rollout {
        rollout::write(&mut transaction, rollout).await?;
    }
    if !batch.is_empty() {
        sqlx::query("SELECT pg_notify($1, '')").bind(COMMITTED).execute(&mut *transaction).await?;
    }
    transaction.commit().await?;
    Ok(true)
}

/// The row that says who we are, locked, if `term` is the one that leads. Whoever takes the seat waits for the lock, so what is written
/// in an earlier term is there before anything of a later one.
pub async fn own(connection: &mut PgConnection, term: u64) -> Result<Option<MetaRow>, sqlx::Error> {
    let query = "SELECT epoch, serial, intent, next_event, hash FROM meta WHERE id = 1 AND term = $1 FOR UPDATE";
    match term {
        0 => Ok(None),
        _ => sqlx::query_as(query).bind(signed(term)).fetch_optional(connection).await,
    }
}

pub async fn renew_epoch(connection: &mut PgConnection) -> Result<Epoch, sqlx::Error> {
    let mut transaction = connection.begin().await?;
    let query = "SELECT epoch, serial, intent, next_event, hash FROM meta WHERE id = 1 FOR UPDATE";
    let meta: MetaRow = sqlx::query_as(query).fetch_one(&mut *transaction).await?;
    let epoch = meta.another_epoch();
    write_meta(&mut transaction, &meta.in_epoch(epoch)).await?;
    // Whoever leads notices that it does no more, and loads everything again.
    transaction.execute("UPDATE meta SET term = term + 1 WHERE id = 1").await?;
    transaction.commit().await?;
    Ok(epoch)
}

async fn write_meta(connection: &mut PgConnection, meta: &MetaRow) -> Result<(), sqlx::Error> {
    sqlx::query("UPDATE meta SET epoch = $1, serial = $2, intent = $3, next_event = $4, hash = $5 WHERE id = 1")
        .bind(meta.epoch)
        .bind(meta.serial)
        .bind(&meta.intent)
        .bind(meta.next_event)
        .bind(&meta.hash)
        .execute(connection)
        .await?;
    Ok(())
}

async fn write_replicas(connection: &mut PgConnection, batch: &Batch) -> Result<(), sqlx::Error> {
    if batch.is_whole {
        connection.execute("DELETE FROM replica").await?;
    }
    if !batch.removed.is_empty() {
        let gone: Vec<&str> = batch.removed.iter().map(|id| id.as_str()).collect();
        sqlx::query("DELETE FROM replica WHERE id = ANY($1)").bind(gone).execute(&mut *connection).await?;
    }
    if batch.put.is_empty() {
        return Ok(());
    }
    let rows = batch.put.iter().map(ReplicaRow::of).collect::<Result<Vec<_>, _>>();
    let rows = rows.map_err(|error| sqlx::Error::Encode(Box::new(error)))?;
    sqlx::query(
        "INSERT INTO replica (id, node, agent, state, trouble, facts, hash)
         SELECT * FROM UNNEST($1::TEXT[], $2::TEXT[], $3::TEXT[], $4::TEXT[], $5::TEXT[], $6::TEXT[], $7::BYTEA[])
         ON CONFLICT (id) DO UPDATE SET node = excluded.node, agent = excluded.agent, state = excluded.state,
             trouble = excluded.trouble, facts = excluded.facts, hash = excluded.hash",
    )
    .bind(rows.iter().map(|row| row.id.as_str()).collect::<Vec<_>>())
    .bind(rows.iter().map(|row| row.node.as_str()).collect::<Vec<_>>())
    .bind(rows.iter().map(|row| row.agent.as_str()).collect::<Vec<_>>())
    .bind(rows.iter().map(|row| row.state.as_str()).collect::<Vec<_>>())
    .bind(rows.iter().map(|row| row.trouble.as_str()).collect::<Vec<_>>())
    .bind(rows.iter().map(|row| row.facts.as_str()).collect::<Vec<_>>())
    .bind(rows.iter().map(|row| row.hash.as_slice()).collect::<Vec<_>>())
    .execute(connection)
    .await?;
    Ok(())
}

async fn write_revocations(connection: &mut PgConnection, batch: &Batch) -> Result<(), sqlx::Error> {
    if !batch.revoked.is_empty() {
        let rows: Vec<RevocationRow> = batch.revoked.iter().map(RevocationRow::of).collect();
        sqlx::query(
            "INSERT INTO revocation (kind, name, at, reason, hash)
             SELECT * FROM UNNEST($1::TEXT[], $2::TEXT[], $3::BIGINT[], $4::TEXT[], $5::BYTEA[])
             ON CONFLICT (kind, name) DO UPDATE SET at = excluded.at, reason = excluded.reason, hash = excluded.hash",
        )
        .bind(rows.iter().map(|row| row.kind.as_str()).collect::<Vec<_>>())
        .bind(rows.iter().map(|row| row.name.as_str()).collect::<Vec<_>>())
        .bind(rows.iter().map(|row| row.at).collect::<Vec<_>>())
        .bind(rows.iter().map(|row| row.reason.as_str()).collect::<Vec<_>>())
        .bind(rows.iter().map(|row| row.hash.as_slice()).collect::<Vec<_>>())
        .execute(&mut *connection)
        .await?;
    }
    if batch.revoked_before > 0 {
        let before = signed(batch.revoked_before);
        sqlx::query("DELETE FROM revocation WHERE at < $1").bind(before).execute(connection).await?;
    }
    Ok(())
}

async fn write_events(connection: &mut PgConnection, events: &[Event]) -> Result<(), sqlx::Error> {
    let Some(newest) = events.iter().map(|event| event.id).max() else { return Ok(()) };
    sqlx::query(
        "INSERT INTO event (id, at_ms, kind, subject, detail)
         SELECT * FROM UNNEST($1::BIGINT[], $2::BIGINT[], $3::TEXT[], $4::TEXT[], $5::TEXT[])
         ON CONFLICT (id) DO UPDATE SET at_ms = excluded.at_ms, kind = excluded.kind, subject = excluded.subject,
             detail = excluded.detail",
    )
    .bind(events.iter().map(|event| signed(event.id)).collect::<Vec<_>>())
    .bind(events.iter().map(|event| millis(event.at)).collect::<Vec<_>>())
    .bind(events.iter().map(|event| event.kind.as_str()).collect::<Vec<_>>())
    .bind(events.iter().map(|event| event.subject.as_str()).collect::<Vec<_>>())
    .bind(events.iter().map(|event| event.detail.as_str()).collect::<Vec<_>>())
    .execute(&mut *connection)
    .await?;
    let oldest_kept = signed(newest.saturating_sub(EVENTS_KEPT));
    // By the index whatever the planner believes of a log that it knows nothing of yet.
    let query = "DELETE FROM event WHERE id = ANY(ARRAY(SELECT id FROM event WHERE id <= $1 ORDER BY id LIMIT $2))";
    let pruned_max = i64::try_from(events.len().saturating_add(PRUNED_BEYOND)).unwrap_or(i64::MAX);
    sqlx::query(query).bind(oldest_kept).bind(pruned_max).execute(connection).await?;
    Ok(())
}

async fn write_snapshots(connection: &mut PgConnection, rows: &[SnapshotRow]) -> Result<(), sqlx::Error> {
    if rows.is_empty() {
        return Ok(());
    }
    sqlx::query(
        "INSERT INTO snapshot (serial, epoch, digest, made_at_ms, reason)
         SELECT * FROM UNNEST($1::BIGINT[], $2::BIGINT[], $3::BYTEA[], $4::BIGINT[], $5::TEXT[])
         ON CONFLICT (serial) DO UPDATE SET epoch = excluded.epoch, digest = excluded.digest,
             made_at_ms = excluded.made_at_ms, reason = excluded.reason",
    )
    .bind(rows.iter().map(|row| signed(row.serial.0)).collect::<Vec<_>>())
    .bind(rows.iter().map(|row| i64::from(row.epoch.0)).collect::<Vec<_>>())
    .bind(rows.iter().map(|row| row.digest.as_bytes().as_slice()).collect::<Vec<_>>())
    .bind(rows.iter().map(|row| millis(row.made_at)).collect::<Vec<_>>())
    .bind(rows.iter().map(|row| row.reason.as_str()).collect::<Vec<_>>())
    .execute(&mut *connection)
    .await?;
    let query = "DELETE FROM snapshot WHERE serial < (SELECT min(serial) FROM (SELECT serial FROM snapshot ORDER BY serial DESC LIMIT $1) AS kept)";
    sqlx::query(query).bind(signed(SNAPSHOTS_KEPT)).execute(connection).await?;
    Ok(())
}

async fn write_keys(connection: &mut PgConnection, keys: &[HeldKey]) -> Result<(), sqlx::Error> {
    connection.execute("DELETE FROM session_key").await?;
    let query = "INSERT INTO session_key (id, secret, made_at, seals_since, hash) VALUES ($1, $2, $3, $4, $5)";
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
