//! Writes when resources changed, and what is sent of them.
//!
//! Invariant: a ledger and its bodies change in one transaction, so who reads finds a body for every entry; a body that no view has is
//! deleted with the last entry that names it.

use outrigger_control_core::port::{Batch, EditionRow};
use outrigger_control_core::snapshot::ledger::{LedgerChange, ResourceKey};
use outrigger_control_core::snapshot::scope::ViewKey;
use outrigger_model::digest::Digest;
use sqlx::PgConnection;

use super::super::super::number::signed;

pub async fn write(connection: &mut PgConnection, batch: &Batch) -> Result<(), sqlx::Error> {
    for edition in batch.editions.values() {
        write_bodies(connection, edition).await?;
    }
    let mut left = Vec::new();
    for change in &batch.ledger {
        drop_views(connection, &change.dropped, &mut left).await?;
        write_view(connection, change).await?;
        remove(connection, change, &mut left).await?;
        put(connection, change, &mut left).await?;
    }
    for (view, edition) in &batch.editions {
        sqlx::query("UPDATE view SET manifest = $2 WHERE view = $1")
            .bind(view.as_str())
            .bind(&*edition.manifest)
            .execute(&mut *connection)
            .await?;
    }
    sweep(connection, left).await
}

async fn write_bodies(connection: &mut PgConnection, edition: &EditionRow) -> Result<(), sqlx::Error> {
    if edition.bodies.is_empty() {
        return Ok(());
    }
    let digests: Vec<Digest> = edition.bodies.values().map(|bytes| Digest::of(bytes)).collect();
    // Written anew where it is there: it may have been changed from outside.
    sqlx::query(
        "INSERT INTO blob (digest, bytes) SELECT DISTINCT ON (d) d, b FROM UNNEST($1::BYTEA[], $2::BYTEA[]) AS new (d, b)
         ON CONFLICT (digest) DO UPDATE SET bytes = excluded.bytes WHERE blob.bytes <> excluded.bytes",
    )
    .bind(digests.iter().map(|digest| digest.as_bytes().as_slice()).collect::<Vec<_>>())
    .bind(edition.bodies.values().map(|bytes| &**bytes).collect::<Vec<&[u8]>>())
    .execute(connection)
    .await?;
    Ok(())
}

async fn drop_views(
    connection: &mut PgConnection,
    views: &[ViewKey],
    left: &mut Vec<Vec<u8>>,
) -> Result<(), sqlx::Error> {
    for view in views {
        sqlx::query("DELETE FROM view WHERE view = $1").bind(view.as_str()).execute(&mut *connection).await?;
        let gone: Vec<Vec<u8>> = sqlx::query_scalar("DELETE FROM ledger WHERE view = $1 RETURNING digest")
            .bind(view.as_str())
            .fetch_all(&mut *connection)
            .await?;
        left.extend(gone);
    }
    Ok(())
}

async fn write_view(connection: &mut PgConnection, change: &LedgerChange) -> Result<(), sqlx::Error> {
    sqlx::query(
        "INSERT INTO view (view, serial) VALUES ($1, $2) ON CONFLICT (view) DO UPDATE SET serial = excluded.serial",
    )
    .bind(change.view.as_str())
    .bind(signed(change.serial.0))
    .execute(connection)
    .await?;
    Ok(())
}

async fn remove(
    connection: &mut PgConnection,
    change: &LedgerChange,
    left: &mut Vec<Vec<u8>>,
) -> Result<(), sqlx::Error> {
    if change.removed.is_empty() {
        return Ok(());
    }
    let (kinds, names) = columns(change.removed.iter());
    let gone: Vec<Vec<u8>> = sqlx::query_scalar(
        "DELETE FROM ledger USING UNNEST($2::TEXT[], $3::TEXT[]) AS gone (k, n)
         WHERE view = $1 AND kind = k AND name = n RETURNING digest",
    )
    .bind(change.view.as_str())
    .bind(kinds)
    .bind(names)
    .fetch_all(connection)
    .await?;
    left.extend(gone);
    Ok(())
}

async fn put(connection: &mut PgConnection, change: &LedgerChange, left: &mut Vec<Vec<u8>>) -> Result<(), sqlx::Error> {
    if change.changed.is_empty() {
        return Ok(());
    }
    let (kinds, names) = columns(change.changed.keys());
    let before: Vec<Vec<u8>> = sqlx::query_scalar(
        "SELECT digest FROM ledger, UNNEST($2::TEXT[], $3::TEXT[]) AS new (k, n)
         WHERE view = $1 AND kind = k AND name = n",
    )
    .bind(change.view.as_str())
    .bind(&kinds)
    .bind(&names)
    .fetch_all(&mut *connection)
    .await?;
    left.extend(before);
    sqlx::query(
        "INSERT INTO ledger (view, kind, name, digest, serial)
         SELECT $1, k, n, d, s FROM UNNEST($2::TEXT[], $3::TEXT[], $4::BYTEA[], $5::BIGINT[]) AS new (k, n, d, s)
         ON CONFLICT (view, kind, name) DO UPDATE SET digest = excluded.digest, serial = excluded.serial",
    )
    .bind(change.view.as_str())
    .bind(kinds)
    .bind(names)
    .bind(change.changed.values().map(|entry| entry.digest.as_bytes().as_slice()).collect::<Vec<_>>())
    .bind(change.changed.values().map(|entry| signed(entry.serial.0)).collect::<Vec<_>>())
    .execute(connection)
    .await?;
    Ok(())
}

/// Deletes bodies that nothing names any more.
async fn sweep(connection: &mut PgConnection, left: Vec<Vec<u8>>) -> Result<(), sqlx::Error> {
    if left.is_empty() {
        return Ok(());
    }
    sqlx::query(
        "DELETE FROM blob WHERE digest = ANY($1)
         AND NOT EXISTS (SELECT 1 FROM ledger WHERE ledger.digest = blob.digest)",
    )
    .bind(left)
    .execute(connection)
    .await?;
    Ok(())
}

fn columns<'a>(keys: impl Iterator<Item = &'a ResourceKey>) -> (Vec<&'a str>, Vec<&'a str>) {
    keys.map(|(kind, name)| (kind.as_str(), name.as_str())).unzip()
}
