//! Sealed session ids: two proxies of one workload share no store, and every session goes on through either.

use anyhow::{Context, Result, ensure};
use outrigger_tests::fleet::{AGENT, Fleet};
use outrigger_tests::mcp::{self, Session};
use outrigger_tests::mesh::{Proxy, Shape};
use outrigger_tests::peers::Sdk;
use outrigger_tests::wait;

const SESSIONS: usize = 12;
const SEALED: &str = "settings: {session_mode: sealed}\n";

/// Sessions opened through one proxy and the other in turns.
async fn sessions(fleet: &Fleet, second: &Proxy) -> Result<Vec<Session>> {
    let urls = [fleet.url(), second.url(AGENT)];
    let mut opened = vec![];
    for at in 0..SESSIONS {
        let session = Session::open(&urls[at % 2]).await?;
        ensure!(session.id.starts_with("o1."), "{}", session.id);
        opened.push(session);
    }
    Ok(opened)
}

/// Calls every session through both proxies; its replica must know it each time.
async fn all_go_on(fleet: &Fleet, second: &Proxy, sessions: &[Session]) -> Result<()> {
    for session in sessions {
        let mut replicas = vec![];
        for url in [fleet.url(), second.url(AGENT), fleet.url()] {
            let text = session.through(&url).call(fleet.tool()).await?;
            replicas.push(fleet.sdk.replica_in(&text)?);
        }
        ensure!(replicas.iter().all(|replica| *replica == replicas[0]), "a session moved: {replicas:?}");
    }
    Ok(())
}

/// Has a new key made, and waits until ids are sealed with it.
async fn rotate(fleet: &Fleet) -> Result<()> {
    let said = fleet.mesh.must(&["sessions", "rotate-key", "--control", fleet.mesh.control_http()]).await?;
    ensure!(said.contains("key 2"), "{said}");
    wait::until("ids are sealed with the new key", async || {
        let id = Session::open(&fleet.url()).await?.id;
        ensure!(id.starts_with("o1.2."), "{id}");
        Ok(())
    })
    .await
}

async fn any_proxy_serves_any_session(sdk: Sdk) -> Result<()> {
    let fleet = Fleet::start_declaring(sdk, SEALED, None).await?;
    let second = Fleet::start_caller(&fleet.mesh, "desk-2", None).await?;
    let old = sessions(&fleet, &second).await?;
    all_go_on(&fleet, &second, &old).await?;
    rotate(&fleet).await?;
    let new = sessions(&fleet, &second).await?;
    all_go_on(&fleet, &second, &old).await?;
    all_go_on(&fleet, &second, &new).await?;
    let stream = old[0].through(&second.url(AGENT)).listen().await?;
    ensure!(stream.status == 200, "GET through another proxy: {}", stream.status);
    drop(stream);
    let deleted = old[1].through(&fleet.url()).delete().await?;
    ensure!(deleted.status.is_success(), "DELETE through another proxy: {}", deleted.status);
    // Older SDKs answer 400 where the specification wants 404.
    let after = old[1].try_call(fleet.tool()).await?.status;
    ensure!(after.is_client_error(), "a session that was deleted is over: {after}");
    Ok(())
}

#[tokio::test]
async fn any_proxy_serves_any_session_of_a_python_agent() -> Result<()> {
    any_proxy_serves_any_session(Sdk::Python).await
}

#[tokio::test]
async fn any_proxy_serves_any_session_of_server_everything() -> Result<()> {
    any_proxy_serves_any_session(Sdk::Everything).await
}

#[tokio::test]
async fn an_id_of_another_workload_is_told_what_garbage_is_told() -> Result<()> {
    let fleet = Fleet::start_declaring(Sdk::Rust, SEALED, None).await?;
    let thief = fleet.mesh.start_proxy(&Shape::calling("thief", "agent/thief")).await?;
    thief.sees(AGENT, 3).await?;
    let session = Session::open(&fleet.url()).await?;
    let mut garbage = session.through(&thief.url(AGENT));
    garbage.id.push('A');
    let told = garbage.try_call("increment").await?;
    let reply = session.through(&thief.url(AGENT)).try_call("increment").await?;
    assert_eq!((reply.status.as_u16(), &reply.body), (404, &told.body));
    assert_eq!(mcp::reason_of(&reply)?, "session_gone");
    assert!(session.call("increment").await?.ends_with("counts 1"), "and it did not count");
    Ok(())
}

#[tokio::test]
async fn operators_that_watch_see_no_key() -> Result<()> {
    let fleet = Fleet::start_declaring(Sdk::Rust, SEALED, None).await?;
    fleet.mesh.issue("operator/ada", "ada").await?;
    let operator = fleet.mesh.file("ada/ada.pem").display().to_string();
    let watch = ["watch", "--kind", "Keyring", "--snapshots", "1", "--output", "json"];
    let at = ["--grpc", fleet.mesh.control_grpc(), "--identity", &operator];
    let seen = fleet.mesh.must(&[&watch[..], &at].concat()).await?;
    let keyring = seen.lines().find(|line| line.contains("Keyring")).context("a keyring")?;
    assert!(keyring.contains(r#""keys":[]"#), "{keyring}");
    Ok(())
}

#[tokio::test]
async fn a_proxy_that_starts_without_control_still_opens_ids() -> Result<()> {
    let mut fleet = Fleet::start_declaring(Sdk::Rust, SEALED, None).await?;
    let session = Session::open(&fleet.url()).await?;
    let shape = Shape::calling("desk-2", "agent/desk");
    let mut second = fleet.mesh.start_proxy(&shape).await?;
    second.sees(AGENT, 3).await?;
    wait::until("the last good file", async || {
        ensure!(fleet.mesh.file("desk-2/snapshot.bin").exists(), "it is not there");
        Ok(())
    })
    .await?;
    second.process.kill().await?;
    fleet.mesh.kill_control().await?;
    let second = fleet.mesh.start_proxy(&shape).await?;
    second.sees(AGENT, 3).await?;
    assert!(session.through(&second.url(AGENT)).call("increment").await?.ends_with("counts 1"));
    Ok(())
}
