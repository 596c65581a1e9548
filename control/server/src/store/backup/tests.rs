use std::os::unix::fs::PermissionsExt;

use outrigger_control_core::port::Batch;
use outrigger_model::replica::ReplicaState;

use super::*;
use crate::store::tests::cluster;
use crate::store::tests::conformance::standing;
use crate::store::{AnyStore, SqliteStore};

struct Folder(tempfile::TempDir);

impl Folder {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn place(&self) -> StorePlace {
        StorePlace::Sqlite(self.path("control.db"))
    }
}

fn batch(serial: u64, ids: &[&str]) -> Batch {
    let put = ids.iter().map(|id| standing(id, ReplicaState::Healthy)).collect();
    Batch { serial: Serial(serial), put, is_whole: true, ..Batch::default() }
}

#[tokio::test]
async fn a_store_in_use_is_copied_and_the_copy_comes_back_in_a_new_epoch() {
    let folder = Folder::new();
    let store = SqliteStore::open(&folder.path("control.db")).await.unwrap();
    let epoch = store.load().await.unwrap().epoch;
    store.commit(&batch(5, &["weather-1"])).await.unwrap();
    let copy = folder.path("copy.db");
    let told = backup(&folder.place(), &copy).await.unwrap();
    assert_eq!(told, Summary { epoch, serial: Serial(5), replicas: 1 });
    assert_eq!(fs::metadata(&copy).unwrap().permissions().mode() & 0o777, 0o600);
    store.commit(&batch(9, &["weather-1", "weather-2"])).await.unwrap();

    let busy = restore(&folder.place(), Some(&copy)).await.unwrap_err();
    assert!(matches!(busy, BackupError::Store(StoreError::Busy { .. })), "{busy:?}");
    store.close().await;
    drop(store);
    let told = restore(&folder.place(), Some(&copy)).await.unwrap();
    assert_ne!(told.epoch, epoch);
    let store = SqliteStore::open(&folder.path("control.db")).await.unwrap();
    let stored = store.load().await.unwrap();
    assert_eq!((stored.epoch, stored.serial, stored.standings.len()), (told.epoch, Serial(5), 1));
    drop(store);
    let before = SqliteStore::open(&folder.path("control.db.replaced")).await.unwrap().load().await.unwrap();
    assert_eq!((before.epoch, before.serial), (epoch, Serial(9)), "what was there is kept");
    let again = restore(&folder.place(), Some(&copy)).await.unwrap();
    assert_ne!(again.epoch, told.epoch, "each restore is another future");
}

#[tokio::test]
async fn what_a_killed_control_left_in_its_log_does_not_flow_into_the_restored_store() {
    let folder = Folder::new();
    let path = folder.path("control.db");
    let store = SqliteStore::open(&path).await.unwrap();
    store.load().await.unwrap();
    store.commit(&batch(5, &["weather-1"])).await.unwrap();
    let copy = folder.path("copy.db");
    backup(&folder.place(), &copy).await.unwrap();
    store.commit(&batch(9, &["weather-2"])).await.unwrap();
    // As a kill leaves it: the file, and a log that holds the newest.
    let killed = Folder::new();
    for name in ["control.db", "control.db-wal"] {
        fs::copy(folder.path(name), killed.path(name)).unwrap();
    }
    let told = restore(&killed.place(), Some(&copy)).await.unwrap();
    let stored = SqliteStore::open(&killed.path("control.db")).await.unwrap().load().await.unwrap();
    assert_eq!((stored.epoch, stored.serial), (told.epoch, Serial(5)));
    assert_eq!(stored.standings[0].replica.id.as_str(), "weather-1");
    let before = SqliteStore::open(&killed.path("control.db.replaced")).await.unwrap().load().await.unwrap();
    assert_eq!(before.serial, Serial(9));
}

#[tokio::test]
async fn what_is_no_copy_of_a_store_replaces_nothing() {
    let folder = Folder::new();
    let store = SqliteStore::open(&folder.path("control.db")).await.unwrap();
    store.load().await.unwrap();
    store.commit(&batch(5, &["weather-1"])).await.unwrap();
    store.close().await;
    drop(store);
    let copy = folder.path("copy.db");
    backup(&folder.place(), &copy).await.unwrap();
    let mut bytes = fs::read(&copy).unwrap();
    let from = 4_096;
    bytes[from..].fill(0xa5);
    fs::write(folder.path("broken.db"), bytes).unwrap();
    fs::write(folder.path("notes.txt"), "my notes").unwrap();
    for name in ["broken.db", "notes.txt", "nothing.db"] {
        restore(&folder.place(), Some(&folder.path(name))).await.unwrap_err();
        let stored = SqliteStore::open(&folder.path("control.db")).await.unwrap().load().await.unwrap();
        assert_eq!(stored.serial, Serial(5), "{name}");
    }
    let there = backup(&folder.place(), &copy).await.unwrap_err();
    assert!(matches!(there, BackupError::Exists { .. }), "a copy is never written over: {there}");
    let none = backup(&StorePlace::Sqlite(folder.path("none.db")), &folder.path("x")).await.unwrap_err();
    assert!(!folder.path("x").exists(), "{none}: half a copy is none");
}

#[tokio::test]
async fn a_database_is_copied_by_its_own_tools_and_begins_another_future_when_told() {
    let database = cluster::database();
    let (store, mut seat) = cluster::leading(&database).await;
    store.commit(&batch(5, &["weather-1"])).await.unwrap();
    let epoch = store.load().await.unwrap().epoch;
    seat.leave().await;
    let place = StorePlace::Postgres(database);
    let words = backup(&place, Path::new("x")).await.unwrap_err().to_string();
    assert!(words.contains("pg_dump") && words.contains("restore"), "{words}");
    let told = restore(&place, None).await.unwrap();
    assert_ne!(told.epoch, epoch);
    let AnyStore::Postgres(again) = AnyStore::open(&place).await.unwrap() else { panic!() };
    assert_eq!((again.load().await.unwrap().epoch, told.serial, told.replicas), (told.epoch, Serial(5), 1));
}
