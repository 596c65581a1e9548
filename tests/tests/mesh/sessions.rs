//! Sessions stay where their state is: for every SDK, through four proxies, until the replica dies.

use std::collections::BTreeSet;

use anyhow::Result;
use outrigger_tests::fleet::{AGENT, Fleet, REPLICAS};
use outrigger_tests::mcp::{self, Session};
use outrigger_tests::peers::{Client, ClientSdk, Sdk};
use outrigger_tests::wait;

/// So many sessions that all of them on one of three replicas is no chance.
const SESSIONS: usize = 9;
const CALLS: usize = 4;

const CLIENTS: [ClientSdk; 2] = [ClientSdk::PythonLegacy, ClientSdk::TypeScriptLegacy];

/// Opens sessions one after the other, then calls in turns, as clients that live side by side do.
async fn sessions_stay_and_spread(sdk: Sdk) -> Result<()> {
    let mut fleet = Fleet::start(sdk).await?;
    let names: Vec<String> = (0..SESSIONS).map(|number| format!("session-{number}")).collect();
    for client_sdk in CLIENTS {
        let name = format!("{client_sdk:?}");
        let mut client = Client::start(client_sdk, &fleet.url(), &name, fleet.mesh.folder())?;
        for name in &names {
            client.open(name).await?;
        }
        let mut seen: Vec<BTreeSet<String>> = vec![BTreeSet::new(); SESSIONS];
        for turn in 1..=CALLS {
            for (name, replicas) in names.iter().zip(&mut seen) {
                let text = client.call(name, fleet.tool()).await?;
                replicas.insert(sdk.replica_in(&text)?);
                if sdk != Sdk::Everything {
                    assert!(text.ends_with(&format!("counts {turn}")), "{name} lost its count: {text}");
                }
            }
        }
        assert!(seen.iter().all(|replicas| replicas.len() == 1), "{client_sdk:?}: a session moved: {seen:?}");
        let used: BTreeSet<&String> = seen.iter().flatten().collect();
        assert!(used.len() > 1, "{client_sdk:?}: all sessions on {used:?}");
        client.close(&names[0]).await?;
        begins_again_elsewhere(&mut fleet, &mut client, &names[1..], &seen[1..]).await?;
    }
    Ok(())
}

/// Kills the replica of the first session: that one fails and is opened anew, those of other replicas go on.
async fn begins_again_elsewhere(
    fleet: &mut Fleet,
    client: &mut Client,
    names: &[String],
    homes: &[BTreeSet<String>],
) -> Result<()> {
    let gone = homes[0].first().unwrap().clone();
    fleet.agent(&gone)?.process.kill().await?;
    for (name, home) in names.iter().zip(homes) {
        let called = client.call(name, fleet.tool()).await;
        assert_eq!(called.is_err(), home.contains(&gone), "{name} on {home:?}, {gone} was killed: {called:?}");
    }
    client.open("again").await?;
    let text = client.call("again", fleet.tool()).await?;
    assert_ne!(fleet.sdk.replica_in(&text)?, gone);
    fleet.agent(&gone)?.start_again().await?;
    fleet.caller.sees(AGENT, REPLICAS.len()).await
}

#[tokio::test]
async fn both_sdks_keep_their_sessions_with_a_python_agent() -> Result<()> {
    sessions_stay_and_spread(Sdk::Python).await
}

#[tokio::test]
async fn both_sdks_keep_their_sessions_with_a_fastmcp_agent() -> Result<()> {
    sessions_stay_and_spread(Sdk::FastMcp).await
}

#[tokio::test]
async fn both_sdks_keep_their_sessions_with_server_everything() -> Result<()> {
    sessions_stay_and_spread(Sdk::Everything).await
}

#[tokio::test]
async fn both_sdks_keep_their_sessions_with_a_rust_agent() -> Result<()> {
    sessions_stay_and_spread(Sdk::Rust).await
}

/// "If it no longer knows the session the server MUST respond with HTTP 404", and "the client MUST start a new session"
/// (2025-11-25, basic/transports, Session Management).
#[tokio::test]
async fn a_session_whose_replica_is_killed_begins_again_elsewhere() -> Result<()> {
    let mut fleet = Fleet::start(Sdk::Rust).await?;
    let (first, gone) = session_and_replica(&fleet).await?;
    let (other, stays) = loop {
        let (other, replica) = session_and_replica(&fleet).await?;
        if replica != gone {
            break (other, replica);
        }
    };
    fleet.agent(&gone)?.process.kill().await?;

    let told = wait::until("the session is told that it is gone", async || {
        let reply = first.try_call("increment").await?;
        anyhow::ensure!(reply.status == 404, "{} {}", reply.status, reply.body);
        Ok(reply)
    })
    .await?;
    assert_eq!(mcp::reason_of(&told)?, "session_gone");
    assert_eq!(mcp::message_of(&told)?["id"], 7, "the caller's own id");

    let again = Session::open(&fleet.url()).await?;
    assert_ne!(fleet.sdk.replica_in(&again.call("increment").await?)?, gone);
    assert_eq!(other.call("increment").await?, format!("{stays} counts 2"), "other sessions notice nothing");
    Ok(())
}

async fn session_and_replica(fleet: &Fleet) -> Result<(Session, String)> {
    let session = Session::open(&fleet.url()).await?;
    let replica = fleet.sdk.replica_in(&session.call("increment").await?)?;
    Ok((session, replica))
}

#[tokio::test]
async fn a_replica_that_comes_back_without_its_memory_is_not_taken_for_the_old_one() -> Result<()> {
    let mut fleet = Fleet::start(Sdk::Rust).await?;
    let (session, replica) = session_and_replica(&fleet).await?;
    let agent = fleet.agent(&replica)?;
    agent.process.kill().await?;
    agent.start_again().await?;
    let told = wait::until("404", async || {
        let reply = session.try_call("increment").await?;
        anyhow::ensure!(reply.status == 404, "{} {}", reply.status, reply.body);
        Ok(reply)
    });
    told.await?;
    fleet.caller.sees("weather", 3).await?;
    // One that opens before the new generation is known everywhere is told once more that it is gone.
    wait::until("a session that goes on", async || Session::open(&fleet.url()).await?.call("increment").await).await?;
    Ok(())
}

/// "Clients that no longer need a particular session SHOULD send an HTTP DELETE" (2025-11-25, Session Management).
#[tokio::test]
async fn a_session_that_its_client_deletes_is_over() -> Result<()> {
    let fleet = Fleet::start(Sdk::Python).await?;
    let (session, _) = session_and_replica(&fleet).await?;
    assert!(session.delete().await?.status.is_success());
    assert_eq!(session.try_call("increment").await?.status, 404);
    Ok(())
}

#[tokio::test]
async fn a_listening_stream_goes_to_the_replica_of_its_session() -> Result<()> {
    let fleet = Fleet::start(Sdk::Python).await?;
    for _ in 0..4 {
        let (session, _) = session_and_replica(&fleet).await?;
        // Any other replica would answer 404.
        let stream = session.listen().await?;
        assert_eq!(stream.status, 200);
        assert_eq!(stream.headers["content-type"], "text/event-stream");
    }
    Ok(())
}
