//! Redis is used and never needed: it carries sessions from one calling proxy to another, and its failures cost nothing.

use std::time::{Duration, Instant};

use anyhow::Result;
use outrigger_tests::fleet::{AGENT, Fleet};
use outrigger_tests::mcp::{self, Session};
use outrigger_tests::mesh::{Mesh, Shape};
use outrigger_tests::peers::Sdk;
use outrigger_tests::redis::Redis;

#[tokio::test]
async fn a_session_goes_on_through_another_proxy_of_the_same_caller() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let redis = Redis::start(folder.path()).await?;
    let fleet = Fleet::start_with(Sdk::Rust, Some(&redis.url())).await?;
    let second = Fleet::start_caller(&fleet.mesh, "desk-2", Some(&redis.url())).await?;
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
