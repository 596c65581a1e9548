//! Replicas of a stateful Python agent go under load: killed, and restarted one after the other.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use anyhow::{Result, ensure};
use outrigger_tests::fleet::{Fleet, REPLICAS};
use outrigger_tests::http::Reply;
use outrigger_tests::mcp::{self, Session};
use outrigger_tests::peers::Sdk;
use outrigger_tests::wait;
use tokio::task::JoinSet;

const SESSIONS: usize = 20;
/// So many calls between two events of a test.
const CALLS: usize = 200;

/// Names for the agent, one for each policy.
const ROUTES: &str = "routes:
  - {name: plain, capability: weather}
  - {name: steady, capability: weather, on_replica_loss: reestablish}
";

/// Sessions that call one after the other until they are told to end.
struct Load {
    over: Arc<AtomicBool>,
    calls: Arc<AtomicUsize>,
    sessions: JoinSet<Result<Seen>>,
}

/// What one session met.
#[derive(Debug, Default)]
struct Seen {
    calls: usize,
    moved: usize,
    /// The replica was lost while it had the call, which may have run.
    may_have_run: usize,
    /// The session was told that it is gone, and began again.
    gone: usize,
}

/// Where a session is, and how far it has counted there.
#[derive(Debug, Default, PartialEq, Eq)]
struct Count {
    replica: String,
    count: usize,
}

impl Load {
    async fn start(url: &str) -> Result<Self> {
        let (over, calls) = (Arc::<AtomicBool>::default(), Arc::<AtomicUsize>::default());
        let mut sessions = JoinSet::new();
        for _ in 0..SESSIONS {
            let session = Session::open(url).await?;
            sessions.spawn(go_on(session, Arc::clone(&over), Arc::clone(&calls)));
        }
        let load = Self { over, calls, sessions };
        load.goes_on().await?;
        Ok(load)
    }

    /// Waits for so many further calls.
    async fn goes_on(&self) -> Result<()> {
        let until = self.calls.load(Ordering::Relaxed) + CALLS;
        wait::until("calls go on", async || {
            let calls = self.calls.load(Ordering::Relaxed);
            ensure!(calls >= until, "{calls} of {until}");
            Ok(())
        })
        .await
    }

    async fn end(mut self) -> Result<Vec<Seen>> {
        self.over.store(true, Ordering::Relaxed);
        let mut seen = Vec::new();
        while let Some(one) = self.sessions.join_next().await {
            seen.push(one??);
        }
        ensure!(seen.len() == SESSIONS && seen.iter().all(|seen| seen.calls > 0), "{seen:?}");
        Ok(seen)
    }
}

async fn go_on(mut session: Session, over: Arc<AtomicBool>, calls: Arc<AtomicUsize>) -> Result<Seen> {
    let (mut seen, mut last) = (Seen::default(), Count::default());
    while !over.load(Ordering::Relaxed) {
        seen.calls += 1;
        calls.fetch_add(1, Ordering::Relaxed);
        // The replica was lost in the middle of its answer.
        let Ok(reply) = session.try_call("increment").await else {
            seen.may_have_run += 1;
            continue;
        };
        match reply.status.as_u16() {
            200 => last = counted(&reply, &last, &mut seen)?,
            404 => {
                seen.gone += 1;
                session = Session::open(&session.url).await?;
                last = Count::default();
            }
            _ => {
                let message = mcp::message_of(&reply)?;
                ensure!(message["error"]["data"]["may_have_run"] == true, "{} {message}", reply.status);
                seen.may_have_run += 1;
            }
        }
    }
    Ok(seen)
}

/// Each call counts once: a session that stayed has one more, one that moved begins with one.
fn counted(reply: &Reply, last: &Count, seen: &mut Seen) -> Result<Count> {
    let text = mcp::text_of(reply)?;
    let (replica, count) = text.split_once(" counts ").unwrap_or_default();
    let now = Count { replica: replica.to_owned(), count: count.parse()? };
    seen.moved += usize::from(reply.header("outrigger-session") == Some("reestablished"));
    let expected = if now.replica == last.replica && now.count > 1 { last.count + 1 } else { 1 };
    ensure!(now.count == expected, "{now:?} after {last:?}");
    Ok(now)
}

#[tokio::test]
async fn of_a_replica_that_is_killed_each_session_notices_at_most_one_error() -> Result<()> {
    let mut fleet = Fleet::start_declaring(Sdk::Python, ROUTES, None).await?;
    let load = Load::start(&fleet.caller.url("plain")).await?;
    fleet.agent(REPLICAS[0])?.process.kill().await?;
    load.goes_on().await?;
    let seen = load.end().await?;
    assert!(seen.iter().all(|seen| seen.gone <= 1 && seen.may_have_run <= 1), "{seen:?}");
    assert!(seen.iter().any(|seen| seen.gone == 1), "nobody lived there: {seen:?}");
    Ok(())
}

/// What the killed replica had may have run, and is never sent again: that is told, and nothing else is.
#[tokio::test]
async fn of_a_replica_that_is_killed_the_sessions_go_on_elsewhere_where_the_route_says_so() -> Result<()> {
    let mut fleet = Fleet::start_declaring(Sdk::Python, ROUTES, None).await?;
    let load = Load::start(&fleet.caller.url("steady")).await?;
    fleet.agent(REPLICAS[0])?.process.kill().await?;
    load.goes_on().await?;
    let seen = load.end().await?;
    assert!(seen.iter().all(|seen| seen.gone == 0 && seen.may_have_run <= 1), "{seen:?}");
    assert!(seen.iter().any(|seen| seen.moved == 1), "nobody lived there: {seen:?}");
    Ok(())
}

#[tokio::test]
async fn a_rolling_restart_of_all_replicas_loses_no_call() -> Result<()> {
    let mut fleet = Fleet::start_declaring(Sdk::Python, ROUTES, None).await?;
    let load = Load::start(&fleet.caller.url("steady")).await?;
    for replica in REPLICAS {
        fleet.restart(replica).await?;
        load.goes_on().await?;
    }
    let seen = load.end().await?;
    assert!(seen.iter().all(|seen| seen.gone == 0 && seen.may_have_run == 0), "{seen:?}");
    assert!(seen.iter().all(|seen| seen.moved > 0), "{seen:?}");
    Ok(())
}
