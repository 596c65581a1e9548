//! Control may go and come: calls go on, proxies start from what they remember, and all agree again afterwards.

use anyhow::Result;
use outrigger_tests::fleet::{AGENT, Fleet, REPLICAS};
use outrigger_tests::mcp::Session;
use outrigger_tests::mesh::Shape;
use outrigger_tests::peers::Sdk;
use outrigger_tests::wait;

#[tokio::test]
async fn calls_go_on_without_control_and_all_agree_when_it_returns() -> Result<()> {
    let mut fleet = Fleet::start(Sdk::Rust).await?;
    let count = fleet.proxies_count();
    fleet.mesh.is_synced(count).await?;
    let before = Session::open(&fleet.url()).await?;
    let first = before.call("increment").await?;

    fleet.mesh.kill_control().await?;
    let second = before.call("increment").await?;
    assert_eq!(second, first.replace("counts 1", "counts 2"));
    for _ in 0..20 {
        Session::open(&fleet.url()).await?.call("increment").await?;
    }

    fleet.mesh.start_control().await?;
    fleet.mesh.is_synced(count).await?;
    assert_eq!(before.call("increment").await?, first.replace("counts 1", "counts 3"));
    Ok(())
}

#[tokio::test]
async fn a_change_made_after_control_returned_reaches_every_proxy() -> Result<()> {
    let mut fleet = Fleet::start(Sdk::Rust).await?;
    fleet.mesh.kill_control().await?;
    fleet.mesh.start_control().await?;
    fleet.mesh.is_synced(fleet.proxies_count()).await?;
    fleet.agent(REPLICAS[0])?.process.kill().await?;
    fleet.caller.sees(AGENT, 2).await?;
    fleet.agent(REPLICAS[0])?.start_again().await?;
    fleet.caller.sees(AGENT, 3).await
}

#[tokio::test]
async fn a_proxy_starts_from_its_last_good_snapshot_while_control_is_away() -> Result<()> {
    let mut fleet = Fleet::start(Sdk::Rust).await?;
    let remembered = fleet.mesh.file("desk-1/snapshot.bin");
    wait::until("the last-good file", async || Ok(std::fs::metadata(&remembered)?)).await?;
    fleet.caller.process.stop().await?;
    fleet.mesh.kill_control().await?;

    let caller = fleet.mesh.start_proxy(&Shape::calling("desk-1", "agent/desk")).await?;
    caller.sees(AGENT, 3).await?;
    Session::open(&caller.url(AGENT)).await?.call("increment").await?;
    Ok(())
}

#[tokio::test]
async fn a_corrupt_last_good_file_is_said_and_does_not_stop_a_proxy() -> Result<()> {
    let mut fleet = Fleet::start(Sdk::Rust).await?;
    let remembered = fleet.mesh.file("desk-1/snapshot.bin");
    wait::until("the last-good file", async || Ok(std::fs::metadata(&remembered)?)).await?;
    fleet.caller.process.stop().await?;
    for file in ["desk-1/snapshot.bin", "desk-1/snapshot.prev.bin"] {
        std::fs::write(fleet.mesh.file(file), b"not what was written")?;
    }

    let mut caller = fleet.mesh.start_proxy(&Shape::calling("desk-1", "agent/desk")).await?;
    caller.process.says("snapshot.bin").await?;
    caller.sees(AGENT, 3).await?;
    Session::open(&caller.url(AGENT)).await?.call("increment").await?;
    Ok(())
}

#[tokio::test]
async fn a_replica_whose_port_closes_is_withdrawn_and_no_new_session_fails() -> Result<()> {
    let mut fleet = Fleet::start(Sdk::Rust).await?;
    fleet.agent(REPLICAS[1])?.process.kill().await?;
    // From the very first moment: what has not been withdrawn yet is tried and left.
    for _ in 0..20 {
        let text = Session::open(&fleet.url()).await?.call("increment").await?;
        assert!(!text.starts_with(REPLICAS[1]));
    }
    fleet.caller.sees(AGENT, 2).await
}

/// The replica may be back in a moment, so its sessions are kept that long; then they are over.
#[tokio::test]
async fn a_proxy_that_is_killed_takes_its_replica_with_it() -> Result<()> {
    let mut fleet = Fleet::start(Sdk::Rust).await?;
    let session = loop {
        let session = Session::open(&fleet.url()).await?;
        if session.call("increment").await?.starts_with(REPLICAS[2]) {
            break session;
        }
    };
    fleet.proxy(REPLICAS[2])?.process.kill().await?;
    let told = session.try_call("increment").await?;
    assert_eq!(told.status, 503, "{}", told.body);
    assert!(told.header("retry-after").is_some());
    for _ in 0..20 {
        let text = Session::open(&fleet.url()).await?.call("increment").await?;
        assert!(!text.starts_with(REPLICAS[2]));
    }
    wait::until("the session is over", async || {
        let told = session.try_call("increment").await?;
        anyhow::ensure!(told.status == 404, "{} {}", told.status, told.body);
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_proxy_that_is_told_to_stop_leaves_and_ends_with_success() -> Result<()> {
    let mut fleet = Fleet::start(Sdk::Rust).await?;
    let status = fleet.proxy(REPLICAS[2])?.process.stop().await?;
    assert!(status.success(), "{status}");
    fleet.caller.sees(AGENT, 2).await
}
