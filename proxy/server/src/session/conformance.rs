//! What every store of bindings does, run over each of them. Redis is a real one on a free port, if the machine has it.

use std::net::TcpListener;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use outrigger_model::name::{AgentName, ReplicaId};
use outrigger_model::replica::Generation;
use outrigger_proxy_core::mcp::facts::Caller;
use outrigger_proxy_core::session::bind::Binding;
use outrigger_proxy_core::session::key::SessionKey;

use super::memory::Memory;
use super::redis::Redis;
use super::store::Store;

const MINUTE: Duration = Duration::from_secs(60);

pub(super) fn key(id: &str) -> SessionKey {
    SessionKey::of(&AgentName::new("weather").expect("name"), id.as_bytes())
}

pub(super) fn binding(replica: &str) -> Binding {
    Binding {
        replica: ReplicaId::new(replica).expect("name"),
        generation: Generation(7),
        caller: Caller::new("planner"),
        created: 1_700_000_000,
        last_seen: 1_700_000_000,
    }
}

async fn check(store: &dyn Store) {
    assert_eq!(store.get(&key("unknown")).await.expect("answer"), None);

    store.put(&key("a"), &binding("weather-1"), MINUTE).await.expect("put");
    store.put(&key("b"), &binding("weather-2"), MINUTE).await.expect("put");
    assert_eq!(store.get(&key("a")).await.expect("answer"), Some(binding("weather-1")));
    assert_eq!(store.get(&key("b")).await.expect("answer"), Some(binding("weather-2")));

    store.put(&key("a"), &binding("weather-3"), MINUTE).await.expect("put again");
    assert_eq!(store.get(&key("a")).await.expect("answer"), Some(binding("weather-3")));

    store.forget(&key("a")).await.expect("forget");
    store.forget(&key("a")).await.expect("forget twice");
    assert_eq!(store.get(&key("a")).await.expect("answer"), None);
    assert_eq!(store.get(&key("b")).await.expect("answer"), Some(binding("weather-2")));

    store.put(&key("c"), &binding("weather-1"), Duration::from_millis(20)).await.expect("put");
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
    let redis = Redis::start(&server.url, "session:", Duration::from_secs(1)).expect("started");
    let deadline = Instant::now() + Duration::from_secs(10);
    while !redis.is_connected() {
        assert!(Instant::now() < deadline, "never connected");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    check(&redis).await;
}
