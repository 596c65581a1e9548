//! The seat of the leader: an advisory lock that goes with its connection, a term that fences its writes, a beat that shows its life.
//!
//! In: who wants to lead. Out: who does, by what the database says.
//! Never here: when to look, and how long a silent leader is waited for.
//! Invariant: a term is given to one replica only and never again; who does not know its term writes nothing.

use std::sync::Arc;
use std::time::Duration;

use sqlx::postgres::PgConnectOptions;
use sqlx::{ConnectOptions, Connection, Executor, PgConnection};
use tokio::time::timeout;

use super::super::error::StoreError;
use super::super::number::signed;

/// "OUTR": the first half of our lock's number; the second is that of the schema.
const LOCK: i32 = 0x4f55_5452;
/// For everything that is asked here.
const ANSWERED_WITHIN: Duration = Duration::from_secs(2);

/// Who leads, as it said itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Holder {
    pub term: u64,
    /// Where it is reached; empty if it does not say.
    pub address: String,
    /// Counts up while it lives.
    pub beat: u64,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Look {
    /// It is ours from now on, in this term.
    Taken { term: u64 },
    /// None: nobody ever led.
    Held(Option<Holder>),
}

#[derive(Debug)]
pub struct Seat {
    options: Arc<PgConnectOptions>,
    place: Arc<str>,
    /// The lock goes with it.
    connection: Option<PgConnection>,
}

impl Seat {
    pub(super) fn new(options: Arc<PgConnectOptions>, place: Arc<str>) -> Self {
        Self { options, place, connection: None }
    }

    /// Takes the seat if it is free.
    pub async fn look(&mut self, address: &str) -> Result<Look, StoreError> {
        let address = address.to_owned();
        self.ask("a look at the seat", async |connection| look(connection, &address).await).await
    }

    /// Shows that the leader of `term` lives; false if it leads no more. A lock that was lost with its connection is taken again, and where
    /// it is not free yet, the term alone decides.
    pub async fn beat(&mut self, term: u64) -> Result<bool, StoreError> {
        let is_new = self.connection.is_none();
        let beaten = async |connection: &mut PgConnection| beat(connection, term, is_new).await;
        self.ask("a beat", beaten).await
    }

    /// Ends the connection of a leader that holds the lock and shows no life.
    pub async fn unseat(&mut self) -> Result<(), StoreError> {
        self.ask("unseating", async |connection| unseat(connection).await).await
    }

    /// Frees the seat at once.
    pub async fn leave(&mut self) {
        if let Some(connection) = self.connection.take() {
            // The server frees it too, once it sees that the connection is gone.
            let _ = timeout(ANSWERED_WITHIN, connection.close()).await;
        }
    }

    /// A connection on which anything failed is dropped, and the lock with it.
    async fn ask<T>(
        &mut self,
        doing: &'static str,
        work: impl AsyncFnOnce(&mut PgConnection) -> Result<T, sqlx::Error>,
    ) -> Result<T, StoreError> {
        let place = || self.place.to_string();
        let away = |cause| StoreError::Away { place: place(), cause };
        let mut connection = match self.connection.take() {
            Some(connection) => connection,
            None => match timeout(ANSWERED_WITHIN, self.options.connect()).await {
                Ok(connected) => connected.map_err(away)?,
                Err(_) => return Err(StoreError::Late { place: place(), doing: "a connection" }),
            },
        };
        match timeout(ANSWERED_WITHIN, work(&mut connection)).await {
            Ok(Ok(done)) => {
                self.connection = Some(connection);
                Ok(done)
            }
            Ok(Err(cause)) => Err(StoreError::Database { place: place(), doing, cause }),
            Err(_) => Err(StoreError::Late { place: place(), doing }),
        }
    }
}

async fn lock(connection: &mut PgConnection) -> Result<bool, sqlx::Error> {
    let query = "SELECT pg_try_advisory_lock($1, hashtext(current_schema()))";
    sqlx::query_scalar(query).bind(LOCK).fetch_one(connection).await
}

async fn look(connection: &mut PgConnection, address: &str) -> Result<Look, sqlx::Error> {
    if !lock(connection).await? {
        let query = "SELECT term, address, beat FROM seat WHERE id = 1";
        let row: Option<(i64, String, i64)> = sqlx::query_as(query).fetch_optional(connection).await?;
        let holder =
            row.map(|(term, address, beat)| Holder { term: term.unsigned_abs(), address, beat: beat.unsigned_abs() });
        return Ok(Look::Held(holder));
    }
    let mut transaction = connection.begin().await?;
    // Waits for whatever the leader before is writing.
    let query = "UPDATE meta SET term = term + 1 WHERE id = 1 RETURNING term";
    let term: i64 = sqlx::query_scalar(query).fetch_one(&mut *transaction).await?;
    sqlx::query(
        "INSERT INTO seat (id, term, address, beat) VALUES (1, $1, $2, 0)
         ON CONFLICT (id) DO UPDATE SET term = excluded.term, address = excluded.address, beat = 0",
    )
    .bind(term)
    .bind(address)
    .execute(&mut *transaction)
    .await?;
    transaction.commit().await?;
    Ok(Look::Taken { term: term.unsigned_abs() })
}

async fn beat(connection: &mut PgConnection, term: u64, is_new: bool) -> Result<bool, sqlx::Error> {
    if is_new {
        lock(connection).await?;
    }
    let leads: bool = sqlx::query_scalar("SELECT term = $1 FROM meta WHERE id = 1")
        .bind(signed(term))
        .fetch_one(&mut *connection)
        .await?;
    if !leads {
        connection.execute("SELECT pg_advisory_unlock_all()").await?;
        return Ok(false);
    }
    sqlx::query("UPDATE seat SET beat = beat + 1 WHERE id = 1 AND term = $1")
        .bind(signed(term))
        .execute(connection)
        .await?;
    Ok(true)
}

async fn unseat(connection: &mut PgConnection) -> Result<(), sqlx::Error> {
    sqlx::query(
        "SELECT pg_terminate_backend(pid) FROM pg_locks
         WHERE locktype = 'advisory' AND granted AND objsubid = 2 AND classid = $1::BIGINT::OID
         AND objid = (hashtext(current_schema())::BIGINT & 4294967295)::OID
         AND database = (SELECT oid FROM pg_database WHERE datname = current_database())",
    )
    .bind(i64::from(LOCK))
    .execute(connection)
    .await?;
    Ok(())
}
