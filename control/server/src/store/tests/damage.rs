//! What can happen to a file between two starts.

use std::error::Error;
use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use outrigger_control_core::intent::record::IntentSource;
use outrigger_control_core::port::{Batch, Store};
use outrigger_control_core::revocation::{Revoked, Target};
use outrigger_model::replica::ReplicaState;
use outrigger_model::resource::Serial;
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions, Connection, Executor, SqliteConnection};

use super::conformance::{intent, rollout, standing};
use crate::store::{SqliteStore, StoreError};

/// A store that was used and closed.
async fn used(path: &Path) {
    let store = SqliteStore::open(path).await.unwrap();
    store.load().await.unwrap();
    let put = vec![standing("weather-1", ReplicaState::Healthy), standing("weather-2", ReplicaState::Healthy)];
    store.commit(&Batch { serial: Serial(5), put, ..Batch::default() }).await.unwrap();
    store.close().await;
}

async fn edit(path: &Path, sql: &'static str) {
    let mut connection: SqliteConnection = SqliteConnectOptions::new().filename(path).connect().await.unwrap();
    connection.execute(sql).await.unwrap();
    connection.close().await.unwrap();
}

async fn refusal(path: &Path) -> StoreError {
    match SqliteStore::open(path).await {
        Err(error) => error,
        Ok(store) => store.load().await.unwrap_err(),
    }
}

fn file() -> (tempfile::TempDir, std::path::PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("control.db");
    (folder, path)
}

#[tokio::test]
async fn a_row_that_was_changed_from_outside_is_set_aside_and_never_served() {
    let (_folder, path) = file();
    used(&path).await;
    edit(&path, "UPDATE replica SET facts = replace(facts, 'fd00::7', 'fd00::9') WHERE id = 'weather-1'").await;
    let store = SqliteStore::open(&path).await.unwrap();
    let stored = store.load().await.unwrap();
    let ids: Vec<_> = stored.standings.iter().map(|standing| standing.replica.id.as_str()).collect();
    assert_eq!(ids, ["weather-2"]);
    let [damaged] = stored.damaged.as_slice() else { panic!("{:?}", stored.damaged) };
    assert_eq!((damaged.table, damaged.key.as_str()), ("replica", "weather-1"));
    assert_eq!(damaged.why, "its content does not match its hash");
    assert!(store.load().await.unwrap().damaged.is_empty(), "told once");
    store.close().await;
    drop(store);
    let mut connection = SqliteConnectOptions::new().filename(&path).connect().await.unwrap();
    let kept: String = sqlx::query_scalar("SELECT content FROM quarantine").fetch_one(&mut connection).await.unwrap();
    assert!(kept.contains("fd00::9"), "people can still look at it");
}

#[tokio::test]
async fn a_revocation_that_was_changed_from_outside_is_set_aside() {
    let (_folder, path) = file();
    let store = SqliteStore::open(&path).await.unwrap();
    store.load().await.unwrap();
    let target = Target::parse("agent", "weather").unwrap();
    let revoked = vec![Revoked { target, at: 7, reason: "stolen".to_owned() }];
    store.commit(&Batch { revoked, ..Batch::default() }).await.unwrap();
    store.close().await;
    drop(store);
    edit(&path, "UPDATE revocation SET at = 1").await;
    let store = SqliteStore::open(&path).await.unwrap();
    let stored = store.load().await.unwrap();
    assert!(stored.revoked.is_empty());
    let [damaged] = stored.damaged.as_slice() else { panic!("{:?}", stored.damaged) };
    assert_eq!((damaged.table, damaged.key.as_str()), ("revocation", "agent weather"));
    assert!(store.load().await.unwrap().damaged.is_empty(), "told once");
}

#[tokio::test]
async fn ledger_rows_that_make_no_sense_are_left_out() {
    let (_folder, path) = file();
    used(&path).await;
    edit(&path, "INSERT INTO view VALUES ('base', 6)").await;
    edit(&path, "INSERT INTO ledger VALUES ('base', 'Route', 'a', x'00', 1)").await;
    let store = SqliteStore::open(&path).await.unwrap();
    let stored = store.load().await.unwrap();
    assert_eq!(stored.damaged.len(), 2);
    assert_eq!(stored.ledger.views().count(), 0);
}

#[tokio::test]
async fn a_serial_that_was_changed_from_outside_is_refused() {
    let (_folder, path) = file();
    used(&path).await;
    edit(&path, "UPDATE meta SET serial = 1").await;
    let error = refusal(&path).await;
    assert!(error.to_string().contains("do not match their hash") && error.to_string().contains("aside"), "{error}");
}

#[tokio::test]
async fn a_file_that_is_no_database_is_refused_and_left_as_it_is() {
    let (_folder, path) = file();
    std::fs::write(&path, "my notes").unwrap();
    let error = refusal(&path).await;
    assert!(matches!(error, StoreError::NotADatabase { .. }), "{error:?}");
    assert_eq!(std::fs::read_to_string(&path).unwrap(), "my notes");
}

#[tokio::test]
async fn the_database_of_another_program_is_refused_and_left_as_it_is() {
    let (_folder, path) = file();
    let connection = SqliteConnectOptions::new().filename(&path).create_if_missing(true).connect().await.unwrap();
    connection.close().await.unwrap();
    edit(&path, "CREATE TABLE theirs (x)").await;
    let before = std::fs::read(&path).unwrap();
    let error = refusal(&path).await;
    assert!(matches!(error, StoreError::Foreign { .. }), "{error:?}");
    assert_eq!(std::fs::read(&path).unwrap(), before);
}

#[tokio::test]
async fn a_file_with_broken_pages_is_refused_with_what_to_do() {
    let (_folder, path) = file();
    used(&path).await;
    let mut bytes = std::fs::read(&path).unwrap();
    let from = 4_096;
    bytes[from..].fill(0xa5);
    std::fs::write(&path, bytes).unwrap();
    let error = refusal(&path).await;
    assert!(matches!(error, StoreError::Damaged { .. }), "{error:?}");
    assert!(error.to_string().contains("move it and its -wal and -shm files aside"), "{error}");
}

#[tokio::test]
async fn a_file_that_was_cut_off_is_refused() {
    let (_folder, path) = file();
    used(&path).await;
    let bytes = std::fs::read(&path).unwrap();
    for length in [50, 4_096, bytes.len() / 2] {
        std::fs::write(&path, &bytes[..length]).unwrap();
        let error = refusal(&path).await;
        assert!(matches!(error, StoreError::Damaged { .. } | StoreError::NotADatabase { .. }), "{length}: {error:?}");
    }
}

#[tokio::test]
async fn the_file_of_a_newer_build_is_refused() {
    let (_folder, path) = file();
    used(&path).await;
    edit(&path, "INSERT INTO _sqlx_migrations VALUES (999, 'later', CURRENT_TIMESTAMP, 1, x'00', 1)").await;
    let error = refusal(&path).await;
    assert!(matches!(error, StoreError::Newer { .. }), "{error:?}");
}

#[tokio::test]
async fn a_file_that_another_control_has_open_is_refused_until_that_one_ends() {
    let (_folder, path) = file();
    let first = SqliteStore::open(&path).await.unwrap();
    assert!(matches!(refusal(&path).await, StoreError::Busy { .. }));
    first.close().await;
    drop(first);
    assert!(SqliteStore::open(&path).await.is_ok());
}

#[tokio::test]
async fn a_folder_that_is_not_there_is_named() {
    let (folder, _) = file();
    let error = refusal(&folder.path().join("nowhere/control.db")).await;
    assert!(matches!(error, StoreError::Unreachable { .. }), "{error:?}");
    assert!(error.source().is_some());
}

#[tokio::test]
async fn an_empty_file_counts_as_new() {
    let (_folder, path) = file();
    std::fs::write(&path, "").unwrap();
    let store = SqliteStore::open(&path).await.unwrap();
    assert_eq!(store.load().await.unwrap().serial, Serial(0));
}

#[tokio::test]
async fn a_write_that_fails_writes_nothing_and_the_next_one_succeeds() {
    let (_folder, path) = file();
    let store = SqliteStore::open(&path).await.unwrap();
    store.load().await.unwrap();
    store.limit_pages(1).await;
    let many = (0..200).map(|number| standing(&format!("weather-{number}"), ReplicaState::Healthy)).collect();
    let batch = Batch { serial: Serial(1), put: many, ..Batch::default() };
    let error = store.commit(&batch).await.unwrap_err();
    assert!(matches!(error, StoreError::Sql { doing: "committing", .. }), "{error:?}");
    assert_eq!(store.load().await.unwrap().serial, Serial(0));
    store.limit_pages(1_000_000).await;
    store.commit(&batch).await.unwrap();
    assert_eq!(store.load().await.unwrap().standings.len(), 200);
}

#[tokio::test]
async fn a_key_that_was_changed_from_outside_is_dropped_and_its_content_is_kept_nowhere() {
    let (_folder, path) = file();
    used(&path).await;
    edit(&path, "INSERT INTO session_key VALUES (3, x'aa', 7, NULL, x'00')").await;
    let store = SqliteStore::open(&path).await.unwrap();
    let stored = store.load().await.unwrap();
    assert!(stored.keys.is_empty());
    let [damaged] = stored.damaged.as_slice() else { panic!("{:?}", stored.damaged) };
    assert_eq!((damaged.table, damaged.key.as_str()), ("session_key", "3"));
    assert!(store.load().await.unwrap().damaged.is_empty(), "told once");
    store.close().await;
    drop(store);
    let mut connection = SqliteConnectOptions::new().filename(&path).connect().await.unwrap();
    let kept: i64 = sqlx::query_scalar("SELECT count(*) FROM quarantine").fetch_one(&mut connection).await.unwrap();
    assert_eq!(kept, 0);
}

#[tokio::test]
async fn nobody_else_may_read_the_file() {
    let (_folder, path) = file();
    used(&path).await;
    std::fs::set_permissions(&path, Permissions::from_mode(0o644)).unwrap();
    let store = SqliteStore::open(&path).await.unwrap();
    store.load().await.unwrap();
    for beside in ["", "-wal", "-shm"] {
        let name = format!("{}{beside}", path.display());
        let mode = std::fs::metadata(&name).unwrap().permissions().mode();
        assert_eq!(mode & 0o077, 0, "{name}: {mode:o}");
    }
}

#[tokio::test]
async fn an_older_intent_that_was_changed_from_outside_is_set_aside() {
    for change in [
        "document = '{}'",
        "author = 'x'",
        "parent = 9",
        "undoes = 1",
        "at_ms = 1",
        "source = 'file'",
        "digest = x'00'",
    ] {
        let (_folder, path) = file();
        let store = SqliteStore::open(&path).await.unwrap();
        store.load().await.unwrap();
        let intents = (1..=3).map(|number| intent(number, IntentSource::Published)).collect();
        store.commit(&Batch { intents, ..Batch::default() }).await.unwrap();
        store.close().await;
        drop(store);
        let mut connection = SqliteConnectOptions::new().filename(&path).connect().await.unwrap();
        let sql = format!("UPDATE intent SET {change} WHERE number = 2");
        connection.execute(sqlx::AssertSqlSafe(sql)).await.unwrap();
        let store = SqliteStore::open(&path).await.unwrap();
        let error = store.intent(2).await.unwrap_err();
        assert!(error.to_string().contains("intent 2 does not match its hash"), "{change}: {error}");
        let stored = store.load().await.unwrap();
        let [damaged] = stored.damaged.as_slice() else { panic!("{change}: {:?}", stored.damaged) };
        assert_eq!((damaged.table, damaged.key.as_str()), ("intent", "2"), "{change}");
        assert_eq!(stored.intent_record, Some(intent(3, IntentSource::Published)), "{change}");
        assert!(store.load().await.unwrap().damaged.is_empty(), "{change}: told once");
        assert_eq!(store.intent(2).await.unwrap(), None, "{change}");
    }
}

#[tokio::test]
async fn a_store_whose_newest_intent_was_changed_from_outside_is_refused() {
    let (_folder, path) = file();
    let store = SqliteStore::open(&path).await.unwrap();
    store.load().await.unwrap();
    let intents = (1..=2).map(|number| intent(number, IntentSource::Published)).collect();
    store.commit(&Batch { intents, ..Batch::default() }).await.unwrap();
    store.close().await;
    drop(store);
    edit(&path, "UPDATE intent SET document = '{\"marker\": 1}' WHERE number = 2").await;
    let error = refusal(&path).await;
    assert!(matches!(error, StoreError::Damaged { .. }), "{error:?}");
    assert!(error.to_string().contains("newest intent") && !error.to_string().contains("marker"), "{error}");
}

#[tokio::test]
async fn a_rollout_that_was_changed_from_outside_is_dropped_and_kept_nowhere() {
    let (_folder, path) = file();
    let store = SqliteStore::open(&path).await.unwrap();
    store.load().await.unwrap();
    store.commit(&Batch { rollout: Some(rollout()), ..Batch::default() }).await.unwrap();
    store.close().await;
    drop(store);
    edit(&path, "UPDATE rollout SET body = replace(body, 'weather', 'other')").await;
    let store = SqliteStore::open(&path).await.unwrap();
    let stored = store.load().await.unwrap();
    assert_eq!(stored.rollout, None);
    let [damaged] = stored.damaged.as_slice() else { panic!("{:?}", stored.damaged) };
    assert_eq!((damaged.table, damaged.key.as_str()), ("rollout", "newest"));
    assert!(store.load().await.unwrap().damaged.is_empty(), "told once");
    store.close().await;
    drop(store);
    let mut connection = SqliteConnectOptions::new().filename(&path).connect().await.unwrap();
    let rows: Vec<String> =
        sqlx::query_scalar("SELECT content FROM quarantine").fetch_all(&mut connection).await.unwrap();
    assert!(rows.is_empty(), "it may hold secrets");
}
