use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use async_trait::async_trait;

use super::super::conformance::{binding, key};
use super::super::real::{self, Server, Told, becomes};
use super::*;
use crate::telemetry::labels::InvalidationLabels;
use crate::telemetry::{Invalidation, Metrics};

const IDLE: Duration = Duration::from_secs(3_600);
const NOW: u64 = 1_700_000_000;

/// A store in memory that counts what it is asked, and fails when it is told to.
struct Counted {
    memory: Memory,
    asked: AtomicUsize,
    fails: AtomicBool,
}

impl Counted {
    fn new(fails: bool) -> Arc<Self> {
        Arc::new(Self { memory: Memory::new(100), asked: AtomicUsize::new(0), fails: AtomicBool::new(fails) })
    }

    fn note(&self) -> Result<(), StoreError> {
        self.asked.fetch_add(1, Ordering::Relaxed);
        if self.fails.load(Ordering::Relaxed) { Err(StoreError::Late) } else { Ok(()) }
    }
}

#[async_trait]
impl Store for Counted {
    async fn get(&self, key: &SessionKey) -> Result<Option<Binding>, StoreError> {
        self.note()?;
        self.memory.get(key).await
    }

    async fn offer(&self, key: &SessionKey, binding: &Binding, kept: Duration) -> Result<Binding, StoreError> {
        self.note()?;
        Store::offer(&self.memory, key, binding, kept).await
    }

    async fn forget(&self, key: &SessionKey, moves: u32) -> Result<(), StoreError> {
        self.note()?;
        self.memory.forget(key, moves).await
    }
}

fn sessions(shared: Option<Arc<Counted>>) -> Sessions {
    let events = Arc::new(Events::new(Metrics::default()));
    Sessions::new(100, shared.map(|store| store as Arc<dyn Store>), events)
}

#[tokio::test]
async fn a_session_learned_by_one_proxy_is_found_by_another() {
    let shared = Counted::new(false);
    let (here, there) = (sessions(Some(Arc::clone(&shared))), sessions(Some(shared)));
    here.obey(Lesson::Learn(key("a"), binding("weather-1")), IDLE, NOW).await;
    assert_eq!(there.find(&key("a"), IDLE).await, Some(Arc::new(binding("weather-1"))));
}

#[tokio::test]
async fn a_known_session_never_asks_the_shared_store() {
    let shared = Counted::new(false);
    let sessions = sessions(Some(Arc::clone(&shared)));
    sessions.obey(Lesson::Learn(key("a"), binding("weather-1")), IDLE, NOW).await;
    let before = shared.asked.load(Ordering::Relaxed);
    for _ in 0..100 {
        assert!(sessions.find(&key("a"), IDLE).await.is_some());
        sessions.obey(Lesson::Touch(key("a")), IDLE, NOW + 1).await;
    }
    assert_eq!(shared.asked.load(Ordering::Relaxed), before);
}

#[tokio::test]
async fn without_a_working_shared_store_memory_alone_decides() {
    let sessions = sessions(Some(Counted::new(true)));
    assert_eq!(sessions.find(&key("a"), IDLE).await, None);
    sessions.obey(Lesson::Learn(key("a"), binding("weather-1")), IDLE, NOW).await;
    assert_eq!(sessions.find(&key("a"), IDLE).await, Some(Arc::new(binding("weather-1"))));
}

#[tokio::test]
async fn use_renews_a_session_in_the_shared_store_once_in_a_tenth_of_its_time() {
    let shared = Counted::new(false);
    let sessions = sessions(Some(Arc::clone(&shared)));
    sessions.obey(Lesson::Learn(key("a"), binding("weather-1")), IDLE, NOW).await;
    sessions.obey(Lesson::Touch(key("a")), IDLE, NOW + 400).await;
    sessions.obey(Lesson::Touch(key("a")), IDLE, NOW + 401).await;
    let deadline = Instant::now() + Duration::from_secs(5);
    while shared.asked.load(Ordering::Relaxed) < 2 {
        assert!(Instant::now() < deadline, "never renewed");
        tokio::task::yield_now().await;
    }
    let renewed = shared.memory.find(&key("a"), Instant::now()).expect("kept");
    assert_eq!(renewed.last_seen, NOW + 400);
}

#[tokio::test]
async fn a_forgotten_session_is_gone_from_both_stores() {
    let shared = Counted::new(false);
    let sessions = sessions(Some(Arc::clone(&shared)));
    sessions.obey(Lesson::Learn(key("a"), binding("weather-1")), IDLE, NOW).await;
    sessions.obey(Lesson::Forget(key("a")), IDLE, NOW).await;
    assert_eq!(sessions.count(), 0);
    let deadline = Instant::now() + Duration::from_secs(5);
    while shared.memory.find(&key("a"), Instant::now()).is_some() {
        assert!(Instant::now() < deadline, "never forgotten");
        tokio::task::yield_now().await;
    }
}

#[tokio::test(start_paused = true)]
async fn what_a_store_did_not_take_is_offered_again_until_it_does() {
    let shared = Counted::new(true);
    let sessions = sessions(Some(Arc::clone(&shared)));
    for id in ["a", "b"] {
        sessions.obey(Lesson::Learn(key(id), binding("weather-1")), IDLE, NOW).await;
    }
    tokio::time::sleep(Duration::from_secs(600)).await;
    let asked = shared.asked.load(Ordering::Relaxed);
    assert!((10..100).contains(&asked), "{asked} requests in ten minutes");
    shared.fails.store(false, Ordering::Relaxed);
    tokio::time::sleep(Duration::from_secs(60)).await;
    assert_eq!(shared.memory.count(), 2);
}

/// A proxy whose sessions are shared through a Redis.
async fn proxy(server: &Server) -> (Sessions, Told<()>) {
    let Told { redis, readiness, events, metrics } =
        real::store_at(&format!("redis_url: \"{}\"", server.url()), Path::new(""));
    let redis = Arc::new(redis);
    let sessions = Sessions::new(1_000, Some(Arc::clone(&redis) as Arc<dyn Store>), Arc::clone(&events));
    becomes("connected and hearing", || metrics.redis_listening.get() == 1).await;
    (sessions, Told { redis: (), readiness, events, metrics })
}

#[tokio::test]
async fn a_redis_that_comes_back_empty_has_every_live_session_again() {
    let mut server = Server::start();
    let (here, told) = proxy(&server).await;
    let learn = async |sessions: &Sessions, at: usize| {
        sessions.obey(Lesson::Learn(key(&at.to_string()), binding("weather-1")), IDLE, NOW).await;
    };
    for at in 0..100 {
        learn(&here, at).await;
    }
    assert_eq!(server.ask::<usize>("DBSIZE"), 100);
    server.kill();
    becomes("away", || told.metrics.redis_connected.get() == 0).await;
    // Learned meanwhile, known here, and never waited for.
    for at in 100..150 {
        learn(&here, at).await;
        assert!(here.find(&key(&at.to_string()), IDLE).await.is_some());
    }
    server.start_again();
    becomes("written back", || server.ask::<usize>("DBSIZE") == 150).await;
    becomes("counted", || told.metrics.sessions_written_back.get() >= 150).await;
    let left: i64 = server.ask(&format!("PTTL session:{}", key("0").digest()));
    assert!(left > 3_900_000 && left <= 3_960_000, "{left} ms of an hour and a tenth");
    let (there, _told) = proxy(&server).await;
    assert_eq!(there.find(&key("149"), IDLE).await, Some(Arc::new(binding("weather-1"))));
}

#[tokio::test]
async fn what_one_proxy_moves_or_forgets_the_others_see_without_asking() {
    let server = Server::start();
    let ((here, _told), (there, told)) = (proxy(&server).await, proxy(&server).await);
    here.obey(Lesson::Learn(key("a"), binding("weather-1")), IDLE, NOW).await;
    assert!(there.find(&key("a"), IDLE).await.is_some());
    let moved = Binding { moves: 1, ..binding("weather-2") };
    here.claim(key("a"), moved.clone(), IDLE).await;
    let seen = |count: u64| move |reason| told_count(&told, reason) == count;
    let invalidated = seen(1);
    becomes("moved", || invalidated(Invalidation::Moved)).await;
    assert_eq!(there.find(&key("a"), IDLE).await, Some(Arc::new(moved)));
    here.forget(key("a"));
    becomes("forgotten", || invalidated(Invalidation::Forgotten)).await;
    assert_eq!(there.count(), 0);
    assert_eq!(there.find(&key("a"), IDLE).await, None);
}

fn told_count(told: &Told<()>, reason: Invalidation) -> u64 {
    told.metrics.session_invalidations.get_or_create_owned(&InvalidationLabels { reason }).get()
}

#[tokio::test]
async fn of_two_proxies_that_bound_a_session_while_redis_was_away_one_gives_way() {
    let mut server = Server::start();
    let ((here, told_here), (there, told_there)) = (proxy(&server).await, proxy(&server).await);
    server.kill();
    for told in [&told_here, &told_there] {
        becomes("away", || told.metrics.redis_connected.get() == 0).await;
    }
    here.obey(Lesson::Learn(key("a"), binding("weather-1")), IDLE, NOW).await;
    there.obey(Lesson::Learn(key("a"), binding("weather-2")), IDLE, NOW).await;
    server.start_again();
    let held = |sessions: &Sessions| sessions.memory.find(&key("a"), Instant::now()).expect("known");
    becomes("one mind", || held(&here) == held(&there)).await;
}

#[tokio::test]
async fn what_moved_elsewhere_is_seen_when_it_is_asked_for_although_memory_knows_better() {
    let shared = Counted::new(false);
    let (here, there) = (sessions(Some(Arc::clone(&shared))), sessions(Some(shared)));
    here.obey(Lesson::Learn(key("a"), binding("weather-1")), IDLE, NOW).await;
    assert!(there.find(&key("a"), IDLE).await.is_some());
    let moved = Binding { moves: 1, ..binding("weather-2") };
    there.claim(key("a"), moved.clone(), IDLE).await;
    assert_eq!(here.refresh(&key("a"), IDLE).await.as_deref(), Some(&moved));
    assert_eq!(here.find(&key("a"), IDLE).await.as_deref(), Some(&moved), "from now on");
}

#[tokio::test]
async fn a_session_that_is_pinned_is_not_loosened_by_a_copy_from_before() {
    let sessions = sessions(None);
    let loose = Binding { opening: Some(Arc::from(&b"{}"[..])), ..binding("weather-1") };
    sessions.claim(key("a"), loose.clone(), IDLE).await;
    sessions.pin(key("a"), &loose, IDLE);
    let held = sessions.claim(key("a"), Binding { last_seen: NOW + 1, ..loose.clone() }, IDLE).await;
    assert_eq!(held.opening, None);
    let elsewhere = Binding { moves: loose.moves + 1, ..binding("weather-2") };
    assert_eq!(
        sessions.claim(key("a"), elsewhere, IDLE).await.replica.as_str(),
        "weather-1",
        "who moves it meanwhile loses"
    );
}
