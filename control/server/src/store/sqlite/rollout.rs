//! The one row of the newest rollout.
//!
//! Invariant: a row that cannot be believed is dropped and not set aside, as it may hold secrets all the same.

use outrigger_control_core::port::DamagedRow;
use outrigger_control_core::rollout::course::Rollout;
use sqlx::SqliteConnection;

use super::super::rollout_row::{RolloutRow, TABLE};

pub async fn read(
    connection: &mut SqliteConnection,
    damaged: &mut Vec<DamagedRow>,
) -> Result<Option<Rollout>, sqlx::Error> {
    let row: Option<RolloutRow> =
        sqlx::query_as("SELECT body, hash FROM rollout WHERE id = 1").fetch_optional(&mut *connection).await?;
    let Some(row) = row else { return Ok(None) };
    let rollout = row.rollout();
    if rollout.is_none() {
        sqlx::query("DELETE FROM rollout").execute(connection).await?;
        let why = "its content does not match its hash".to_owned();
        damaged.push(DamagedRow { table: TABLE, key: "newest".to_owned(), why });
    }
    Ok(rollout)
}

pub async fn write(connection: &mut SqliteConnection, rollout: &Rollout) -> Result<(), sqlx::Error> {
    let row = RolloutRow::of(rollout).map_err(|error| sqlx::Error::Encode(Box::new(error)))?;
    sqlx::query("INSERT OR REPLACE INTO rollout (id, body, hash) VALUES (1, ?, ?)")
        .bind(row.body)
        .bind(row.hash)
        .execute(connection)
        .await?;
    Ok(())
}
