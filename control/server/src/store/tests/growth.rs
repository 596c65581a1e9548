//! No call slows down as the event log, the list of snapshots or the history of intents grows: every statement goes by an index.

use std::time::{Duration, UNIX_EPOCH};

use outrigger_control_core::event::{Event, EventKind};
use outrigger_control_core::port::{Batch, EVENTS_KEPT, Store};
use sqlx::postgres::PgPoolOptions;
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions, Row};

use super::cluster;
use crate::store::SqliteStore;

/// What is asked of tables that grow, as the store asks it.
const ASKED: [&str; 9] = [
    "SELECT id, at_ms, kind, subject, detail FROM event WHERE id > 99990 ORDER BY id LIMIT 10",
    "SELECT COALESCE(MAX(id), 0) FROM event",
    "DELETE FROM event WHERE id <= 3",
    "SELECT serial, epoch, digest, made_at_ms, reason FROM snapshot ORDER BY serial DESC LIMIT 10",
    "SELECT number FROM intent WHERE number < 7 ORDER BY number DESC LIMIT 10",
    "SELECT kind FROM ledger WHERE view = 'base' AND kind = 'Route' AND name = 'a'",
    "DELETE FROM ledger WHERE view = 'base' AND kind = 'Route' AND name = 'a'",
    "SELECT id FROM replica WHERE id = 'weather-1'",
    "SELECT epoch FROM meta WHERE id = 1",
];

#[tokio::test]
async fn sqlite_answers_by_an_index() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("control.db");
    SqliteStore::open(&path).await.unwrap().close().await;
    let mut connection = SqliteConnectOptions::new().filename(&path).connect().await.unwrap();
    for asked in ASKED {
        let sql = sqlx::AssertSqlSafe(format!("EXPLAIN QUERY PLAN {asked}"));
        let plan = sqlx::query(sql).fetch_all(&mut connection).await.unwrap();
        let plan: Vec<String> = plan.iter().map(|row| row.get("detail")).collect();
        // A scan in the order of its key that stops at a limit reads no more rows than it gives.
        let is_limited = asked.contains("DESC LIMIT");
        assert!(plan.iter().all(|step| is_limited || !step.starts_with("SCAN")), "{asked}: {plan:?}");
        assert!(plan.iter().all(|step| !step.contains("TEMP B-TREE")), "{asked}: {plan:?}");
    }
}

#[tokio::test]
async fn postgres_answers_by_an_index() {
    let database = cluster::database();
    let (_store, _seat) = cluster::leading(&database).await;
    // Small tables are read through rather than by an index, unless that is said to cost more.
    let options = [("search_path", database.schema()), ("enable_seqscan", "off"), ("enable_bitmapscan", "off")];
    let options = database.options().unwrap().options(options);
    let pool = PgPoolOptions::new().connect_with(options).await.unwrap();
    for asked in ASKED {
        let sql = sqlx::AssertSqlSafe(format!("EXPLAIN {asked}"));
        let plan: Vec<String> = sqlx::query_scalar(sql).fetch_all(&pool).await.unwrap();
        let plan = plan.join("\n");
        assert!(plan.contains("Index") && !plan.contains("Seq Scan") && !plan.contains("Sort"), "{asked}:\n{plan}");
    }
}

/// The same events into a log that is full and into one that is empty: the full one is pruned, and stays within its bound.
#[tokio::test]
async fn a_full_log_of_events_takes_no_longer_to_write_or_read() {
    let database = cluster::database();
    let (store, _seat) = cluster::leading(&database).await;
    let event = |id| Event {
        id,
        at: UNIX_EPOCH + Duration::from_secs(id),
        kind: EventKind::ReplicaLost,
        subject: "weather-1".into(),
        detail: "x".into(),
    };
    for from in (1..=EVENTS_KEPT).step_by(10_000) {
        let events = (from..from + 10_000).map(event).collect();
        store.commit(&Batch { events, ..Batch::default() }).await.unwrap();
    }
    for id in EVENTS_KEPT + 1..=EVENTS_KEPT + 50 {
        store.commit(&Batch { events: vec![event(id)], ..Batch::default() }).await.unwrap();
    }
    let oldest = store.events(0, 1).await.unwrap();
    assert_eq!((oldest[0].id, store.last_event().await.unwrap()), (51, EVENTS_KEPT + 50));
    let pool = PgPoolOptions::new()
        .connect_with(database.options().unwrap().options([("search_path", database.schema())]))
        .await
        .unwrap();
    let prune = "EXPLAIN ANALYZE DELETE FROM event WHERE id = ANY(ARRAY(SELECT id FROM event WHERE id <= 51 ORDER BY id LIMIT 101))";
    let plan: Vec<String> = sqlx::query_scalar(prune).fetch_all(&pool).await.unwrap();
    let plan = plan.join("\n");
    assert!(plan.contains("Index") && !plan.contains("Seq Scan"), "by the index without being told:\n{plan}");
}
