//! What every store of bindings does, run over each of them. Redis is a real one on a free port, if the machine has it.

use std::net::TcpListener;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use outrigger_model::name::{AgentName, ReplicaId};
use outrigger_model::replica::Generation;
use outrigger_proxy_core::mcp::facts::Caller;
use outrigger_proxy_core::session::bind::Binding;
use outrigger_proxy_core::session::key::{KeyKind, SessionKey};

use super::memory::Memory;
use super::redis::Redis;
use super::sealer::Sealer;
use super::store::Store;

const MINUTE: Duration = Duration::from_secs(60);

pub(super) fn key(id: &str) -> SessionKey {
    SessionKey::of(&AgentName::new("weather").expect("name"), id.as_bytes())
}

pub(super) fn binding(replica: &str) -> Binding {
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
    let opening = Some(Arc::from(&b"{}"[..]));
    let moved = Binding { moves: 1, upstream: Some(Arc::from(&b"other"[..])), opening, ..binding("weather-3") };
    assert_eq!(offer("a", &moved).await, moved, "it moves");
    assert_eq!(offer("a", &later).await, moved, "and does not move back");
    let twin = Binding { upstream: Some(Arc::from(&b"twin"[..])), ..moved.clone() };
    assert_eq!(offer("a", &twin).await, moved, "of two sessions opened at one replica at once the first stays");
    let later = Binding { last_seen: 1_700_000_200, ..moved.clone() };
    assert_eq!(offer("a", &later).await, later, "what moved is renewed");
    let moved = later;
    assert_eq!(store.get(&key("a")).await.expect("answer"), Some(moved));

    store.forget(&key("a")).await.expect("forget");
    store.forget(&key("a")).await.expect("forget twice");
    assert_eq!(store.get(&key("a")).await.expect("answer"), None);
    assert_eq!(store.get(&key("b")).await.expect("answer"), Some(binding("weather-2")));

    let soon = Duration::from_millis(20);
    store.offer(&key("c"), &binding("weather-1"), soon).await.expect("offer");
    let deadline = Instant::now() + Duration::from_secs(5);
    while store.get(&key("c")).await.expect("answer").is_some() {
        assert!(Instant::now() < deadline, "a binding outlives its time");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

#[tokio::test]
async fn memory_is_a_store() {
    check(&Memory::new(100)).await;
}

struct RealRedis {
    process: Child,
    url: String,
}

impl RealRedis {
    /// None where `redis-server` is not installed.
    fn start() -> Option<Self> {
        let free = TcpListener::bind("127.0.0.1:0").expect("bind").local_addr().expect("address").port();
        let process = Command::new("redis-server")
            .args(["--port", &free.to_string(), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"])
            .stdout(Stdio::null())
            .spawn()
            .ok()?;
        Some(Self { process, url: format!("redis://127.0.0.1:{free}/") })
    }
}

impl Drop for RealRedis {
    fn drop(&mut self) {
        drop(self.process.kill());
        drop(self.process.wait());
    }
}

#[tokio::test]
async fn redis_is_a_store() {
    let Some(server) = RealRedis::start() else {
        eprintln!("redis-server is not installed: the suite did not run over Redis");
        return;
    };
    let redis = Redis::start(&server.url, "session:", Duration::from_secs(1), Sealer::default()).expect("started");
    let deadline = Instant::now() + Duration::from_secs(10);
    while !redis.is_connected() {
        assert!(Instant::now() < deadline, "never connected");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    check(&redis).await;
}
