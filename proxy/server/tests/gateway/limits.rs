//! How much one caller may take.

use std::time::{Duration, Instant};

use outrigger_proxy::gateway::Limits;
use tokio::io::AsyncWriteExt;

use crate::agent::Agent;
use crate::caller::{CALL, Caller, message};
use crate::mesh::Scene;

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
async fn a_head_that_is_dripped_is_cut_off() {
    let agent = Agent::echoing().await;
    let limits = Limits { head_time: Duration::from_millis(100), ..Limits::default() };
    let proxy = Scene { limits, ..Scene::of_own(&[("weather-1", agent.address)]) }.start();
    let mut caller = Caller::connect(proxy.outbound).await;
    let began = Instant::now();
    while caller.stream.write_all(b"P").await.is_ok() {
        assert!(began.elapsed() < Duration::from_secs(10), "still open");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
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
