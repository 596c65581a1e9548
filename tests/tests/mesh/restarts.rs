//! Changes, restarts and hand-overs under clients that never pause.

use std::time::Instant;

use anyhow::{Context, Result, ensure};
use outrigger_tests::fleet::{AGENT, Fleet, REPLICAS, desk};
use outrigger_tests::load::{Load, Manner};
use outrigger_tests::mcp::Session;
use outrigger_tests::mesh::{Mesh, Proxy, Shape};
use outrigger_tests::peers::Sdk;
use outrigger_tests::thorough::times;
use outrigger_tests::wait;
use outrigger_tests::witness::Witness;

/// Two replicas that answer anything, and a proxy that calls them.
struct Scene {
    caller: Proxy,
    beside: Vec<(Shape, Proxy)>,
    _witnesses: Vec<Witness>,
    mesh: Mesh,
}

impl Scene {
    async fn start(replicas: usize) -> Result<Self> {
        let mut mesh = Mesh::new().await?;
        mesh.start_control().await?;
        let (mut witnesses, mut beside) = (vec![], vec![]);
        for number in 1..=replicas {
            let replica = format!("{AGENT}-{number}");
            let witness = Witness::start(&replica).await?;
            let shape = Shape { node: format!("{replica}-proxy"), ..Shape::beside(AGENT, &replica, &witness.url()) }
                .with("drain: {grace_seconds: 5, agent_seconds: 0}");
            let proxy = mesh.start_proxy(&shape).await?;
            beside.push((shape, proxy));
            witnesses.push(witness);
        }
        let caller = mesh.start_proxy(&desk(1)).await?;
        caller.sees(AGENT, replicas).await?;
        Ok(Self { caller, beside, _witnesses: witnesses, mesh })
    }
}

#[tokio::test]
async fn a_proxy_that_restarts_fails_no_call_of_others_and_ends_streams_as_streams_end() -> Result<()> {
    let mut scene = Scene::start(2).await?;
    let url = scene.caller.url(AGENT);
    let load = Load::start(&url, vec![Manner::New, Manner::Kept, Manner::Listening, Manner::Listening]);
    let begun = Instant::now();
    let restarts = times(10, 50);
    for round in 0..restarts {
        let at = round % scene.beside.len();
        let (shape, proxy) = scene.beside.get_mut(at).context("a proxy")?;
        let shape = shape.clone().listening_like(proxy);
        let status = proxy.process.stop().await?;
        ensure!(status.success(), "round {round}: {status}");
        *proxy = scene.mesh.start_proxy(&shape).await?;
        let name = proxy.node.clone();
        scene.mesh.is_synced(3).await.with_context(|| format!("{name} after round {round}"))?;
        scene.caller.can_call(AGENT, 2).await?;
    }
    let seen = load.stop().await?;
    println!("{restarts} restarts in {:?}: {seen}", begun.elapsed());
    assert_eq!(seen.failed, 0, "{seen}");
    assert!(seen.streams_ended >= restarts as u64 / 4, "{seen}");
    Ok(())
}

#[tokio::test]
async fn a_proxy_that_is_taken_over_from_fails_no_call_and_loses_no_session() -> Result<()> {
    let mut mesh = Mesh::new().await?;
    mesh.every_proxy = "drain: {grace_seconds: 3, agent_seconds: 0}\nhandover: {socket: proxy.sock}\n".to_owned();
    let mut fleet = Fleet::start_in(mesh, Sdk::Rust, &desk(1)).await?;
    let url = fleet.url();
    let mut manners = vec![Manner::Listening];
    for _ in 0..2 {
        let (session, other) = (Session::open(&url).await?, Session::open(&url).await?);
        manners.push(Manner::InSession { tool: fleet.tool(), session });
        manners.push(Manner::InSessionKept { tool: fleet.tool(), session: other });
    }
    // Nobody calls in it meanwhile.
    let quiet = Session::open(&url).await?;
    let before = quiet.call(fleet.tool()).await?;
    let load = Load::start(&url, manners);
    let begun = Instant::now();
    let mut old = vec![];
    let handovers = times(12, 50);
    for round in 0..handovers {
        let proxy = match round % 2 {
            0 => &mut fleet.caller,
            _ => fleet.proxies.get_mut(round % REPLICAS.len()).context("a proxy")?,
        };
        old.push(fleet.mesh.upgrade(proxy).await.with_context(|| format!("hand-over {round}"))?);
    }
    let took = begun.elapsed();
    let seen = load.stop().await?;
    println!("{handovers} hand-overs in {took:?}: {seen}");
    for mut process in old {
        let status = process.ended().await?;
        ensure!(status.success(), "{status}");
    }
    assert_eq!(seen.failed, 0, "{seen}");
    assert!(seen.streams_ended > 0, "{seen}");
    let after = quiet.call(fleet.tool()).await?;
    assert_eq!(before.split(' ').next(), after.split(' ').next(), "the same replica");
    assert!(after.ends_with(" 2"), "{after}: the second call of its session");
    Ok(())
}

#[tokio::test]
async fn a_process_that_cannot_take_over_leaves_the_other_one_as_it_was() -> Result<()> {
    let mut mesh = Mesh::new().await?;
    mesh.every_proxy = "handover: {socket: proxy.sock}\n".to_owned();
    let mut fleet = Fleet::start_in(mesh, Sdk::Rust, &desk(1)).await?;
    let session = Session::open(&fleet.url()).await?;
    let file = fleet.mesh.file("desk-1/proxy.yaml");
    let text = std::fs::read_to_string(&file)?;
    std::fs::write(&file, text.replace("node: desk-1", "node: desk-9"))?;
    let done = fleet.mesh.outrigger(&["proxy", "-f", &file.display().to_string(), "--upgrade"]).await?;
    let said = String::from_utf8_lossy(&done.stderr).into_owned();
    assert_eq!(done.status.code(), Some(1), "{said}");
    assert!(said.contains("the proxy that runs is node `desk-1`, this one is `desk-9`"), "{said}");
    let done = fleet.mesh.outrigger(&["proxy", "-f", &file.display().to_string()]).await?;
    let said = String::from_utf8_lossy(&done.stderr).into_owned();
    assert!(said.contains("start with --upgrade to take over from it"), "{said}");
    session.call(fleet.tool()).await?;
    assert!(fleet.caller.process.is_running());
    Ok(())
}

#[tokio::test]
async fn changes_of_control_s_file_fail_no_call() -> Result<()> {
    let changes = times(150, 1_000);
    let mut scene = Scene::start(2).await?;
    let load = Load::start(&scene.caller.url(AGENT), vec![Manner::Kept; 8]);
    let begun = Instant::now();
    let mut serial = 0;
    for change in 0..changes {
        let routes = format!(
            "routes:\n  - {{name: named-{}, capability: {AGENT}, timeouts: {{call: {{total_ms: {}}}}}}}\n",
            change % 7,
            60_000 + change
        );
        serial = scene.mesh.declare(&routes).await.with_context(|| format!("change {change}"))?;
    }
    let took = begun.elapsed();
    wait::within(wait::DEADLINE * 4, "enough calls", async || {
        ensure!(load.answered() >= 20 * changes as u64, "{}", load.answered());
        Ok(())
    })
    .await?;
    let seen = load.stop().await?;
    println!("{changes} changes in {took:?}, to serial {serial}: {seen}");
    assert_eq!(seen.failed, 0, "{seen}");
    scene.mesh.is_synced(3).await?;
    let last = format!("named-{}", (changes - 1) % 7);
    let routes = scene.mesh.get("routes").await?;
    assert!(routes.iter().any(|route| route.get("name").is_some_and(|name| name == last.as_str())), "{routes:?}");
    Ok(())
}
