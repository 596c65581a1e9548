//! Reads everything as it was at one moment, and leaves out what cannot be believed; the leader also sets it aside.
//!
//! Invariant: a row that was changed from outside is never served; only the leader moves it, and tells of it.

use std::time::SystemTime;

use outrigger_control_core::facts::Standing;
use outrigger_control_core::keyring::HeldKey;
use outrigger_control_core::port::{DamagedRow, Stored};
use outrigger_control_core::revocation::Revoked;
use sqlx::{Connection, Executor, PgConnection};

use super::super::key_row::KeyRow;
use super::super::ledger_row::{LedgerRow, ViewRow, ledger};
use super::super::meta_row::MetaRow;
use super::super::number::millis;
use super::super::rollout_row::TABLE as ROLLOUT_TABLE;
use super::super::row::{ReplicaRow, RevocationRow};
use super::history::{self, Newest};
use super::rollout;
use super::write::own;

/// Rows set aside that are kept for people to look at.
const QUARANTINE_KEPT: i64 = 1_000;

/// Or which row, without which there is nothing to go by, cannot be believed. With a term of 0 nothing is changed.
pub async fn load(connection: &mut PgConnection, term: u64) -> Result<Result<Stored, &'static str>, sqlx::Error> {
    let mut transaction = connection.begin_with("BEGIN ISOLATION LEVEL REPEATABLE READ").await?;
    let connection = &mut *transaction;
    let meta: MetaRow = sqlx::query_as("SELECT epoch, serial, intent, next_event, hash FROM meta WHERE id = 1")
        .fetch_one(&mut *connection)
        .await?;
    if !meta.is_sound() {
        return Ok(Err("its serial and epoch do not match their hash"));
    }
    let Some(Newest { record, declared, mut damaged }) = history::newest(connection).await? else {
        return Ok(Err("its newest intent does not match its hash"));
    };
    let standings = read_replicas(connection, &mut damaged).await?;
    let revoked = read_revocations(connection, &mut damaged).await?;
    let views: Vec<ViewRow> = sqlx::query_as("SELECT view, serial FROM view").fetch_all(&mut *connection).await?;
    let query = "SELECT view, kind, name, digest, serial FROM ledger";
    let entries: Vec<LedgerRow> = sqlx::query_as(query).fetch_all(&mut *connection).await?;
    let mut set_aside: Vec<DamagedRow> = damaged.iter().map(|(row, _)| DamagedRow::clone(row)).collect();
    let ledger = ledger(views, entries, meta.serial(), &mut set_aside);
    let keys = read_keys(connection, &mut set_aside).await?;
    let rollout = rollout::read(connection, &mut set_aside).await?;
    if own(connection, term).await?.is_some() {
        if set_aside.iter().any(|row| row.table == ROLLOUT_TABLE) {
            rollout::forget(connection).await?;
        }
        for (row, content) in &damaged {
            put_aside(connection, row, content).await?;
        }
        for row in set_aside.iter().filter(|row| row.table == "session_key") {
            let id: i64 = row.key.parse().unwrap_or_default();
            sqlx::query("DELETE FROM session_key WHERE id = $1").bind(id).execute(&mut *connection).await?;
        }
    }
    transaction.commit().await?;
    Ok(Ok(Stored {
        epoch: meta.epoch(),
        serial: meta.serial(),
        intent: meta.intent(),
        intent_record: record,
        declared,
        next_event: meta.next_event(),
        standings,
        revoked,
        ledger,
        keys,
        rollout,
        damaged: set_aside,
    }))
}

/// A row that cannot be believed, and what it says.
type Aside = (DamagedRow, String);

async fn read_replicas(connection: &mut PgConnection, damaged: &mut Vec<Aside>) -> Result<Vec<Standing>, sqlx::Error> {
    let query = "SELECT id, node, agent, state, trouble, facts, hash FROM replica ORDER BY id";
    let rows: Vec<ReplicaRow> = sqlx::query_as(query).fetch_all(connection).await?;
    let mut standings = Vec::with_capacity(rows.len());
    for row in rows {
        let (key, content) = (row.id.clone(), row.facts.clone());
        match row.standing() {
            Ok(standing) => standings.push(standing),
            Err(error) => damaged.push((DamagedRow { table: "replica", key, why: error.to_string() }, content)),
        }
    }
    Ok(standings)
}

async fn read_revocations(
    connection: &mut PgConnection,
    damaged: &mut Vec<Aside>,
) -> Result<Vec<Revoked>, sqlx::Error> {
    let query = "SELECT kind, name, at, reason, hash FROM revocation ORDER BY kind, name";
    let rows: Vec<RevocationRow> = sqlx::query_as(query).fetch_all(connection).await?;
    let mut all = Vec::with_capacity(rows.len());
    for row in rows {
        let key = format!("{} {}", row.kind, row.name);
        let content = format!("{key} at {}: {}", row.at, row.reason);
        match row.revoked() {
            Ok(revoked) => all.push(revoked),
            Err(error) => damaged.push((DamagedRow { table: "revocation", key, why: error.to_string() }, content)),
        }
    }
    Ok(all)
}

/// The newest first. What cannot be believed is dropped and not set aside: it may be a secret all the same.
async fn read_keys(connection: &mut PgConnection, damaged: &mut Vec<DamagedRow>) -> Result<Vec<HeldKey>, sqlx::Error> {
    let query = "SELECT id, secret, made_at, seals_since, hash FROM session_key ORDER BY id DESC";
    let rows: Vec<KeyRow> = sqlx::query_as(query).fetch_all(connection).await?;
    let mut keys = Vec::with_capacity(rows.len());
    for row in rows {
        let key = row.id.to_string();
        match row.held() {
            Some(held) => keys.push(held),
            None => {
                let why = "its content does not match its hash".to_owned();
                damaged.push(DamagedRow { table: "session_key", key, why });
            }
        }
    }
    Ok(keys)
}

async fn put_aside(connection: &mut PgConnection, row: &DamagedRow, content: &str) -> Result<(), sqlx::Error> {
    sqlx::query("INSERT INTO quarantine (found_at_ms, source, name, why, content) VALUES ($1, $2, $3, $4, $5)")
        .bind(millis(SystemTime::now()))
        .bind(row.table)
        .bind(&row.key)
        .bind(&row.why)
        .bind(content)
        .execute(&mut *connection)
        .await?;
    sqlx::query("DELETE FROM quarantine WHERE id <= (SELECT max(id) FROM quarantine) - $1")
        .bind(QUARANTINE_KEPT)
        .execute(&mut *connection)
        .await?;
    let query = match row.table {
        "replica" => "DELETE FROM replica WHERE id = $1",
        "intent" => "DELETE FROM intent WHERE number = $1::BIGINT",
        _ => "DELETE FROM revocation WHERE kind || ' ' || name = $1",
    };
    connection.execute(sqlx::query(query).bind(&row.key)).await?;
    Ok(())
}
