//! Connects, and brings the schema up to date.
//!
//! Invariant: our tables are in a schema of our own; replicas that start together make them once.

use std::time::Duration;

use outrigger_model::resource::Epoch;
use sqlx::migrate::{MigrateError, Migrator};
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{AssertSqlSafe, ConnectOptions, PgPool};

use super::super::database::Database;
use super::super::error::StoreError;
use super::super::meta_row::MetaRow;

static MIGRATIONS: Migrator = sqlx::migrate!("src/store/postgres/migrations");

pub async fn open(
    database: &Database,
    connections_max: u32,
    reached_within: Duration,
) -> Result<(PgConnectOptions, PgPool), StoreError> {
    let place = || database.to_string();
    let options = database.options().map_err(|cause| StoreError::Password { place: place(), cause })?;
    let options = options.disable_statement_logging();
    let options = options.application_name("outrigger-control").options([
        ("search_path", database.schema()),
        // A leader whose machine fell silent does not keep its seat for long.
        ("tcp_keepalives_idle", "2"),
        ("tcp_keepalives_interval", "1"),
        ("tcp_keepalives_count", "3"),
    ]);
    let pool = PgPoolOptions::new().max_connections(connections_max).acquire_timeout(reached_within);
    let pool = pool.connect_with(options.clone()).await;
    let pool = pool.map_err(|cause| StoreError::Away { place: place(), cause })?;
    let schema = |cause| StoreError::Schema { place: place(), cause };
    create_schema(&pool, database.schema()).await.map_err(schema)?;
    match MIGRATIONS.run(&pool).await {
        Ok(()) => {}
        Err(MigrateError::VersionMissing(_) | MigrateError::VersionTooNew(..)) => {
            return Err(StoreError::NewerSchema { place: place() });
        }
        Err(MigrateError::Execute(cause)) => return Err(schema(cause)),
        Err(error) => return Err(StoreError::DamagedRows { place: place(), detail: error.to_string() }),
    }
    begin(&pool).await.map_err(schema)?;
    Ok((options, pool))
}

/// Its name was checked to be a plain one. `IF NOT EXISTS` alone fails where two make it at once.
async fn create_schema(pool: &PgPool, schema: &str) -> Result<(), sqlx::Error> {
    let is_there: bool = sqlx::query_scalar("SELECT EXISTS (SELECT 1 FROM pg_namespace WHERE nspname = $1)")
        .bind(schema)
        .fetch_one(pool)
        .await?;
    if is_there {
        return Ok(());
    }
    match sqlx::query(AssertSqlSafe(format!("CREATE SCHEMA IF NOT EXISTS {schema}"))).execute(pool).await {
        Err(sqlx::Error::Database(error)) if error.is_unique_violation() => Ok(()),
        done => done.map(|_| ()),
    }
}

/// A new store gets an epoch, once.
async fn begin(pool: &PgPool) -> Result<(), sqlx::Error> {
    let meta = MetaRow::new(Epoch(fastrand::u32(1..)));
    sqlx::query(
        "INSERT INTO meta (id, epoch, serial, intent, next_event, hash) VALUES (1, $1, $2, $3, $4, $5)
         ON CONFLICT (id) DO NOTHING",
    )
    .bind(meta.epoch)
    .bind(meta.serial)
    .bind(meta.intent)
    .bind(meta.next_event)
    .bind(meta.hash)
    .execute(pool)
    .await?;
    Ok(())
}
