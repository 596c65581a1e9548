//! The one row of the newest rollout.
//!
//! Invariant: a row that cannot be believed is never set aside, as it may hold secrets all the same.

use outrigger_control_core::port::DamagedRow;
use outrigger_control_core::rollout::course::Rollout;
use sqlx::PgConnection;

use super::super::rollout_row::{RolloutRow, TABLE};

pub async fn read(
    connection: &mut PgConnection,
    damaged: &mut Vec<DamagedRow>,
) -> Result<Option<Rollout>, sqlx::Error> {
    let row: Option<RolloutRow> =
        sqlx::query_as("SELECT body, hash FROM rollout WHERE id = 1").fetch_optional(connection).await?;
    let Some(row) = row else { return Ok(None) };
    let rollout = row.rollout();
    if rollout.is_none() {
        let why = "its content does not match its hash".to_owned();
        damaged.push(DamagedRow { table: TABLE, key: "newest".to_owned(), why });
    }
    Ok(rollout)
}

pub async fn write(connection: &mut PgConnection, rollout: &Rollout) -> Result<(), sqlx::Error> {
    let row = RolloutRow::of(rollout).map_err(|error| sqlx::Error::Encode(Box::new(error)))?;
    sqlx::query(
        "INSERT INTO rollout (id, body, hash) VALUES (1, $1, $2)
         ON CONFLICT (id) DO UPDATE SET body = excluded.body, hash = excluded.hash",
    )
    .bind(row.body)
    .bind(row.hash)
    .execute(connection)
    .await?;
    Ok(())
}

pub async fn forget(connection: &mut PgConnection) -> Result<(), sqlx::Error> {
    sqlx::query("DELETE FROM rollout").execute(connection).await?;
    Ok(())
}
