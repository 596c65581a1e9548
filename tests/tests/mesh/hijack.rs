//! Sessions in wrong hands, and sessions that operators end: seen through real proxies with certificates of their own.

use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use outrigger_tests::fleet::{AGENT, Fleet};
use outrigger_tests::mcp::{self, Session};
use outrigger_tests::mesh::{Proxy, Shape};
use outrigger_tests::peers::Sdk;
use serde_json::Value;

const GUESSES: u32 = 200;
const SOON: Duration = Duration::from_secs(1);

async fn thief(fleet: &Fleet) -> Result<Proxy> {
    let thief = fleet.mesh.start_proxy(&Shape::calling("thief", "agent/thief")).await?;
    thief.sees(AGENT, 3).await?;
    Ok(thief)
}

/// The names of the sessions that a proxy holds, the newest first.
async fn names(fleet: &Fleet, proxy: &Proxy) -> Result<Vec<String>> {
    let text = fleet.mesh.must(&["get", "sessions", "--admin", &proxy.admin, "-o", "json"]).await?;
    let answer: Value = serde_json::from_str(&text)?;
    let items = answer.get("items").and_then(Value::as_array).context("no items")?;
    Ok(items.iter().filter_map(|item| Some(item.get("name")?.as_str()?.to_owned())).collect())
}

async fn is_gone(session: &Session) -> Result<()> {
    let reply = session.try_call("increment").await?;
    assert_eq!(reply.status, 404, "{}", reply.body);
    assert_eq!(mcp::reason_of(&reply)?, "session_gone");
    Ok(())
}

#[tokio::test]
async fn an_id_that_another_workload_stole_is_refused_without_any_shared_store() -> Result<()> {
    let fleet = Fleet::start(Sdk::Rust).await?;
    let thief = thief(&fleet).await?;
    for _ in 0..6 {
        let session = Session::open(&fleet.url()).await?;
        session.call("increment").await?;
        let stolen = session.through(&thief.url(AGENT));
        for _ in 0..3 {
            let reply = stolen.try_call("increment").await?;
            assert_eq!(reply.status, 403, "{}", reply.body);
            assert_eq!(mcp::reason_of(&reply)?, "session_of_another_caller");
        }
        // A replica that does not know the session may answer it; the one that does is not asked.
        stolen.delete().await?;
        assert!(session.call("increment").await?.ends_with("counts 2"), "none of it ran");
        let logs: String = fleet.proxies.iter().map(|proxy| proxy.process.log()).collect();
        let told =
            logs.lines().find(|line| line.contains("use of a session refused")).context("no line for auditors")?;
        assert!(told.contains("spiffe://local/agent/thief") && told.contains("another_caller"), "{told}");
        assert!(!logs.contains(&session.id) && !thief.process.log().contains(&session.id), "ids stay out of logs");
    }
    Ok(())
}

#[tokio::test]
async fn guessed_ids_reach_no_session() -> Result<()> {
    let fleet = Fleet::start(Sdk::Rust).await?;
    let thief = thief(&fleet).await?;
    let session = Session::open(&fleet.url()).await?;
    for number in 0..GUESSES {
        let id = format!("{:08x}-0000-4000-8000-000000000000", number.wrapping_mul(2_654_435_761));
        let guess = Session { id, ..session.through(&thief.url(AGENT)) };
        let reply = guess.try_call("increment").await?;
        assert!(reply.status.is_client_error(), "{} {}", reply.status, reply.body);
    }
    assert!(session.call("increment").await?.ends_with("counts 1"));
    Ok(())
}

#[tokio::test]
async fn a_revoked_session_is_over_at_every_proxy_within_a_second_and_its_stream_ends() -> Result<()> {
    let fleet = Fleet::start(Sdk::Python).await?;
    let second = Fleet::start_caller(&fleet.mesh, "desk-2", None).await?;
    let session = Session::open(&fleet.url()).await?;
    let mut stream = session.listen().await?;
    assert_eq!(stream.status, 200);
    let name = names(&fleet, &fleet.caller).await?.first().context("no session")?.clone();
    assert!(!session.id.contains(&name));
    let other = Session::open(&fleet.url()).await?;

    let begun = Instant::now();
    let said = fleet.mesh.must(&["sessions", "revoke", &name, "--reason", "laptop stolen"]).await?;
    let took = begun.elapsed();
    assert!(said.contains(&format!("revoked: session {name}; in force at 5 proxies")), "{said}");
    assert!(took < SOON, "{took:?}");
    is_gone(&session).await?;
    is_gone(&session.through(&second.url(AGENT))).await?;
    while stream.next().await?.is_some() {}
    assert!(begun.elapsed() < SOON + took, "{:?}", begun.elapsed());
    other.call("increment").await?;

    let events = fleet.mesh.get("events").await?;
    let told = events.iter().any(|event| event["kind"] == "sessions_revoked" && event["detail"] == "laptop stolen");
    assert!(told, "{events:?}");
    Ok(())
}

#[tokio::test]
async fn all_sessions_of_a_caller_end_also_where_a_proxy_never_saw_them_and_new_ones_begin() -> Result<()> {
    let fleet = Fleet::start(Sdk::Rust).await?;
    let session = Session::open(&fleet.url()).await?;
    fleet.mesh.must(&["sessions", "revoke", "--caller", "spiffe://local/agent/desk"]).await?;
    // Younger than the revocation, and the replica would still take the session.
    let young = Fleet::start_caller(&fleet.mesh, "desk-2", None).await?;
    for url in [fleet.url(), young.url(AGENT)] {
        is_gone(&session.through(&url)).await?;
    }
    outrigger_tests::wait::until("a new session lives", async || {
        Session::open(&fleet.url()).await?.call("increment").await?;
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_proxy_that_cannot_apply_a_revocation_is_named() -> Result<()> {
    let fleet = Fleet::start(Sdk::Rust).await?;
    fleet.caller.process.freeze()?;
    let done = fleet.mesh.outrigger(&["sessions", "revoke", "--agent", AGENT, "--within", "1"]).await?;
    fleet.caller.process.thaw()?;
    let said = String::from_utf8_lossy(&done.stderr).into_owned();
    assert_eq!(done.status.code(), Some(1), "{said}");
    assert!(said.contains("desk-1 (") && said.contains("next:  outrigger get proxies"), "{said}");
    Ok(())
}
