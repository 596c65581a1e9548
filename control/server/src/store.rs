//! Where control's facts outlive its process: an SQLite file, PostgreSQL for several replicas of control, or memory for a mesh that need
//! not remember.
//!
//! In: where to keep it. Out: an [`AnyStore`] behind the port of the core; one suite of tests holds for each kind.
//! Never here: what the facts mean.
//! Invariant: SQL is known in this room and nowhere else; a file that is not wholly ours is refused, never emptied.

mod error;
mod database;
mod place;
mod memory;
mod number;
mod row;
mod key_row;
mod intent_row;
mod rollout_row;
mod log_row;
mod ledger_row;
mod meta_row;
mod sqlite;
mod postgres;
pub mod backup;

use outrigger_control_core::event::Event;
use outrigger_control_core::intent::record::IntentRecord;
use outrigger_control_core::port::{Batch, SnapshotRow, Store, Stored};

pub use database::Database;
pub use error::StoreError;
pub use memory::MemoryStore;
pub use place::{BadPlace, StorePlace};
pub use postgres::{Held, Holder, Look, PostgresStore, Seat, Served, Wake, Wakes, Wanted};
pub use rollout_row::TABLE as ROLLOUT_TABLE;
pub use sqlite::SqliteStore;

/// One of the stores. Clones share what is stored.
#[derive(Debug, Clone)]
pub enum AnyStore {
    Sqlite(SqliteStore),
    Memory(MemoryStore),
    Postgres(PostgresStore),
}

impl AnyStore {
    /// Opens the store, and creates it if there is nothing at that place.
    pub async fn open(place: &StorePlace) -> Result<Self, StoreError> {
        match place {
            StorePlace::Memory => Ok(Self::Memory(MemoryStore::new())),
            StorePlace::Sqlite(path) => SqliteStore::open(path).await.map(Self::Sqlite),
            StorePlace::Postgres(database) => PostgresStore::open(database).await.map(Self::Postgres),
        }
    }

    /// Whether others may serve from it at the same time.
    pub const fn is_shared(&self) -> bool {
        matches!(self, Self::Postgres(_))
    }

    /// Ends all connections; what was committed is in the file.
    pub async fn close(&self) {
        match self {
            Self::Sqlite(store) => store.close().await,
            Self::Postgres(store) => store.close().await,
            Self::Memory(_) => {}
        }
    }
}

impl Store for AnyStore {
    type Error = StoreError;

    async fn load(&self) -> Result<Stored, StoreError> {
        match self {
            Self::Sqlite(store) => store.load().await,
            Self::Memory(store) => store.load().await,
            Self::Postgres(store) => store.load().await,
        }
    }

    async fn commit(&self, batch: &Batch) -> Result<(), StoreError> {
        match self {
            Self::Sqlite(store) => store.commit(batch).await,
            Self::Memory(store) => store.commit(batch).await,
            Self::Postgres(store) => store.commit(batch).await,
        }
    }

    async fn events(&self, after: u64, limit: u32) -> Result<Vec<Event>, StoreError> {
        match self {
            Self::Sqlite(store) => store.events(after, limit).await,
            Self::Memory(store) => store.events(after, limit).await,
            Self::Postgres(store) => store.events(after, limit).await,
        }
    }

    async fn last_event(&self) -> Result<u64, StoreError> {
        match self {
            Self::Sqlite(store) => store.last_event().await,
            Self::Memory(store) => store.last_event().await,
            Self::Postgres(store) => store.last_event().await,
        }
    }

    async fn snapshots(&self, limit: u32) -> Result<Vec<SnapshotRow>, StoreError> {
        match self {
            Self::Sqlite(store) => store.snapshots(limit).await,
            Self::Memory(store) => store.snapshots(limit).await,
            Self::Postgres(store) => store.snapshots(limit).await,
        }
    }

    async fn intents(&self, before: Option<u64>, limit: u32) -> Result<Vec<IntentRecord>, StoreError> {
        match self {
            Self::Sqlite(store) => store.intents(before, limit).await,
            Self::Memory(store) => store.intents(before, limit).await,
            Self::Postgres(store) => store.intents(before, limit).await,
        }
    }

    async fn intent(&self, number: u64) -> Result<Option<IntentRecord>, StoreError> {
        match self {
            Self::Sqlite(store) => store.intent(number).await,
            Self::Memory(store) => store.intent(number).await,
            Self::Postgres(store) => store.intent(number).await,
        }
    }
}

#[cfg(test)]
pub mod tests;
