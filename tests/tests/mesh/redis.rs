//! Redis is used and never needed: it carries sessions from one calling proxy to another, and its failures cost nothing.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use outrigger_tests::fleet::{AGENT, Fleet};
use outrigger_tests::mcp::{self, Session};
use outrigger_tests::mesh::{Mesh, Proxy, Shape};
use outrigger_tests::peers::Sdk;
use outrigger_tests::redis::{Redis, Watched};
use outrigger_tests::{http, wait};

#[tokio::test]
async fn a_session_goes_on_through_another_proxy_of_the_same_caller() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let redis = Redis::start(folder.path()).await?;
    let fleet = Fleet::start_with(Sdk::Rust, Some(&redis.url())).await?;
    let second = Fleet::start_caller(&fleet.mesh, "desk-2", Some(&redis.url())).await?;
    is_connected(&[&fleet.caller, &second], true).await?;
    for _ in 0..6 {
        let session = Session::open(&fleet.url()).await?;
        let here = session.call("increment").await?;
        let there = session.through(&second.url(AGENT)).call("increment").await?;
        assert_eq!(there, here.replace("counts 1", "counts 2"));
    }
    let keys = redis.ask("KEYS *").await?;
    assert!(keys.contains("session:"), "{keys}");
    Ok(())
}

#[tokio::test]
async fn what_redis_holds_does_not_give_a_session_away() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let redis = Redis::start(folder.path()).await?;
    let fleet = Fleet::start_with(Sdk::Rust, Some(&redis.url())).await?;
    let session = Session::open(&fleet.url()).await?;
    let keys = redis.ask("KEYS *").await?;
    assert!(keys.contains("session:") && !keys.contains(&session.id), "{keys}");
    Ok(())
}

#[tokio::test]
async fn a_session_of_another_caller_is_refused() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let redis = Redis::start(folder.path()).await?;
    let fleet = Fleet::start_with(Sdk::Rust, Some(&redis.url())).await?;
    let thief = fleet.mesh.start_proxy(&Shape::calling("thief", "agent/thief").with_redis(&redis.url())).await?;
    thief.sees(AGENT, 3).await?;
    let session = Session::open(&fleet.url()).await?;
    let reply = session.through(&thief.url(AGENT)).try_call("increment").await?;
    assert_eq!(reply.status, 403, "{}", reply.body);
    assert_eq!(mcp::reason_of(&reply)?, "session_of_another_caller");
    assert!(session.call("increment").await?.ends_with("counts 1"), "and it did not count");
    Ok(())
}

#[tokio::test]
async fn known_sessions_lose_no_call_when_redis_is_killed() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let mut redis = Redis::start(folder.path()).await?;
    let fleet = Fleet::start_with(Sdk::Rust, Some(&redis.url())).await?;
    let mut sessions = vec![];
    for _ in 0..6 {
        sessions.push(Session::open(&fleet.url()).await?);
    }
    for turn in 1..=10 {
        if turn == 4 {
            redis.process.kill().await?;
        }
        if turn == 7 {
            redis.start_again().await?;
        }
        for session in &sessions {
            let text = session.call("increment").await?;
            assert!(text.ends_with(&format!("counts {turn}")), "{text}");
        }
    }
    // Sessions opened meanwhile are kept too, by the proxy that saw them.
    redis.process.kill().await?;
    let young = Session::open(&fleet.url()).await?;
    young.call("increment").await?;
    assert!(young.call("increment").await?.ends_with("counts 2"));
    Ok(())
}

#[tokio::test]
async fn a_redis_that_hangs_delays_nothing_for_long() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let redis = Redis::start(folder.path()).await?;
    let fleet = Fleet::start_with(Sdk::Rust, Some(&redis.url())).await?;
    let session = Session::open(&fleet.url()).await?;
    redis.process.freeze()?;
    let begun = Instant::now();
    for turn in 1..=5 {
        assert!(session.call("increment").await?.ends_with(&format!("counts {turn}")));
    }
    let young = Session::open(&fleet.url()).await?;
    young.call("increment").await?;
    assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());
    redis.process.thaw()
}

/// Refused: nobody listens there. Hanging: somebody does, and never says a word.
#[tokio::test]
async fn a_redis_that_is_not_there_at_the_start_is_done_without() -> Result<()> {
    let silent = std::net::TcpListener::bind("127.0.0.1:0")?;
    let nobody = std::net::TcpListener::bind("127.0.0.1:0")?.local_addr()?;
    for url in [format!("redis://{nobody}/"), format!("redis://{}/", silent.local_addr()?)] {
        let fleet = Fleet::start_with(Sdk::Rust, Some(&url)).await?;
        let session = Session::open(&fleet.url()).await?;
        for turn in 1..=3 {
            assert!(session.call("increment").await?.ends_with(&format!("counts {turn}")));
        }
    }
    Ok(())
}

#[tokio::test]
async fn a_redis_url_that_cannot_be_one_is_said_before_anything_listens() -> Result<()> {
    let mesh = Mesh::new().await?;
    let shape = Shape::calling("desk-1", "agent/desk").with_redis("http://127.0.0.1:1/");
    let Err(error) = mesh.start_proxy(&shape).await else { panic!("it started") };
    let said = format!("{error:#}");
    assert!(said.contains("redis_url"), "{said}");
    Ok(())
}

/// The same for as long as it lasts: killed, frozen and restarted empty under calls of sessions that both proxies know.
#[tokio::test]
async fn no_call_of_a_known_session_fails_whatever_redis_does_meanwhile() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let mut redis = Redis::start(folder.path()).await?;
    let fleet = Fleet::start_with(Sdk::Rust, Some(&redis.url())).await?;
    let second = Fleet::start_caller(&fleet.mesh, "desk-2", Some(&redis.url())).await?;
    is_connected(&[&fleet.caller, &second], true).await?;
    let (stop, stopped) = tokio::sync::watch::channel(false);
    let mut callers = tokio::task::JoinSet::new();
    for _ in 0..10 {
        let here = Session::open(&fleet.url()).await?;
        let there = here.through(&second.url(AGENT));
        there.call("increment").await?;
        let stopped = stopped.clone();
        callers.spawn(async move {
            let mut calls = 1;
            while !*stopped.borrow() {
                for session in [&here, &there] {
                    calls += 1;
                    let text = session.call("increment").await?;
                    ensure!(text.ends_with(&format!("counts {calls}")), "{text}, not {calls}");
                }
            }
            Ok(calls)
        });
    }
    let proxies = [&fleet.caller, &second];
    redis.process.freeze()?;
    is_connected(&proxies, false).await?;
    let ready = http::get(&format!("http://{}/healthz/ready", second.health)).await?;
    assert!(ready.status == 200 && ready.body.contains("redis: degraded"), "{} {}", ready.status, ready.body);
    redis.process.thaw()?;
    is_connected(&proxies, true).await?;
    for _ in 0..2 {
        redis.process.kill().await?;
        is_connected(&proxies, false).await?;
        redis.start_again().await?;
        is_connected(&proxies, true).await?;
        has_keys(&redis, 10).await?;
    }
    stop.send(true)?;
    while let Some(calls) = callers.join_next().await {
        assert!(calls?? > 20, "too few calls to tell");
    }
    Ok(())
}

#[tokio::test]
async fn what_a_failover_of_redis_loses_is_written_back_and_every_session_goes_on() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let mut redis = Watched::start(folder.path()).await?;
    let fleet = Fleet::start(Sdk::Rust).await?;
    let mut desks = vec![];
    for name in ["desk-2", "desk-3"] {
        let desk = fleet.mesh.start_proxy(&Shape::calling(name, "agent/desk").with(&redis.lines())).await?;
        desk.sees(AGENT, 3).await?;
        desks.push(desk);
    }
    let [here, there] = desks.as_slice() else { panic!("two desks") };
    is_connected(&[here, there], true).await?;
    redis.cut_off().await?;
    let mut sessions = vec![];
    for _ in 0..50 {
        sessions.push(Session::open(&here.url(AGENT)).await?);
    }
    assert_eq!(redis.primary.keys().await?, 50, "all were acknowledged");
    redis.primary.process.kill().await?;
    is_connected(&[here, there], false).await?;
    redis.replica.process.thaw()?;
    assert_eq!(redis.replica.keys().await?, 0, "and all are lost");
    for session in &sessions {
        assert!(session.call("increment").await?.ends_with("counts 1"), "none notices");
    }
    redis.fails_over().await?;
    is_connected(&[here, there], true).await?;
    has_keys(&redis.replica, 50).await?;
    for session in &sessions {
        assert!(session.through(&there.url(AGENT)).call("increment").await?.ends_with("counts 2"));
        assert!(session.call("increment").await?.ends_with("counts 3"));
    }
    Ok(())
}

/// Waits until all proxies say so of Redis.
async fn is_connected(proxies: &[&Proxy], connected: bool) -> Result<()> {
    let line = format!("outrigger_redis_connected {}", u8::from(connected));
    wait::until(&line, async || {
        for proxy in proxies {
            let metrics = proxy.metrics().await?;
            ensure!(metrics.lines().any(|seen| seen == line), "{} does not", proxy.node);
        }
        Ok(())
    })
    .await
    .context("state of redis")
}

async fn has_keys(redis: &Redis, count: usize) -> Result<()> {
    wait::until(&format!("redis has {count} sessions"), async || {
        let seen = redis.keys().await?;
        ensure!(seen == count, "{seen}");
        Ok(())
    })
    .await
}
