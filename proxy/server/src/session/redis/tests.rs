use std::time::Instant;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use super::super::conformance::{binding, key};
use super::*;

const REQUEST_TIMEOUT: Duration = Duration::from_millis(50);

#[test]
fn a_binding_is_read_as_it_was_written() {
    let (upstream, opening) = (Some(Arc::from(&b"u p"[..])), Some(Arc::from(&b"{\"id\": 1}"[..])));
    let caller = Caller::new("spiffe://mesh.local/agent/planner x");
    let binding = Binding { caller, moves: 3, upstream, opening, ..binding("weather-1") };
    assert_eq!(read(&write(&binding)), Some(binding));
}

#[test]
fn what_is_no_binding_is_none() {
    let good = write(&binding("weather-1"));
    assert!(read(&good).is_some());
    let spoilt = |from: &str, to: &str| good.replacen(from, to, 1);
    let spoilt = [
        spoilt("3 0", "2 0"),
        spoilt("weather-1", "-bad-"),
        spoilt(" 7 ", " x "),
        spoilt("session", "cookie"),
        spoilt(" - ", " abc "),
        spoilt(" planner", ""),
    ];
    for text in spoilt.iter().map(String::as_str).chain(["", "3", "3 0 weather-1 7"]) {
        assert_eq!(read(text), None, "{text}");
    }
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
    let redis = Redis::start(url, "session:", REQUEST_TIMEOUT, Sealer::default()).expect("started");
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
    let redis =
        Redis::start(&format!("redis://{address}/"), "session:", REQUEST_TIMEOUT, Sealer::default()).expect("started");
    let deadline = Instant::now() + Duration::from_secs(5);
    while !redis.is_connected() {
        assert!(Instant::now() < deadline, "never connected");
        tokio::task::yield_now().await;
    }
    let began = Instant::now();
    for _ in 0..100 {
        assert!(redis.get(&key("a")).await.is_err());
    }
    assert!(began.elapsed() < Duration::from_secs(1), "{:?}", began.elapsed());
    assert!(!redis.is_connected());
}

#[tokio::test]
async fn a_url_that_is_none_is_refused_at_start() {
    assert!(matches!(
        Redis::start("http://127.0.0.1", "session:", REQUEST_TIMEOUT, Sealer::default()),
        Err(StoreError::Url(_))
    ));
}
