//! Replicas that are slow for some calls, and processes that say nothing any more while their ports are open.

use std::collections::BTreeMap;

use anyhow::{Context, Result, ensure};
use outrigger_tests::mcp::Session;
use outrigger_tests::mesh::{Mesh, Shape};
use outrigger_tests::peers::{Agent, Sdk};
use outrigger_tests::wait;
use tokio::task::JoinSet;

use super::{AGENT, Kind, Numbered, ROUTES, Scene, may_have_run};

/// A replica that is slow is not one that is gone: its answers count, and nothing is sent to another one meanwhile.
#[tokio::test]
async fn a_replica_that_is_slow_for_some_calls_loses_and_doubles_none() -> Result<()> {
    let scene = Scene::start(3).await?;
    let mut callers = JoinSet::new();
    for caller in 0..6_u64 {
        let url = scene.caller.url("spread");
        callers.spawn(async move {
            for turn in 0..20_u64 {
                let number = caller * 100 + turn;
                let call = Numbered::call(number, "late 150 weather-2");
                let call = if turn % 3 == 0 { call } else { Numbered::plain(Kind::Call, number) };
                let reply = call.send(&url).await?;
                ensure!(reply.status == 200, "{} {}", reply.status, reply.body);
            }
            Ok(())
        });
    }
    while let Some(done) = callers.join_next().await {
        done??;
    }
    let numbers = (0..6).flat_map(|caller| (0..20).map(move |turn| (caller * 100 + turn, 1)));
    assert_eq!(scene.executed().into_iter().collect::<Vec<_>>(), numbers.collect::<Vec<_>>());
    // Who is slow has more calls under way, and gets fewer new ones.
    for agent in &scene.agents {
        assert!(agent.executed().len() >= 5, "{} had {} of 120", agent.name, agent.executed().len());
    }
    Ok(())
}

/// Its connections are open and its kernel accepts more; nobody says that it is gone.
#[tokio::test]
async fn of_a_peer_that_falls_silent_only_what_was_sent_to_it_ends_with_an_error() -> Result<()> {
    let scene = Scene::start(3).await?;
    let url = scene.caller.url("brisk");
    for number in 0..9 {
        assert_eq!(Numbered::plain(Kind::Call, number).send(&url).await?.status, 200);
    }
    let silent = scene.proxies.first().context("a proxy")?;
    silent.process.freeze()?;
    let (mut answered, mut timed_out) = (vec![], vec![]);
    for number in 100..130 {
        let reply = Numbered::plain(Kind::Call, number).send(&url).await?;
        if reply.status == 200 {
            answered.push(number);
        } else {
            assert_eq!((reply.status.as_u16(), may_have_run(&reply)?.as_str()), (504, "upstream_timeout"));
            timed_out.push(number);
        }
    }
    // One call at a time keeps one connection; a new one is never greeted, and the call goes elsewhere.
    assert!(timed_out.len() <= 1, "{timed_out:?}");
    scene.ran_at_most_once(&answered)?;
    silent.process.thaw()?;
    wait::until("it takes calls again", async || {
        let before = scene.agents[0].executed().len();
        for number in 1_000..1_006 {
            let reply = Numbered::plain(Kind::List, number).send(&url).await?;
            ensure!(reply.status == 200, "{}", reply.status);
        }
        ensure!(scene.agents[0].executed().len() > before, "no call reaches it");
        Ok(())
    })
    .await?;
    // What waited in its sockets may have run now, and once.
    for number in timed_out {
        assert!(scene.executed().get(&number).is_none_or(|times| *times == 1), "{number}");
    }
    Ok(())
}

/// The process of an agent stands still, and its port is open.
#[tokio::test]
async fn the_sessions_of_an_agent_that_falls_silent_wait_out_their_limit_and_go_on_later() -> Result<()> {
    let mut mesh = Mesh::new().await?.declaring(ROUTES);
    mesh.start_control().await?;
    let (mut agents, mut proxies) = (vec![], vec![]);
    for replica in ["weather-1", "weather-2"] {
        let agent = Agent::start(Sdk::Rust, replica, mesh.folder()).await?;
        let shape = Shape { node: format!("{replica}-proxy"), ..Shape::beside(AGENT, replica, &agent.url()) };
        proxies.push(mesh.start_proxy(&shape).await?);
        agents.push(agent);
    }
    let caller = mesh.start_proxy(&Shape::calling("desk-1", "agent/desk")).await?;
    caller.sees(AGENT, 2).await?;
    let (url, tool) = (caller.url("brisk"), Sdk::Rust.tool());
    let mut sessions = BTreeMap::new();
    while sessions.len() < 2 {
        let session = Session::open(&url).await?;
        sessions.insert(Sdk::Rust.replica_in(&session.call(tool).await?)?, session);
    }
    agents[0].process.freeze()?;
    let reply = sessions["weather-1"].try_call(tool).await?;
    assert_eq!((reply.status.as_u16(), may_have_run(&reply)?.as_str()), (504, "upstream_timeout"));
    for _ in 0..5 {
        assert!(sessions["weather-2"].call(tool).await?.contains("weather-2"));
    }
    agents[0].process.thaw()?;
    wait::until("its session goes on", async || {
        let text = sessions["weather-1"].call(tool).await?;
        ensure!(text.contains("weather-1"), "{text}");
        Ok(())
    })
    .await
}
