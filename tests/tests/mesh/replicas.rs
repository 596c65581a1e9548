//! Three controls on one PostgreSQL: controls die, the database freezes and dies, and no call fails. And a store that is brought back from a
//! copy under a running mesh.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use outrigger_tests::controls::Controls;
use outrigger_tests::fleet::{AGENT, Fleet, REPLICAS, desk};
use outrigger_tests::load::{Load, Manner};
use outrigger_tests::mcp::Session;
use outrigger_tests::mesh::{Mesh, Proxy, Shape};
use outrigger_tests::peers::{Agent, Sdk};
use outrigger_tests::wait;

/// The agents behind their proxies, and a proxy that calls them; all of them know all controls.
struct Stand {
    controls: Controls,
    mesh: Mesh,
    agents: Vec<Agent>,
    proxies: Vec<Proxy>,
    caller: Proxy,
}

impl Stand {
    async fn start() -> Result<Self> {
        let mut mesh = Mesh::new().await?;
        let controls = Controls::start(&mut mesh, 3).await?;
        let caller = mesh.start_proxy(&desk(1)).await?;
        let mut stand = Self { controls, mesh, agents: vec![], proxies: vec![], caller };
        for replica in &REPLICAS[..2] {
            stand.join(replica).await?;
        }
        stand.caller.sees(AGENT, 2).await?;
        Ok(stand)
    }

    /// Another agent comes to the mesh.
    async fn join(&mut self, replica: &str) -> Result<()> {
        let agent = Agent::start(Sdk::Rust, replica, self.mesh.folder()).await?;
        let shape = Shape { node: format!("{replica}-proxy"), ..Shape::beside(AGENT, replica, &agent.url()) };
        self.proxies.push(self.mesh.start_proxy(&shape).await?);
        self.agents.push(agent);
        Ok(())
    }

    async fn load(&self) -> Result<Load> {
        let (url, tool) = (self.caller.url(AGENT), Sdk::Rust.tool());
        let mut manners = vec![];
        for _ in 0..2 {
            manners.push(Manner::InSession { tool, session: Session::open(&url).await? });
            manners.push(Manner::InSessionKept { tool, session: Session::open(&url).await? });
        }
        let load = Load::start(&url, manners);
        more(&load, 100).await?;
        Ok(load)
    }
}

/// Waits until so many more calls were answered.
async fn more(load: &Load, calls: u64) -> Result<()> {
    let before = load.answered();
    wait::until("calls are answered", async || {
        let answered = load.answered();
        ensure!(answered >= before + calls, "{answered} after {before}");
        Ok(())
    })
    .await
}

async fn none_failed(load: Load) -> Result<()> {
    let seen = load.stop().await?;
    eprintln!("{seen}");
    ensure!(seen.failed == 0, "{seen}");
    Ok(())
}

#[tokio::test]
async fn leaders_are_killed_under_load_and_no_call_fails() -> Result<()> {
    let mut stand = Stand::start().await?;
    let load = stand.load().await?;
    let took = stand.controls.kill_leader().await?;
    eprintln!("another control leads after {took:?}");
    ensure!(took < Duration::from_secs(5), "{took:?}");
    // Registration finds the new leader, and what it publishes reaches watchers of every replica.
    stand.join(REPLICAS[2]).await?;
    stand.caller.sees(AGENT, 3).await?;
    stand.controls.bring_back(&stand.mesh).await?;
    stand.controls.agree().await?;
    let took = stand.controls.kill_leader().await?;
    eprintln!("another control leads after {took:?}");
    ensure!(took < Duration::from_secs(5), "{took:?}");
    stand.agents[2].process.kill().await?;
    stand.caller.sees(AGENT, 2).await?;
    more(&load, 100).await?;
    none_failed(load).await
}

#[tokio::test]
async fn the_database_freezes_and_dies_under_load_and_no_call_fails() -> Result<()> {
    let mut stand = Stand::start().await?;
    let load = stand.load().await?;
    stand.controls.database.freeze().await?;
    // It registers: the leader keeps it in memory, and finds out that the store takes nothing.
    stand.join(REPLICAS[2]).await?;
    stand.controls.stores(false).await?;
    ensure!(stand.controls.rotate_key().await? == 503, "what must not be lost is refused");
    more(&load, 200).await?;
    stand.controls.database.thaw().await?;
    stand.controls.stores(true).await?;
    stand.caller.sees(AGENT, 3).await?;

    stand.controls.database.kill().await?;
    stand.agents[2].process.kill().await?;
    stand.controls.stores(false).await?;
    more(&load, 200).await?;
    stand.controls.database.start_again().await?;
    stand.controls.stores(true).await?;
    stand.caller.sees(AGENT, 2).await?;
    stand.controls.agree().await?;
    ensure!(stand.controls.rotate_key().await? == 201, "and is taken again");
    none_failed(load).await
}

#[tokio::test]
async fn one_control_is_killed_five_times_under_load_and_no_call_fails() -> Result<()> {
    let mut fleet = Fleet::start(Sdk::Rust).await?;
    let (url, tool) = (fleet.url(), fleet.tool());
    let sessions = [Session::open(&url).await?, Session::open(&url).await?];
    let load = Load::start(&url, sessions.map(|session| Manner::InSessionKept { tool, session }).into());
    for _ in 0..5 {
        more(&load, 20).await?;
        fleet.mesh.kill_control().await?;
        more(&load, 20).await?;
        fleet.mesh.start_control().await?;
    }
    none_failed(load).await?;
    fleet.mesh.is_synced(fleet.proxies_count()).await
}

#[tokio::test]
async fn an_older_copy_of_the_store_is_brought_back_and_all_end_with_what_control_publishes() -> Result<()> {
    let mut fleet = Fleet::start(Sdk::Rust).await?;
    let count = fleet.proxies_count();
    fleet.mesh.is_synced(count).await?;
    let epoch = newest_epoch(&fleet).await?;
    let (file, copy) = ("control/control.yaml", "copy.db");
    let told = fleet.mesh.must(&["control", "-f", file, "backup", copy]).await?;
    ensure!(told.contains(&epoch) && told.contains("3 replicas"), "{told}");
    // A future that the copy knows nothing of, and that every proxy runs.
    fleet.agent(REPLICAS[0])?.process.kill().await?;
    fleet.caller.sees(AGENT, 2).await?;
    fleet.mesh.is_synced(count).await?;

    fleet.mesh.kill_control().await?;
    let told = fleet.mesh.must(&["control", "-f", file, "restore", copy]).await?;
    ensure!(!told.contains(&epoch), "{told}");
    fleet.mesh.start_control().await?;
    fleet.mesh.is_synced(count).await?;
    fleet.caller.sees(AGENT, 2).await?;
    // What changed since the copy was taken is a snapshot of the new epoch.
    wait::until("a snapshot of another epoch", async || {
        let newest = newest_epoch(&fleet).await?;
        ensure!(newest != epoch, "{newest}");
        Ok(())
    })
    .await?;
    fleet.mesh.is_synced(count).await?;
    Session::open(&fleet.url()).await?.call(fleet.tool()).await?;
    Ok(())
}

async fn newest_epoch(fleet: &Fleet) -> Result<String> {
    let snapshots = fleet.mesh.get("snapshots").await?;
    let epoch = snapshots.first().and_then(|snapshot| snapshot["epoch"].as_str().map(str::to_owned));
    epoch.context("no snapshot")
}
