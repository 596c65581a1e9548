//! How much one caller may take.

use std::time::{Duration, Instant};

use outrigger_proxy::gateway::{Limits, Pace};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

use crate::agent::Agent;
use crate::caller::{Answer, CALL, Caller, PATIENCE, message, post};
use crate::mesh::{Proxy, Scene};

/// A caller whose machine is gone says no goodbye, and its stream may be quiet for ever: only the kernel can find out.
#[tokio::test]
async fn the_kernel_asks_whether_a_silent_caller_is_still_there() {
    let agent = Agent::echoing().await;
    let proxy = Scene::of_own(&[("weather-1", agent.address)]).start();
    for listener in [proxy.outbound, proxy.inbound] {
        let caller = Caller::connect(listener).await;
        let own = caller.stream.local_addr().expect("an address");
        let ends = format!("0100007F:{:04X} 0100007F:{:04X}", listener.port(), own.port());
        let asked = async {
            loop {
                let table = std::fs::read_to_string("/proc/net/tcp").expect("a table of sockets");
                let fields = |line: &str| line.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
                let mut rows = table.lines().map(fields).filter(|row| row.len() > 5);
                // The timer that runs: 2 is the one that keeps alive.
                if rows.any(|row| row[1..3].join(" ") == ends && row[5].starts_with("02:")) {
                    break;
                }
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(PATIENCE, asked).await.unwrap_or_else(|_| panic!("no timer on {ends}"));
    }
}

#[tokio::test]
async fn a_body_over_the_limit_is_413_with_a_length_and_without() {
    let agent = Agent::echoing().await;
    let limits = Limits { body_bytes_max: 100_000, ..Limits::default() };
    let proxy = Scene { limits, ..Scene::of_own(&[("weather-1", agent.address)]) }.start();
    let body = message(150_000);
    let answer = Caller::connect(proxy.outbound).await.post("/weather/mcp", "", &body).await;
    assert_eq!((answer.status, answer.reason().as_str()), (413, "body_too_large"));
    assert_eq!(answer.json()["id"], "big");

    let mut caller = Caller::connect(proxy.outbound).await;
    caller.send("POST /weather/mcp HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n").await;
    caller.send(&format!("{:x}\r\n{body}\r\n0\r\n\r\n", body.len())).await;
    assert_eq!(caller.answer().await.status, 413);

    let answer = Caller::connect(proxy.outbound).await.post("/weather/mcp", "", &message(99_900)).await;
    assert_eq!(answer.status, 200);
}

#[tokio::test]
async fn a_head_over_the_limit_is_431() {
    let agent = Agent::echoing().await;
    let proxy = Scene::of_own(&[("weather-1", agent.address)]).start();
    let long = format!("X-Long: {}\r\n", "x".repeat(70_000));
    let answer = Caller::connect(proxy.outbound).await.post("/weather/mcp", &long, CALL).await;
    assert_eq!((answer.status, answer.reason().as_str()), (431, "head_too_large"));
    assert_eq!(agent.requests(), 0);
}

#[tokio::test]
async fn a_head_of_too_many_fields_is_431() {
    let agent = Agent::echoing().await;
    let proxy = Scene::of_own(&[("weather-1", agent.address)]).start();
    for (count, status) in [(50, 200), (100, 431), (2_000, 431)] {
        let answer = Caller::connect(proxy.outbound).await.post("/weather/mcp", &"X: 1\r\n".repeat(count), CALL).await;
        assert_eq!(answer.status, status, "{count}");
    }
    assert_eq!(agent.requests(), 1);
}

/// Sends the pieces with a pause between them until they are over or an answer comes.
async fn dripped(proxy: &Proxy, begin: &str, pieces: impl Iterator<Item = String>) -> Option<Answer> {
    let mut stream = TcpStream::connect(proxy.outbound).await.expect("connect");
    stream.write_all(begin.as_bytes()).await.expect("write");
    for piece in pieces {
        let pause = tokio::time::timeout(Duration::from_millis(5), stream.readable());
        if pause.await.is_ok() || stream.write_all(piece.as_bytes()).await.is_err() {
            break;
        }
    }
    Caller::over(stream).try_answer().await
}

#[tokio::test]
async fn a_head_that_is_dripped_is_cut_off() {
    let agent = Agent::echoing().await;
    let limits = Limits { head_time: Duration::from_millis(100), ..Limits::default() };
    let proxy = Scene { limits, ..Scene::of_own(&[("weather-1", agent.address)]) }.start();
    for piece in ["P", "X-Line: 1\r\n"] {
        let began = Instant::now();
        let begin = if piece == "P" { "P" } else { "POST /weather/mcp HTTP/1.1\r\nHost: localhost\r\n" };
        let answer = dripped(&proxy, begin, std::iter::repeat_n(piece.to_owned(), 1_000)).await.expect("an answer");
        assert_eq!((answer.status, answer.reason().as_str()), (408, "too_slow"), "{piece}");
        assert!(answer.has_header("connection: close") && began.elapsed() < Duration::from_secs(3), "{piece}");
    }
    assert_eq!(agent.requests(), 0);
}

#[tokio::test]
async fn a_connection_that_says_nothing_gets_no_answer() {
    let limits = Limits { head_time: Duration::from_millis(10), ..Limits::default() };
    let proxy = Scene { limits, ..Scene::empty() }.start();
    let mut caller = Caller::connect(proxy.outbound).await;
    // An answer would be taken for that to the next request; it may wait longer than a head may take.
    let silent = tokio::time::timeout(Duration::from_millis(100), caller.try_head()).await;
    assert!(silent.is_err(), "{silent:?}");
}

#[tokio::test]
async fn a_body_that_is_dripped_is_cut_off_and_one_that_keeps_pace_is_not() {
    let agent = Agent::echoing().await;
    let body_pace = Pace { grace: Duration::from_millis(200), bytes_per_second_min: 10_000 };
    let limits = Limits { body_pace, ..Limits::default() };
    let proxy = Scene { limits, ..Scene::of_own(&[("weather-1", agent.address)]) }.start();
    for headers in ["", "MCP-Protocol-Version: 2026-07-28\r\nMcp-Method: tools/call\r\n"] {
        for (size, status) in [(1, 408), (500, 200)] {
            let body = format!(
                r#"{{"jsonrpc":"2.0","id":"call-7","method":"a","params":{{"x":"{}"}}}}"#,
                "x".repeat(size * 150)
            );
            let request = post("/weather/mcp", headers, &body);
            // Enough of the body to tell its id.
            let (begin, rest) = request.split_at(request.len() - size * 150);
            let pieces = rest.as_bytes().chunks(size).map(|piece| String::from_utf8_lossy(piece).into_owned());
            let answer = dripped(&proxy, begin, pieces).await.expect("an answer");
            assert_eq!(answer.status, status, "{size}: {}", answer.text());
            if status == 408 {
                assert_eq!((answer.reason().as_str(), answer.json()["id"].as_str()), ("too_slow", Some("call-7")));
                assert!(answer.has_header("connection: close"), "{}", answer.head);
            } else {
                assert!(answer.text().ends_with(&body));
            }
        }
    }
    assert_eq!(proxy.refusals().get("too_slow"), Some(&2));
}

#[tokio::test]
async fn who_sends_ahead_without_end_is_answered_for_a_while_and_then_hung_up_on() {
    let agent = Agent::echoing().await;
    let proxy = Scene::of_own(&[("weather-1", agent.address)]).start();
    let mut caller = Caller::connect(proxy.outbound).await;
    caller.send(&post("/weather/mcp", "", CALL).repeat(50)).await;
    let mut answers = Vec::new();
    while let Some(answer) = caller.try_answer().await {
        answers.push(answer.has_header("connection: close"));
    }
    let mut expected = vec![false; 32];
    expected.push(true);
    assert_eq!(answers, expected);
    assert_eq!(agent.requests(), 33);
}

#[tokio::test]
async fn connections_over_the_limit_are_closed_and_the_others_served() {
    let agent = Agent::echoing().await;
    let limits = Limits { connections_max: 2, ..Limits::default() };
    let proxy = Scene { limits, ..Scene::of_own(&[("weather-1", agent.address)]) }.start();
    let mut first = Caller::connect(proxy.outbound).await;
    let mut second = Caller::connect(proxy.outbound).await;
    assert_eq!(first.post("/weather/mcp", "", CALL).await.status, 200);
    assert_eq!(second.post("/weather/mcp", "", CALL).await.status, 200);
    let mut third = Caller::connect(proxy.outbound).await;
    assert!(third.try_head().await.is_none());
    assert_eq!(first.post("/weather/mcp", "", CALL).await.status, 200);
}
