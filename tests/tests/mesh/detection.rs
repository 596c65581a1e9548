//! How soon a death is noticed, for each way of dying: a port that closes, an agent that hangs, a host that falls silent.
//!
//! Each test prints what it measured; limits are those of docs/health.md with room for a machine that does other things.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use outrigger_tests::far::{self, Far};
use outrigger_tests::fleet::{AGENT, Fleet, REPLICAS};
use outrigger_tests::mcp::{Session, modern_call};
use outrigger_tests::mesh::{Mesh, Proxy, Shape};
use outrigger_tests::peers::{Agent, Sdk};
use outrigger_tests::process::Process;
use outrigger_tests::{binary, wait};
use tokio::process::Command;

/// What is promised of a kept connection to a host that says nothing any more.
const SILENCE: Duration = Duration::from_secs(10);
/// What is promised of a new connection.
const CONNECT: Duration = Duration::from_millis(1_500);
/// A route on which the calls of one caller are not held together.
const SPREAD: &str = "spread";
const INTENT: &str = "routes: [{name: spread, capability: weather, affinity: keys}]\n";
const ROOM: Duration = Duration::from_secs(3);

fn told(what: &str, begun: Instant) -> Duration {
    let took = begun.elapsed();
    eprintln!("{what}: {} ms", took.as_millis());
    took
}

#[tokio::test]
async fn an_agent_whose_port_closes_is_withdrawn_everywhere_in_well_under_a_second() -> Result<()> {
    let mut fleet = Fleet::start(Sdk::Rust).await?;
    let begun = Instant::now();
    fleet.agent(REPLICAS[0])?.process.kill().await?;
    fleet.caller.sees(AGENT, 2).await?;
    let took = told("agent killed, until another proxy has withdrawn it", begun);
    ensure!(took < Duration::from_secs(1), "{took:?}");
    Ok(())
}

/// The port of a process that is stopped stays open; only who asks it something finds out.
#[tokio::test]
async fn an_agent_that_hangs_is_withdrawn_everywhere_and_comes_back() -> Result<()> {
    let mut mesh = Mesh::new().await?;
    mesh.start_control().await?;
    let agent = Agent::start(Sdk::Rust, "weather-1", mesh.folder()).await?;
    let probe = "{interval_ms: 100, timeout_ms: 200, mcp: {}}";
    let line = format!("agents: [{{name: {AGENT}, replica: weather-1, url: \"{}\", probe: {probe}}}]", agent.url());
    let beside = Shape::calling("weather-1-proxy", &format!("agent/{AGENT}")).with(&line);
    let beside = mesh.start_proxy(&beside).await?;
    let caller = mesh.start_proxy(&Shape::calling("desk-1", "agent/desk")).await?;
    caller.sees(AGENT, 1).await?;
    let before = beside.metrics().await?;
    ensure!(before.contains("result=\"well\"") && !before.contains("result=\"late\""), "{before}");

    let begun = Instant::now();
    agent.process.freeze()?;
    caller.sees(AGENT, 0).await?;
    let took = told("agent stopped, until another proxy has withdrawn it", begun);
    ensure!(took < 2 * Duration::from_millis(300) + ROOM, "{took:?}");
    ensure!(beside.metrics().await?.contains("result=\"late\""));

    agent.process.thaw()?;
    caller.sees(AGENT, 1).await?;
    Session::open(&caller.url(AGENT)).await?.call("increment").await?;
    Ok(())
}

/// A replica on another host, and one on this.
struct Two {
    far_agent: Process,
    _far_proxy: Proxy,
    caller: Proxy,
    near: Option<(Agent, Proxy)>,
    mesh: Mesh,
    host: Far,
}

impl Two {
    async fn start(is_alone: bool) -> Result<Option<Self>> {
        let Some(host) = Far::start().await? else { return Ok(None) };
        let mut mesh = Mesh::new().await?.declaring(INTENT);
        mesh.host.clone_from(&host.near);
        mesh.start_control().await?;
        let (far_agent, url) = far_agent(&host, &mesh).await?;
        let shape = Shape {
            node: "far-proxy".to_owned(),
            host: host.far.clone(),
            namespace: Some(host.name.clone()),
            ..Shape::beside(AGENT, "far", &url)
        };
        let far_proxy = mesh.start_proxy(&shape).await?;
        let mut near = None;
        if !is_alone {
            let agent = Agent::start(Sdk::Rust, "near", mesh.folder()).await?;
            let (node, at) = ("near-proxy".to_owned(), host.near.clone());
            let shape = Shape { node, host: at, ..Shape::beside(AGENT, "near", &agent.url()) };
            let proxy = mesh.start_proxy(&shape).await?;
            near = Some((agent, proxy));
        }
        let caller = mesh.start_proxy(&Shape::calling("desk-1", "agent/desk")).await?;
        caller.sees(AGENT, if is_alone { 1 } else { 2 }).await?;
        Ok(Some(Self { far_agent, _far_proxy: far_proxy, caller, near, mesh, host }))
    }
}

async fn far_agent(host: &Far, mesh: &Mesh) -> Result<(Process, String)> {
    let mut command: Command = far::command(&binary::counter()?, Some(&host.name));
    command.args(["--name", "far", "--port", "0"]);
    let mut process = Process::start("far", mesh.folder(), command)?;
    let line = process.says("listens on ").await?;
    let url = line.split("listens on ").nth(1).context("no URL")?.trim().to_owned();
    Ok((process, url))
}

#[tokio::test]
async fn a_host_that_falls_silent_holds_up_a_new_connection_for_less_than_two_seconds() -> Result<()> {
    let Some(two) = Two::start(false).await? else { return Ok(()) };
    two.host.cut().await?;
    let cut = Instant::now();
    let mut longest = Duration::ZERO;
    for _ in 0..20 {
        let begun = Instant::now();
        let answer = modern_call(&two.caller.url(SPREAD), "whoami").await?;
        ensure!(answer.status == 200, "{} {}", answer.status, answer.body);
        ensure!(answer.body.contains("near"), "{}", answer.body);
        longest = longest.max(begun.elapsed());
    }
    eprintln!("silent host, longest of 20 calls on new connections: {} ms", longest.as_millis());
    ensure!(longest >= CONNECT, "none was sent there: {longest:?}");
    ensure!(longest < CONNECT + ROOM, "{longest:?}");
    wait::until("control has heard nothing of it for long enough", async || two.caller.sees(AGENT, 1).await).await?;
    told("silent host, until its replica is withdrawn", cut);
    ensure!(two.near.is_some() && two.mesh.control.is_some());
    Ok(())
}

/// One call waits on the silent host since before the cut, one is sent to it on the connection that is left from before.
#[tokio::test]
async fn calls_on_kept_connections_to_a_host_that_fell_silent_end_after_ten_seconds() -> Result<()> {
    let Some(two) = Two::start(true).await? else { return Ok(()) };
    let url = two.caller.url(AGENT);
    let [one, other] = [modern_call(&url, "whoami"), modern_call(&url, "whoami")];
    let (one, other) = tokio::try_join!(one, other)?;
    ensure!(one.status == 200 && other.status == 200, "two connections are kept now: {} {}", one.status, other.status);

    two.far_agent.freeze()?;
    let waits = tokio::spawn({
        let url = url.clone();
        async move { modern_call(&url, "whoami").await }
    });
    wait::until("the call is on its way", async || {
        let metrics = two.caller.metrics().await?;
        let in_flight =
            metrics.lines().find(|line| line.starts_with("outrigger_calls_in_flight{direction=\"outbound\"}"));
        ensure!(in_flight.is_some_and(|line| line.ends_with(" 1")), "{in_flight:?}");
        Ok(())
    })
    .await?;
    two.host.cut().await?;
    let begun = Instant::now();
    let sent = modern_call(&url, "whoami").await?;
    let took = told("silent host, a call that is sent on a kept connection", begun);
    let waited = waits.await??;
    let took_waiting = told("silent host, a call that waited since before", begun);
    for (answer, took) in [(sent, took), (waited, took_waiting)] {
        ensure!(answer.status.is_server_error(), "{} {}", answer.status, answer.body);
        ensure!(answer.body.contains("may_have_run"), "{}", answer.body);
        ensure!(took < SILENCE + ROOM, "{took:?}: {}", answer.body);
    }
    Ok(())
}
