//! What replicas of control that share a database can rely on.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use outrigger_control_core::port::{Batch, EditionRow, Store};
use outrigger_control_core::snapshot::ledger::Ledger;
use outrigger_control_core::snapshot::scope::ViewKey;
use outrigger_model::digest::Digest;
use outrigger_model::name::Namespace;
use outrigger_model::replica::ReplicaState;
use outrigger_model::resource::{ResourceKind, Serial};
use sqlx::postgres::PgPoolOptions;
use tokio::time::timeout;

use super::cluster;
use super::conformance::standing;
use crate::store::{Database, Held, Look, PostgresStore, Seat, StoreError, Wake, Wanted};

async fn edit(database: &Database, sql: &'static str) {
    let options = database.options().unwrap().options([("search_path", database.schema())]);
    let pool = PgPoolOptions::new().max_connections(1).connect_with(options).await.unwrap();
    sqlx::query(sql).execute(&pool).await.unwrap();
    pool.close().await;
}

/// The term in which it is taken, once the server has seen that whoever had it is gone.
async fn taken(seat: &mut Seat) -> u64 {
    let taken = async {
        loop {
            if let Look::Taken { term } = seat.look("b").await.unwrap() {
                return term;
            }
        }
    };
    timeout(Duration::from_secs(20), taken).await.unwrap()
}

fn batch(serial: u64) -> Batch {
    Batch { serial: Serial(serial), put: vec![standing("weather-1", ReplicaState::Healthy)], ..Batch::default() }
}

#[tokio::test]
async fn replicas_that_start_together_make_one_store() {
    let database = cluster::database();
    let opened = futures_util::future::join_all((0..5).map(|_| PostgresStore::open(&database))).await;
    let mut epochs = Vec::new();
    for store in opened {
        epochs.push(store.unwrap().load().await.unwrap().epoch);
    }
    epochs.dedup();
    assert_eq!(epochs.len(), 1);
}

#[tokio::test]
async fn one_leads_and_the_next_one_takes_over_the_moment_its_connection_ends() {
    let database = cluster::database();
    let (_first_store, mut first) = cluster::leading(&database).await;
    let store = PostgresStore::open(&database).await.unwrap();
    let mut second = store.seat();
    let Look::Held(Some(holder)) = second.look("b").await.unwrap() else { panic!("two lead") };
    assert_eq!((holder.term, holder.address.as_str(), holder.beat), (1, "127.0.0.1:1", 0));
    assert!(first.beat(1).await.unwrap());
    assert!(matches!(second.look("b").await.unwrap(), Look::Held(Some(holder)) if holder.beat == 1));
    first.leave().await;
    assert_eq!(taken(&mut second).await, 2);
    assert!(!first.beat(1).await.unwrap(), "a term that is over is never taken up again");
    assert!(second.beat(2).await.unwrap());
}

#[tokio::test]
async fn who_led_before_writes_nothing_whatever_it_believes() {
    let database = cluster::database();
    let (old, mut seat) = cluster::leading(&database).await;
    old.commit(&batch(3)).await.unwrap();
    seat.leave().await;
    let new = PostgresStore::open(&database).await.unwrap();
    let mut next = new.seat();
    new.reign(taken(&mut next).await);
    new.commit(&batch(4)).await.unwrap();
    assert!(matches!(old.commit(&batch(9)).await, Err(StoreError::Deposed { .. })));
    assert_eq!(new.load().await.unwrap().serial, Serial(4));
    let follower = PostgresStore::open(&database).await.unwrap();
    assert!(matches!(follower.commit(&batch(9)).await, Err(StoreError::Deposed { .. })), "who never led neither");
    assert_eq!(follower.load().await.unwrap().serial, Serial(4));
}

#[tokio::test]
async fn a_leader_that_holds_its_lock_and_shows_no_life_can_be_unseated() {
    let database = cluster::database();
    let (old, _hung) = cluster::leading(&database).await;
    let store = PostgresStore::open(&database).await.unwrap();
    let mut next = store.seat();
    assert!(matches!(next.look("b").await.unwrap(), Look::Held(_)));
    next.unseat().await.unwrap();
    assert_eq!(taken(&mut next).await, 2);
    assert!(matches!(old.commit(&batch(1)).await, Err(StoreError::Deposed { .. })));
}

#[tokio::test]
async fn a_leader_that_lost_its_connection_and_was_not_replaced_goes_on_in_its_term() {
    let database = cluster::database();
    let (store, mut seat) = cluster::leading(&database).await;
    seat.unseat().await.unwrap_err();
    assert!(seat.beat(1).await.unwrap());
    store.commit(&batch(1)).await.unwrap();
    let other = PostgresStore::open(&database).await.unwrap();
    assert!(matches!(other.seat().look("b").await.unwrap(), Look::Held(_)), "its lock is held again");
}

#[tokio::test]
async fn a_commit_and_a_wanted_view_wake_the_others() {
    let database = cluster::database();
    let (store, _seat) = cluster::leading(&database).await;
    let follower = PostgresStore::open(&database).await.unwrap();
    let mut wakes = follower.wakes();
    let mut until = async |wanted| {
        let woken = async { while wakes.next().await != wanted {} };
        timeout(Duration::from_secs(20), woken).await.unwrap();
    };
    until(Wake::Committed).await;
    store.commit(&batch(1)).await.unwrap();
    until(Wake::Committed).await;
    let wanted = Wanted {
        view: ViewKey::stored("needs-1"),
        is_for_proxies: true,
        namespace: Namespace::default(),
        needs: vec!["a=b ^1".into()],
    };
    follower.want(std::slice::from_ref(&wanted)).await.unwrap();
    until(Wake::Wanted).await;
    assert_eq!(store.wanted().await.unwrap(), std::slice::from_ref(&wanted));
    until(Wake::Tick).await;
    edit(&database, "UPDATE wanted SET until = now() - INTERVAL '1 second'").await;
    assert_eq!(store.wanted().await.unwrap(), [], "what nobody renews is wanted no more");
}

type Content<'a> = &'a [(&'a str, &'a str)];

/// One step of a view as the publisher writes it.
fn step(ledger: &mut Ledger, view: &ViewKey, serial: u64, content: Content<'_>) -> Batch {
    let rows = content.iter().map(|(name, body)| (ResourceKind::Route, *name, Digest::of(body.as_bytes())));
    let change = ledger.advance(view, rows, Serial(serial));
    let body = |name: &str| content.iter().find(|(known, _)| *known == name).unwrap().1.as_bytes();
    let bodies = change.changed.keys().map(|key| (key.clone(), Arc::from(body(&key.1)))).collect();
    let edition = EditionRow { manifest: Arc::from(serial.to_string().as_bytes()), bodies };
    let editions = BTreeMap::from([(view.clone(), edition)]);
    Batch { serial: Serial(serial), ledger: vec![change], editions, ..Batch::default() }
}

#[tokio::test]
async fn a_follower_reads_what_is_newer_than_what_it_holds_and_what_went() {
    let database = cluster::database();
    let (store, _seat) = cluster::leading(&database).await;
    let (mut ledger, base) = (Ledger::default(), ViewKey::base());
    store.commit(&step(&mut ledger, &base, 1, &[("a", "1"), ("b", "1"), ("c", "x")])).await.unwrap();
    let follower = PostgresStore::open(&database).await.unwrap();
    let held = Held { view: base.clone(), edition: None };
    let [first] = follower.served(&[held]).await.unwrap().try_into().unwrap();
    assert!(first.is_whole && first.changed.len() == 3 && first.manifest == b"1");
    let key = |name: &str| (ResourceKind::Route, name.to_owned());
    assert_eq!(first.changed[&key("c")].1, b"x");

    let held = |serial| [Held { view: base.clone(), edition: Some((first.epoch, Serial(serial), 3)) }];
    assert!(follower.served(&held(1)).await.unwrap().is_empty(), "nothing is newer");
    store.commit(&step(&mut ledger, &base, 2, &[("a", "2"), ("b", "1"), ("d", "x")])).await.unwrap();
    let [next] = follower.served(&held(1)).await.unwrap().try_into().unwrap();
    assert_eq!((next.serial, next.is_whole, next.changed.len()), (Serial(2), false, 2));
    let mut names = next.names.unwrap();
    names.sort_unstable();
    assert_eq!(names, [key("a"), key("b"), key("d")], "and `c` went");
}

#[tokio::test]
async fn a_body_is_there_for_as_long_as_a_view_has_it() {
    let database = cluster::database();
    let (store, _seat) = cluster::leading(&database).await;
    let (mut ledger, base, other) = (Ledger::default(), ViewKey::base(), ViewKey::stored("needs-1"));
    let bodies = async || {
        let options = database.options().unwrap().options([("search_path", database.schema())]);
        let pool = PgPoolOptions::new().connect_with(options).await.unwrap();
        let mut all: Vec<Vec<u8>> = sqlx::query_scalar("SELECT bytes FROM blob").fetch_all(&pool).await.unwrap();
        all.sort_unstable();
        all
    };
    store.commit(&step(&mut ledger, &base, 1, &[("a", "1"), ("b", "2")])).await.unwrap();
    store.commit(&step(&mut ledger, &other, 1, &[("a", "1")])).await.unwrap();
    store.commit(&step(&mut ledger, &base, 2, &[("a", "3")])).await.unwrap();
    assert_eq!(bodies().await, [b"1", b"3"], "the other view still has the first");
    let mut dropped = step(&mut ledger, &base, 3, &[("a", "3"), ("c", "3")]);
    dropped.ledger[0].dropped.push(other);
    store.commit(&dropped).await.unwrap();
    assert_eq!(bodies().await, [b"3"]);
}

#[tokio::test]
async fn a_body_that_was_changed_from_outside_is_not_handed_out() {
    let database = cluster::database();
    let (store, _seat) = cluster::leading(&database).await;
    let (mut ledger, base) = (Ledger::default(), ViewKey::base());
    store.commit(&step(&mut ledger, &base, 1, &[("a", "1"), ("b", "2")])).await.unwrap();
    edit(&database, "UPDATE blob SET bytes = 'evil' WHERE bytes = '1'").await;
    let [served] = store.served(&[Held { view: base, edition: None }]).await.unwrap().try_into().unwrap();
    assert_eq!(
        (served.changed.len(), served.names.unwrap().len()),
        (1, 2),
        "who puts it together sees that one is missing"
    );
}

#[tokio::test]
async fn rows_that_were_changed_from_outside_are_set_aside_by_the_leader_and_served_by_nobody() {
    let database = cluster::database();
    let (store, _seat) = cluster::leading(&database).await;
    store.commit(&batch(1)).await.unwrap();
    edit(&database, "UPDATE replica SET facts = replace(facts, 'fd00::7', 'fd00::9')").await;
    let follower = PostgresStore::open(&database).await.unwrap();
    for _ in 0..2 {
        let stored = follower.load().await.unwrap();
        assert_eq!((stored.standings.len(), stored.damaged.len()), (0, 1), "a follower changes nothing");
    }
    assert_eq!(store.load().await.unwrap().damaged[0].key, "weather-1");
    assert!(store.load().await.unwrap().damaged.is_empty(), "told once");
    edit(&database, "UPDATE meta SET serial = 0").await;
    let refused = store.load().await.unwrap_err();
    assert!(refused.to_string().contains("do not match their hash"), "{refused}");
}

#[tokio::test]
async fn a_new_epoch_keeps_everything_and_whoever_leads_leads_no_more() {
    let database = cluster::database();
    let (store, mut seat) = cluster::leading(&database).await;
    store.commit(&batch(5)).await.unwrap();
    let before = store.load().await.unwrap();
    let epoch = PostgresStore::open(&database).await.unwrap().renew_epoch().await.unwrap();
    assert_ne!(epoch, before.epoch);
    assert!(matches!(store.commit(&batch(6)).await, Err(StoreError::Deposed { .. })));
    assert!(!seat.beat(1).await.unwrap());
    let after = store.load().await.unwrap();
    assert_eq!((after.epoch, after.serial, after.standings), (epoch, Serial(5), before.standings));
}

#[tokio::test]
async fn a_schema_of_a_newer_build_is_refused() {
    let database = cluster::database();
    PostgresStore::open(&database).await.unwrap();
    edit(&database, "INSERT INTO _sqlx_migrations VALUES (999, 'later', now(), true, '\\x00', 1)").await;
    assert!(matches!(PostgresStore::open(&database).await, Err(StoreError::NewerSchema { .. })));
}

#[tokio::test]
async fn a_database_that_is_away_is_said_without_the_password() {
    let database: Database = "postgres://mesh:s3cret@127.0.0.1:1/control".parse().unwrap();
    let error = PostgresStore::open(&database).await.unwrap_err();
    let text = format!("{error} {error:?}");
    assert!(text.contains("postgres://mesh@127.0.0.1:1/control") && !text.contains("s3cret"), "{text}");
}
