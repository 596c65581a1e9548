use std::path::Path;
use std::time::Instant;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use super::super::conformance::{binding, key};
use super::super::real::{self, Server, Told, becomes, store_within};
use super::*;
use crate::telemetry::StoreFault;

const REQUEST_TIMEOUT: Duration = Duration::from_millis(50);
const MINUTE: Duration = Duration::from_secs(60);

fn told(url: &str) -> Told {
    store_within(&format!("redis_url: \"{url}\""), Path::new(""), REQUEST_TIMEOUT)
}

/// A server that answers every read with `answer`, or never; its address.
async fn server(answer: Option<&'static [u8]>) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("bind");
    let address = listener.local_addr().expect("address");
    tokio::spawn(async move {
        let mut held = Vec::new();
        while let Ok((mut stream, _)) = listener.accept().await {
            let Some(answer) = answer else {
                held.push(stream);
                continue;
            };
            tokio::spawn(async move {
                let mut buffer = [0; 1024];
                while stream.read(&mut buffer).await.is_ok_and(|read| read > 0) {
                    if stream.write_all(answer).await.is_err() {
                        break;
                    }
                }
            });
        }
    });
    format!("redis://{address}/")
}

async fn check_bounded(url: &str) {
    let redis = told(url).redis;
    let began = Instant::now();
    for _ in 0..50 {
        assert!(redis.get(&key("a")).await.is_err());
        assert!(redis.offer(&key("a"), &binding("weather-1"), Duration::from_secs(60)).await.is_err());
        tokio::task::yield_now().await;
    }
    // At most a few requests may wait for their whole time; the rest end at once.
    assert!(began.elapsed() < Duration::from_secs(2), "{:?}", began.elapsed());
}

#[tokio::test]
async fn a_redis_that_refuses_connections_delays_nothing() {
    check_bounded("redis://127.0.0.1:1/").await;
}

#[tokio::test]
async fn a_redis_that_never_answers_delays_nothing() {
    check_bounded(&server(None).await).await;
}

#[tokio::test]
async fn a_redis_that_answers_garbage_delays_nothing() {
    check_bounded(&server(Some(b"HTTP/1.1 400 Bad Request\r\n\r\n")).await).await;
}

#[tokio::test]
async fn a_redis_that_hangs_after_it_connected_is_left_alone_after_a_few_requests() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("bind");
    let address = listener.local_addr().expect("address");
    tokio::spawn(async move {
        let mut held = Vec::new();
        while let Ok((mut stream, _)) = listener.accept().await {
            // Only the first connection is answered, until its PING is.
            if held.is_empty() {
                let mut heard = Vec::new();
                let mut buffer = [0; 1024];
                while !heard.windows(4).any(|word| word == b"PING") {
                    let read = stream.read(&mut buffer).await.expect("read");
                    heard.extend_from_slice(&buffer[..read]);
                    let requests = buffer[..read].iter().filter(|byte| **byte == b'*').count();
                    stream.write_all(&b"+OK\r\n".repeat(requests)).await.expect("write");
                }
            }
            held.push(stream);
        }
    });
    let redis = told(&format!("redis://{address}/")).redis;
    becomes("connected", || redis.is_connected()).await;
    let began = Instant::now();
    for _ in 0..100 {
        assert!(redis.get(&key("a")).await.is_err());
    }
    assert!(began.elapsed() < Duration::from_secs(1), "{:?}", began.elapsed());
    assert!(!redis.is_connected());
}

#[tokio::test]
async fn what_lies_under_a_key_and_is_no_binding_is_a_miss_and_gives_way() {
    let server = Server::start();
    let told = real::store_at(&format!("redis_url: \"{}\"", server.url()), Path::new(""));
    becomes("connected", || told.redis.is_connected()).await;
    let name = format!("session:{}", key("a").digest());
    for spoil in [
        format!("SET {name} rubbish"),
        format!("RPUSH {name} a b"),
        format!("SETRANGE {name} 1000000 x"),
        format!("SET {name} 3"),
    ] {
        server.ask::<redis::Value>(&format!("DEL {name}"));
        server.ask::<redis::Value>(&spoil);
        for _ in 0..5 {
            let missed = told.redis.get(&key("a")).await;
            assert!(matches!(&missed, Err(error) if error.fault() == StoreFault::Unreadable), "{spoil}: {missed:?}");
        }
        assert!(told.redis.is_connected(), "{spoil}");
        let offered = told.redis.offer(&key("a"), &binding("weather-1"), MINUTE).await.expect("offer");
        assert_eq!(offered, binding("weather-1"), "{spoil}");
        assert_eq!(told.redis.get(&key("a")).await.expect("answer"), Some(binding("weather-1")), "{spoil}");
    }
}

#[tokio::test]
async fn a_redis_that_is_full_is_read_and_said_to_be_full_until_it_is_not() {
    let server = Server::start();
    let told = real::store_at(&format!("redis_url: \"{}\"", server.url()), Path::new(""));
    becomes("connected", || told.redis.is_connected()).await;
    let offer = async |id: &str| told.redis.offer(&key(id), &binding("weather-1"), MINUTE).await;
    offer("a").await.expect("offer");
    server.ask::<()>("CONFIG SET maxmemory 1");
    for _ in 0..5 {
        let refused = offer("b").await;
        assert!(matches!(&refused, Err(error) if error.fault() == StoreFault::Full), "{refused:?}");
    }
    assert_eq!(told.redis.get(&key("a")).await.expect("answer"), Some(binding("weather-1")));
    assert!(told.readiness.report().details.iter().any(|line| line.contains("redis is full")));
    server.ask::<()>("CONFIG SET maxmemory 0");
    offer("b").await.expect("offer");
    assert!(told.readiness.report().details.iter().all(|line| !line.contains("full")));
}

#[tokio::test]
async fn readiness_says_that_redis_is_away_and_metrics_too() {
    let mut server = Server::start();
    let told = told(&server.url());
    let says = |word: &str| {
        told.readiness.report().details.iter().any(|line| line.starts_with("redis: degraded") && line.contains(word))
    };
    assert!(says("not connected yet"));
    becomes("connected", || told.redis.is_connected() && !says("")).await;
    assert_eq!(told.metrics.redis_connected.get(), 1);
    server.kill();
    becomes("away", || says("connection")).await;
    assert_eq!(told.metrics.redis_connected.get(), 0);
    assert!(!told.redis.is_connected());
    server.start_again();
    becomes("back", || told.redis.is_connected() && !says("")).await;
    assert_eq!(told.metrics.redis_connected.get(), 1);
}

#[tokio::test]
async fn a_primary_that_became_a_replica_is_left_for_the_one_that_sentinels_name() {
    let watched = real::watched();
    let keys = format!("redis: {{urls: [\"{}\"], sentinel: {{master: main}}}}", watched.sentinel.url());
    let redis = real::connected(&keys, Path::new("")).await;
    becomes("willing", || watched.sentinel.try_ask::<()>("SENTINEL FAILOVER main").is_ok()).await;
    // The old one may take a write yet that the new one never gets.
    let exists = format!("EXISTS session:{}", key("a").digest());
    let deadline = Instant::now() + real::DEADLINE;
    // A node that changes its role ends connections.
    while !watched.replica.try_ask::<bool>(&exists).unwrap_or(false) {
        assert!(Instant::now() < deadline, "never written to the new primary");
        drop(redis.offer(&key("a"), &binding("weather-1"), MINUTE).await);
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let role: String = watched.replica.ask("INFO replication");
    assert!(role.contains("role:master"), "{role}");
}

#[tokio::test]
async fn a_password_that_is_wrong_stops_nothing_and_is_said_without_it() {
    let server = real::with_user();
    let keys = format!("redis: {{urls: [\"{}\"], username: desk, password: swordfish}}", server.url());
    let told = store_within(&keys, Path::new(""), REQUEST_TIMEOUT);
    let details = || told.readiness.report().details.join("; ");
    becomes("refused", || details().contains("denied")).await;
    assert!(!details().contains("swordfish"), "{}", details());
    assert!(matches!(told.redis.get(&key("a")).await, Err(StoreError::Away)));
}

#[tokio::test]
async fn files_that_are_not_there_are_named_at_the_start() {
    let written = "sessions: {redis: {urls: [\"rediss://127.0.0.1:1\"], ca_file: nothing.pem}}";
    let file = outrigger_config::load_str(written, &outrigger_config::Environment::default()).expect("a file");
    let written = crate::config::Written { file, folder: "/nowhere".into(), ..Default::default() };
    let settings = crate::config::Settings::try_from(written).expect("settings").sessions.redis.expect("redis");
    let refused = Dialer::new(&settings, REQUEST_TIMEOUT).err().expect("refused");
    assert_eq!(refused.to_string(), "/nowhere/nothing.pem cannot be read");
}
