//! The store in PostgreSQL, which up to five replicas of control share: one of them leads and writes, all read.
//!
//! In: a database, and the term that this replica leads in. Out: the store behind the port, the seat of the leader, what followers serve.
//! Invariant: a batch is written only while the term of its writer is the one in the database, whatever the writer believes.

mod open;
mod history;
mod rollout;
mod write;
mod load;
mod seat;
mod served;
mod wakes;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use outrigger_control_core::event::Event;
use outrigger_control_core::intent::record::IntentRecord;
use outrigger_control_core::port::{Batch, SnapshotRow, Store, Stored};
use outrigger_model::resource::Epoch;
use sqlx::PgPool;
use sqlx::pool::PoolConnection;
use sqlx::postgres::{PgConnectOptions, Postgres};
use tokio::time::timeout;

use super::database::Database;
use super::error::StoreError;
use super::intent_row::IntentRow;
use super::log_row::{EventRow, SnapshotRowAsRead, event, snapshot};
use super::number::signed;

pub use seat::{Holder, Look, Seat};
pub use served::{Held, Served, Wanted};
pub use wakes::{Wake, Wakes};

/// For everything but the seat and the wakes.
const CONNECTIONS_MAX: u32 = 4;
/// A database that does not answer a connection within this time is away.
const REACHED_WITHIN: Duration = Duration::from_secs(2);
/// The largest batch has some ten thousand rows.
const WRITTEN_WITHIN: Duration = Duration::from_secs(10);
const READ_WITHIN: Duration = Duration::from_secs(10);

#[derive(Debug, Clone)]
pub struct PostgresStore {
    /// For people.
    place: Arc<str>,
    options: Arc<PgConnectOptions>,
    pool: PgPool,
    /// What is written carries it; 0 where this replica does not lead.
    term: Arc<AtomicU64>,
}

impl PostgresStore {
    pub async fn open(database: &Database) -> Result<Self, StoreError> {
        let (options, pool) = open::open(database, CONNECTIONS_MAX, REACHED_WITHIN).await?;
        let place = Arc::from(database.to_string());
        Ok(Self { place, options: Arc::new(options), pool, term: Arc::default() })
    }

    pub async fn close(&self) {
        self.pool.close().await;
    }

    /// From now on this replica writes as the leader of `term`; with 0 it writes nothing.
    pub fn reign(&self, term: u64) {
        self.term.store(term, Ordering::Release);
    }

    /// The seat of the leader, over a connection of its own.
    pub fn seat(&self) -> Seat {
        Seat::new(Arc::clone(&self.options), Arc::clone(&self.place))
    }

    /// What others wrote, as soon as it is there.
    pub fn wakes(&self) -> Wakes {
        Wakes::new(&self.options)
    }

    /// What is sent of views, if it differs from what is held of each.
    pub async fn served(&self, held: &[Held]) -> Result<Vec<Served>, StoreError> {
        let doing = "reading editions";
        self.read(doing, async |connection| served::served(connection, held).await).await
    }

    /// Differs from what it was before whenever snapshots may differ.
    pub async fn mark(&self) -> Result<Vec<u8>, StoreError> {
        let work = async |connection: &mut PoolConnection<Postgres>| {
            sqlx::query_scalar("SELECT hash FROM meta WHERE id = 1").fetch_one(&mut **connection).await
        };
        self.read("looking at the store", work).await
    }

    /// Asks whoever leads to keep views up to date, for the next minute.
    pub async fn want(&self, wanted: &[Wanted]) -> Result<(), StoreError> {
        self.read("asking for views", async |connection| served::want(connection, wanted).await).await
    }

    /// The views that replicas asked for.
    pub async fn wanted(&self) -> Result<Vec<Wanted>, StoreError> {
        self.read("reading wanted views", async |connection| served::wanted(connection).await).await
    }

    /// The same store as the beginning of another future: everything stays, and no token made before matches one made after.
    pub async fn renew_epoch(&self) -> Result<Epoch, StoreError> {
        self.read("renewing the epoch", async |connection| write::renew_epoch(connection).await).await
    }

    fn damaged(&self, detail: String) -> StoreError {
        StoreError::DamagedRows { place: self.place.to_string(), detail }
    }

    fn believed(&self, row: IntentRow) -> Result<IntentRecord, StoreError> {
        let number = row.number;
        row.record().ok_or_else(|| self.damaged(format!("intent {number} does not match its hash")))
    }

    async fn acquire(&self) -> Result<PoolConnection<Postgres>, StoreError> {
        self.pool.acquire().await.map_err(|cause| StoreError::Away { place: self.place.to_string(), cause })
    }

    /// Bounded in time. A connection on which anything failed is never used again.
    async fn read<T>(
        &self,
        doing: &'static str,
        work: impl AsyncFnOnce(&mut PoolConnection<Postgres>) -> Result<T, sqlx::Error>,
    ) -> Result<T, StoreError> {
        let mut connection = self.acquire().await?;
        let place = || self.place.to_string();
        let failure = match timeout(READ_WITHIN, work(&mut connection)).await {
            Ok(Ok(done)) => return Ok(done),
            Ok(Err(cause)) => StoreError::Database { place: place(), doing, cause },
            Err(_) => StoreError::Late { place: place(), doing },
        };
        connection.close_on_drop();
        Err(failure)
    }
}

impl Store for PostgresStore {
    type Error = StoreError;

    async fn load(&self) -> Result<Stored, StoreError> {
        let term = self.term.load(Ordering::Acquire);
        let stored = self.read("loading", async |connection| load::load(connection, term).await).await?;
        stored.map_err(|detail| self.damaged(detail.to_owned()))
    }

    async fn commit(&self, batch: &Batch) -> Result<(), StoreError> {
        let term = self.term.load(Ordering::Acquire);
        let mut connection = self.acquire().await?;
        let place = || self.place.to_string();
        let failure = match timeout(WRITTEN_WITHIN, write::commit(&mut connection, batch, term)).await {
            Ok(Ok(true)) => return Ok(()),
            Ok(Ok(false)) => return Err(StoreError::Deposed { place: place() }),
            Ok(Err(cause)) => StoreError::Database { place: place(), doing: "committing", cause },
            Err(_) => StoreError::Late { place: place(), doing: "a commit" },
        };
        connection.close_on_drop();
        Err(failure)
    }

    async fn events(&self, after: u64, limit: u32) -> Result<Vec<Event>, StoreError> {
        let query = "SELECT id, at_ms, kind, subject, detail FROM event WHERE id > $1 ORDER BY id LIMIT $2";
        let work = async |connection: &mut PoolConnection<Postgres>| {
            sqlx::query_as(query).bind(signed(after)).bind(i64::from(limit)).fetch_all(&mut **connection).await
        };
        let rows: Vec<EventRow> = self.read("reading events", work).await?;
        Ok(rows.into_iter().filter_map(event).collect())
    }

    async fn last_event(&self) -> Result<u64, StoreError> {
        let work = async |connection: &mut PoolConnection<Postgres>| {
            sqlx::query_scalar("SELECT COALESCE(MAX(id), 0) FROM event").fetch_one(&mut **connection).await
        };
        let newest: i64 = self.read("reading events", work).await?;
        Ok(u64::try_from(newest).unwrap_or(0))
    }

    async fn snapshots(&self, limit: u32) -> Result<Vec<SnapshotRow>, StoreError> {
        let query = "SELECT serial, epoch, digest, made_at_ms, reason FROM snapshot ORDER BY serial DESC LIMIT $1";
        let work = async |connection: &mut PoolConnection<Postgres>| {
            sqlx::query_as(query).bind(i64::from(limit)).fetch_all(&mut **connection).await
        };
        let rows: Vec<SnapshotRowAsRead> = self.read("reading snapshots", work).await?;
        Ok(rows.into_iter().filter_map(snapshot).collect())
    }

    async fn intents(&self, before: Option<u64>, limit: u32) -> Result<Vec<IntentRecord>, StoreError> {
        let work = async |connection: &mut PoolConnection<Postgres>| history::page(connection, before, limit).await;
        let rows = self.read("reading intents", work).await?;
        rows.into_iter().map(|row| self.believed(row)).collect()
    }

    async fn intent(&self, number: u64) -> Result<Option<IntentRecord>, StoreError> {
        let Ok(number) = i64::try_from(number) else { return Ok(None) };
        let work = async |connection: &mut PoolConnection<Postgres>| history::one(connection, number).await;
        let row = self.read("reading an intent", work).await?;
        row.map(|row| self.believed(row)).transpose()
    }
}
