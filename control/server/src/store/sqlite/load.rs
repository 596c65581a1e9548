//! Reads everything once, at the start, and sets aside what cannot be believed.
//!
//! Invariant: a row that was changed from outside is moved to `quarantine` and told about; it is never served.

use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use outrigger_control_core::facts::Standing;
use outrigger_control_core::keyring::HeldKey;
use outrigger_control_core::port::{DamagedRow, Stored};
use outrigger_control_core::revocation::Revoked;
use outrigger_control_core::snapshot::ledger::Ledger;
use outrigger_model::resource::{Epoch, Serial};
use sqlx::{SqliteConnection, SqlitePool};

use super::super::error::StoreError;
use super::super::key_row::KeyRow;
use super::super::ledger_row::{LedgerRow, ViewRow, ledger};
use super::super::meta_row::MetaRow;
use super::super::row::{ReplicaRow, RevocationRow};
use super::file;
use super::history::{self, Newest};
use super::rollout;
use super::write::{begin, end, write_meta};

/// Rows set aside that are kept for people to look at.
const QUARANTINE_KEPT: i64 = 1_000;

pub async fn load(path: &Path, pool: &SqlitePool) -> Result<Stored, StoreError> {
    let explain = |cause| file::explain(path, "loading", cause);
    let mut connection = pool.acquire().await.map_err(explain)?;
    begin(&mut connection).await.map_err(explain)?;
    let read = read(&mut connection).await;
    let stored = end(&mut connection, read).await.map_err(explain)?;
    stored.map_err(|detail| StoreError::Damaged { path: path.to_owned(), detail: detail.to_owned() })
}

/// Or which row, without which there is nothing to go by, cannot be believed.
async fn read(connection: &mut SqliteConnection) -> Result<Result<Stored, &'static str>, sqlx::Error> {
    let meta = match read_meta(connection).await? {
        Some(meta) if meta.is_sound() => meta,
        Some(_) => return Ok(Err("its serial and epoch do not match their hash")),
        None => {
            let meta = MetaRow::new(Epoch(fastrand::u32(1..)));
            write_meta(connection, &meta).await?;
            meta
        }
    };
    let mut damaged = Vec::new();
    let standings = read_replicas(connection, &mut damaged).await?;
    let revoked = read_revocations(connection, &mut damaged).await?;
    let ledger = read_ledger(connection, meta.serial(), &mut damaged).await?;
    let keys = read_keys(connection, &mut damaged).await?;
    let Some(newest) = read_intents(connection, &mut damaged).await? else {
        return Ok(Err("its newest intent does not match its hash"));
    };
    let rollout = rollout::read(connection, &mut damaged).await?;
    Ok(Ok(Stored {
        epoch: meta.epoch(),
        serial: meta.serial(),
        intent: meta.intent(),
        intent_record: newest.record,
        declared: newest.declared,
        next_event: meta.next_event(),
        standings,
        revoked,
        ledger,
        keys,
        rollout,
        damaged,
    }))
}

async fn read_meta(connection: &mut SqliteConnection) -> Result<Option<MetaRow>, sqlx::Error> {
    sqlx::query_as("SELECT epoch, serial, intent, next_event, hash FROM meta WHERE id = 1")
        .fetch_optional(connection)
        .await
}

async fn read_replicas(
    connection: &mut SqliteConnection,
    damaged: &mut Vec<DamagedRow>,
) -> Result<Vec<Standing>, sqlx::Error> {
    let rows: Vec<ReplicaRow> =
        sqlx::query_as("SELECT id, node, agent, state, trouble, facts, hash FROM replica ORDER BY id")
            .fetch_all(&mut *connection)
            .await?;
    let mut standings = Vec::with_capacity(rows.len());
    for row in rows {
        let (id, content) = (row.id.clone(), row.facts.clone());
        match row.standing() {
            Ok(standing) => standings.push(standing),
            Err(error) => {
                let row = DamagedRow { table: "replica", key: id, why: error.to_string() };
                set_aside(connection, &row, &content).await?;
                sqlx::query("DELETE FROM replica WHERE id = ?").bind(&row.key).execute(&mut *connection).await?;
                damaged.push(row);
            }
        }
    }
    Ok(standings)
}

async fn read_intents(
    connection: &mut SqliteConnection,
    damaged: &mut Vec<DamagedRow>,
) -> Result<Option<Newest>, sqlx::Error> {
    let Some(mut newest) = history::newest(connection).await? else { return Ok(None) };
    for (number, content) in newest.damaged.drain(..) {
        let why = "its content does not match its hash".to_owned();
        let row = DamagedRow { table: "intent", key: number.to_string(), why };
        set_aside(connection, &row, &content).await?;
        sqlx::query("DELETE FROM intent WHERE number = ?").bind(number).execute(&mut *connection).await?;
        damaged.push(row);
    }
    Ok(Some(newest))
}

async fn read_revocations(
    connection: &mut SqliteConnection,
    damaged: &mut Vec<DamagedRow>,
) -> Result<Vec<Revoked>, sqlx::Error> {
    let rows: Vec<RevocationRow> =
        sqlx::query_as("SELECT kind, name, at, reason, hash FROM revocation ORDER BY kind, name")
            .fetch_all(&mut *connection)
            .await?;
    let mut all = Vec::with_capacity(rows.len());
    for row in rows {
        let (kind, name) = (row.kind.clone(), row.name.clone());
        let content = format!("{kind} {name} at {}: {}", row.at, row.reason);
        match row.revoked() {
            Ok(revoked) => all.push(revoked),
            Err(error) => {
                let row = DamagedRow { table: "revocation", key: format!("{kind} {name}"), why: error.to_string() };
                set_aside(connection, &row, &content).await?;
                sqlx::query("DELETE FROM revocation WHERE kind = ? AND name = ?")
                    .bind(&kind)
                    .bind(&name)
                    .execute(&mut *connection)
                    .await?;
                damaged.push(row);
            }
        }
    }
    Ok(all)
}

async fn set_aside(connection: &mut SqliteConnection, row: &DamagedRow, content: &str) -> Result<(), sqlx::Error> {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    sqlx::query("INSERT INTO quarantine (found_at_ms, source, name, why, content) VALUES (?, ?, ?, ?, ?)")
        .bind(i64::try_from(now.as_millis()).unwrap_or(i64::MAX))
        .bind(row.table)
        .bind(&row.key)
        .bind(&row.why)
        .bind(content)
        .execute(&mut *connection)
        .await?;
    sqlx::query("DELETE FROM quarantine WHERE id <= (SELECT max(id) FROM quarantine) - ?")
        .bind(QUARANTINE_KEPT)
        .execute(connection)
        .await?;
    Ok(())
}

async fn read_ledger(
    connection: &mut SqliteConnection,
    newest: Serial,
    damaged: &mut Vec<DamagedRow>,
) -> Result<Ledger, sqlx::Error> {
    let views: Vec<ViewRow> = sqlx::query_as("SELECT view, serial FROM view").fetch_all(&mut *connection).await?;
    let query = "SELECT view, kind, name, digest, serial FROM ledger";
    let entries: Vec<LedgerRow> = sqlx::query_as(query).fetch_all(connection).await?;
    Ok(ledger(views, entries, newest, damaged))
}

/// The newest first. What cannot be believed is dropped and not set aside: it may be a secret all the same.
async fn read_keys(
    connection: &mut SqliteConnection,
    damaged: &mut Vec<DamagedRow>,
) -> Result<Vec<HeldKey>, sqlx::Error> {
    let query = "SELECT id, secret, made_at, seals_since, hash FROM session_key ORDER BY id DESC";
    let rows: Vec<KeyRow> = sqlx::query_as(query).fetch_all(&mut *connection).await?;
    let mut keys = Vec::with_capacity(rows.len());
    for row in rows {
        let id = row.id;
        match row.held() {
            Some(held) => keys.push(held),
            None => {
                sqlx::query("DELETE FROM session_key WHERE id = ?").bind(id).execute(&mut *connection).await?;
                let why = "its content does not match its hash".to_owned();
                damaged.push(DamagedRow { table: "session_key", key: id.to_string(), why });
            }
        }
    }
    Ok(keys)
}
