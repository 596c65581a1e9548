//! Limits over real proxies: quotas that two of them share through Redis, what becomes of those without it, callers side by side, and a
//! proxy that has too much to do.

use anyhow::{Result, ensure};
use outrigger_tests::fleet::{AGENT, Fleet, desk};
use outrigger_tests::http::{self, Reply};
use outrigger_tests::mcp;
use outrigger_tests::mesh::{Mesh, Proxy, Shape};
use outrigger_tests::peers::Sdk;
use outrigger_tests::redis::Redis;
use outrigger_tests::wait;

const REVISION: &str = "2025-11-25";
/// Two quotas, in windows that no test sees the end of.
const QUOTAS: &str = "routes:
  - {name: rationed, capability: weather, rates: [{calls: 20, window_seconds: 31622400}]}
  - {name: spare, capability: weather, rates: [{calls: 20, window_seconds: 31622400}]}
";

/// How many of so many calls a proxy lets through; the others are told to come back.
async fn let_through(proxy: &Proxy, route: &str, times: usize) -> Result<usize> {
    let mut through = 0;
    for _ in 0..times {
        let reply = mcp::initialize(&proxy.url(route), REVISION).await?;
        if reply.status == 200 {
            through += 1;
            continue;
        }
        is_limited(&reply)?;
    }
    Ok(through)
}

fn is_limited(reply: &Reply) -> Result<()> {
    ensure!(reply.status == 429, "{}: {}", reply.status, reply.body);
    assert_eq!(mcp::reason_of(reply)?, "rate_limited");
    let wait: u64 = reply.header("retry-after").unwrap_or_default().parse()?;
    ensure!(wait >= 1, "{wait}");
    Ok(())
}

async fn is_connected(proxies: &[&Proxy], connected: bool) -> Result<()> {
    let line = format!("outrigger_redis_connected {}", u8::from(connected));
    for proxy in proxies {
        wait::until(&line, async || {
            ensure!(proxy.metrics().await?.lines().any(|found| found == line), "not yet");
            Ok(())
        })
        .await?;
    }
    Ok(())
}

#[tokio::test]
async fn two_proxies_give_one_quota_together_and_each_its_own_when_redis_is_killed() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let redis = Redis::start(folder.path()).await?;
    let fleet = Fleet::start_declaring(Sdk::Rust, QUOTAS, Some(&redis.url())).await?;
    let second = Fleet::start_caller(&fleet.mesh, "desk-2", Some(&redis.url())).await?;
    is_connected(&[&fleet.caller, &second], true).await?;
    let (first, other) = tokio::join!(let_through(&fleet.caller, "rationed", 15), let_through(&second, "rationed", 15));
    let (first, other) = (first?, other?);
    assert_eq!(first + other, 20, "{first} and {other}");
    for proxy in [&fleet.caller, &second] {
        assert_eq!(let_through(proxy, "spare", 8).await?, 8);
    }

    let mut redis = redis;
    redis.process.kill().await?;
    is_connected(&[&fleet.caller, &second], false).await?;
    // What each had from Redis counts, and no proxy gives more than the whole quota.
    for proxy in [&fleet.caller, &second] {
        assert_eq!(let_through(proxy, "spare", 25).await?, 12);
        assert_eq!(let_through(proxy, "rationed", 5).await?, 0, "what redis said is used up stays so");
    }
    let metrics = second.metrics().await?;
    ensure!(metrics.contains("outrigger_quotas_counted_alone_total"), "{metrics}");
    let told = second.process.log().matches("redis is away").count();
    assert_eq!(told, 1, "it is said once");
    Ok(())
}

#[tokio::test]
async fn a_greedy_workload_leaves_a_modest_one_what_is_its_own() -> Result<()> {
    let lines =
        "pools: [{agent: weather, balance: round_robin, rates: [{per: caller, calls: 4, window_seconds: 31622400}]}]\n";
    let fleet = Fleet::start_declaring(Sdk::Rust, lines, None).await?;
    let greedy = fleet.mesh.start_proxy(&Shape::calling("greedy", "agent/greedy")).await?;
    greedy.sees(AGENT, 3).await?;
    // Three replicas, each of which counts by itself.
    let through = let_through(&greedy, AGENT, 60).await?;
    ensure!((4..=12).contains(&through), "{through}");
    assert_eq!(let_through(&fleet.caller, AGENT, 4).await?, 4);
    Ok(())
}

#[tokio::test]
async fn a_proxy_with_too_much_to_do_refuses_calls_and_answers_its_operator() -> Result<()> {
    let lines = "routes: [{name: urgent, capability: weather, priority: high}]\n";
    // No process is that small.
    let caller = desk(1).with("overload: {memory_bytes_max: 16777216, check_ms: 10}");
    let fleet = Fleet::start_in(Mesh::new().await?.declaring(lines), Sdk::Rust, &caller).await?;
    let overloaded = wait::until("memory presses", async || {
        let reply = mcp::initialize(&fleet.url(), REVISION).await?;
        ensure!(reply.status == 503, "{}", reply.status);
        Ok(reply)
    })
    .await?;
    assert_eq!(mcp::reason_of(&overloaded)?, "overloaded");
    assert_eq!(overloaded.header("retry-after"), Some("1"));
    for (address, path) in [(&fleet.caller.admin, "clusters"), (&fleet.caller.health, "healthz/ready")] {
        let reply = http::get(&format!("http://{address}/{path}")).await?;
        assert_eq!(reply.status, 200, "{path}: {}", reply.body);
    }
    ensure!(fleet.caller.metrics().await?.contains("outrigger_pressure_percent{resource=\"memory\"}"));
    Ok(())
}
