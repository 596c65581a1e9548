//! What every store of bindings does, run over each of them. Redis is a real one, in each of its forms.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use outrigger_model::name::{AgentName, ReplicaId};
use outrigger_model::replica::Generation;
use outrigger_proxy_core::mcp::facts::Caller;
use outrigger_proxy_core::session::bind::Binding;
use outrigger_proxy_core::session::key::{KeyKind, SessionKey};
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::timeout;

use super::memory::Memory;
use super::real::{self, Server, connected};
use super::store::{News, Store};

const MINUTE: Duration = Duration::from_secs(60);

pub(crate) fn key(id: &str) -> SessionKey {
    SessionKey::of(&AgentName::new("weather").expect("name"), id.as_bytes())
}

pub(crate) fn binding(replica: &str) -> Binding {
    Binding {
        kind: KeyKind::Session,
        agent: AgentName::new("weather").expect("name"),
        replica: ReplicaId::new(replica).expect("name"),
        generation: Generation(7),
        moves: 0,
        caller: Caller::new("planner"),
        created: 1_700_000_000,
        last_seen: 1_700_000_000,
        upstream: None,
        opening: None,
    }
}

async fn check(store: &dyn Store) {
    assert_eq!(store.get(&key("unknown")).await.expect("answer"), None);

    let offer = async |id: &str, binding: &Binding| store.offer(&key(id), binding, MINUTE).await.expect("offer");
    assert_eq!(offer("a", &binding("weather-1")).await, binding("weather-1"));
    assert_eq!(offer("b", &binding("weather-2")).await, binding("weather-2"));
    assert_eq!(store.get(&key("a")).await.expect("answer"), Some(binding("weather-1")));
    assert_eq!(store.get(&key("b")).await.expect("answer"), Some(binding("weather-2")));

    assert_eq!(offer("a", &binding("weather-3")).await, binding("weather-1"), "the first stays");
    let later = Binding { last_seen: 1_700_000_100, ..binding("weather-1") };
    assert_eq!(offer("a", &later).await, later, "it is renewed");
    assert_eq!(offer("a", &binding("weather-1")).await, later, "and not by what was seen before");
    let opening = Some(Arc::from(&b"{\"id\": 1}"[..]));
    let moved = Binding { moves: 1, upstream: Some(Arc::from(&b"other"[..])), opening, ..binding("weather-3") };
    assert_eq!(offer("a", &moved).await, moved, "it moves");
    assert_eq!(offer("a", &later).await, moved, "and does not move back");
    let twin = Binding { upstream: Some(Arc::from(&b"twin"[..])), ..moved.clone() };
    assert_eq!(offer("a", &twin).await, moved, "of two sessions opened at one replica at once the first stays");
    let later = Binding { last_seen: 1_700_000_200, ..moved.clone() };
    assert_eq!(offer("a", &later).await, later, "what moved is renewed");
    let moved = later;
    assert_eq!(store.get(&key("a")).await.expect("answer"), Some(moved.clone()));

    store.forget(&key("a"), 0).await.expect("forget");
    assert_eq!(
        store.get(&key("a")).await.expect("answer"),
        Some(moved),
        "who knows the first place only cannot forget it"
    );
    store.forget(&key("a"), 1).await.expect("forget");
    store.forget(&key("a"), 1).await.expect("forget twice");
    assert_eq!(store.get(&key("a")).await.expect("answer"), None);
    assert_eq!(store.get(&key("b")).await.expect("answer"), Some(binding("weather-2")));

    let soon = Duration::from_millis(20);
    store.offer(&key("c"), &binding("weather-1"), soon).await.expect("offer");
    let deadline = Instant::now() + Duration::from_secs(5);
    while store.get(&key("c")).await.expect("answer").is_some() {
        assert!(Instant::now() < deadline, "a binding outlives its time");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }

    store.offer(&key("d"), &binding("weather-1"), MINUTE).await.expect("offer");
    store.offer(&key("d"), &binding("weather-1"), soon).await.expect("a copy with less time left");
    tokio::time::sleep(soon * 2).await;
    assert_eq!(store.get(&key("d")).await.expect("answer"), Some(binding("weather-1")), "it keeps the longer time");
}

/// Of fifty that offer a first binding at once, over two connections, all get the same.
async fn check_race(here: Arc<dyn Store>, there: Arc<dyn Store>) {
    let mut offers = JoinSet::new();
    for at in 0..50 {
        let store = Arc::clone(if at % 2 == 0 { &here } else { &there });
        offers.spawn(async move { store.offer(&key("race"), &binding(&format!("weather-{at}")), MINUTE).await });
    }
    let taken = here_after(&mut offers).await;
    assert_eq!(there.get(&key("race")).await.expect("answer"), Some(taken.clone()));

    // The same of fifty that move it at once.
    for at in 0..50 {
        let store = Arc::clone(if at % 2 == 0 { &here } else { &there });
        let moved = Binding { moves: 1, ..binding(&format!("weather-{at}")) };
        offers.spawn(async move { store.offer(&key("race"), &moved, MINUTE).await });
    }
    let moved = here_after(&mut offers).await;
    assert_eq!(moved.moves, 1);
    assert_eq!(here.get(&key("race")).await.expect("answer"), Some(moved));
}

async fn here_after(offers: &mut JoinSet<Result<Binding, super::store::StoreError>>) -> Binding {
    let mut taken = None;
    while let Some(offered) = offers.join_next().await {
        let held = offered.expect("a task").expect("offer");
        assert_eq!(*taken.get_or_insert_with(|| held.clone()), held, "two were told different things");
    }
    taken.expect("fifty offers")
}

/// What one does to a binding the other hears, and not what it did itself, or what is only renewed.
async fn check_news(here: &dyn Store, there: &dyn Store) {
    let (mut hears_here, mut hears_there) = (here.news().expect("news"), there.news().expect("news"));
    assert!(here.news().is_none(), "they are given out once");
    for news in [&mut hears_here, &mut hears_there] {
        assert_eq!(next(news).await, News::Back);
    }
    let moved = Binding { moves: 1, ..binding("weather-2") };
    for binding in [&binding("weather-1"), &moved, &Binding { last_seen: moved.last_seen + 1, ..moved.clone() }] {
        here.offer(&key("n"), binding, MINUTE).await.expect("offer");
    }
    here.forget(&key("n"), 1).await.expect("forget");
    assert_eq!(next(&mut hears_there).await, News::Moved(key("n"), moved, MINUTE));
    assert_eq!(next(&mut hears_there).await, News::Forgotten(key("n"), 1));
    there.offer(&key("m"), &binding("weather-1"), MINUTE).await.expect("offer");
    there.forget(&key("m"), 0).await.expect("forget");
    assert_eq!(next(&mut hears_here).await, News::Forgotten(key("m"), 0));
}

async fn next(news: &mut mpsc::Receiver<News>) -> News {
    timeout(real::DEADLINE, news.recv()).await.expect("news in time").expect("news")
}

async fn check_redis(keys: &str, folder: &Path) {
    let (here, there) = (Arc::new(connected(keys, folder).await), Arc::new(connected(keys, folder).await));
    check_news(&*here, &*there).await;
    check(&*here).await;
    check_race(here, there).await;
}

#[tokio::test]
async fn memory_is_a_store() {
    let memory = Arc::new(Memory::new(100));
    check(&*memory).await;
    check_race(Arc::clone(&memory) as Arc<dyn Store>, memory).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_redis_is_a_store() {
    let server = Server::start();
    check_redis(&format!("redis_url: \"{}\"", server.url()), Path::new("")).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_redis_that_asks_for_a_user_is_a_store() {
    let (server, folder) = (real::with_user(), tempfile::tempdir().expect("folder"));
    std::fs::write(folder.path().join("word"), "hunter2\n").expect("file");
    let keys = format!("redis: {{urls: [\"{}\"], username: desk, password_file: word}}", server.url());
    check_redis(&keys, folder.path()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_redis_behind_tls_is_a_store() {
    let server = real::with_tls();
    let url = format!("rediss://127.0.0.1:{}", server.port);
    let keys = format!("redis: {{urls: [\"{url}\"], ca_file: ca.pem, certificate: proxy.pem, key: proxy.key}}");
    check_redis(&keys, server.folder.path()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_primary_of_sentinels_is_a_store() {
    let watched = real::watched();
    let keys = format!("redis: {{urls: [\"{}\"], sentinel: {{master: main}}}}", watched.sentinel.url());
    check_redis(&keys, Path::new("")).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cluster_is_a_store() {
    let nodes = real::cluster();
    let keys = format!("redis: {{urls: [\"{}\", \"{}\"], cluster: true}}", nodes[0].url(), nodes[1].url());
    check_redis(&keys, Path::new("")).await;
}
