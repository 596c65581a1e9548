//! A replica is killed under load: what its sessions see, and what was executed twice.
//!
//! In: Python servers that write down every call before they answer it. Out: errors of each session; calls that ran twice.
//! Invariant: every call has a number of its own, so one that ran on two replicas, or twice on one, is seen.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use http::StatusCode;
use outrigger_tests::crowd::{Crowd, Habit, Heard, Line, Seen};
use outrigger_tests::desks::Desks;
use outrigger_tests::fleet::REPLICAS;
use outrigger_tests::mcp::{self, Session};
use outrigger_tests::peers::Sdk;
use serde_json::{Value, json};

const SESSIONS: usize = 60;
const CALLS: u64 = 1_200;
const KILLED_AFTER: u64 = 400;

const ROUTES: &str = "routes:
  - {name: strict, capability: weather, on_replica_loss: \"404\"}
  - {name: lenient, capability: weather, on_replica_loss: reestablish}
";

/// Sessions whose every call has a number, and whose clients open another one when they are told that theirs is gone.
#[derive(Clone)]
struct Noting;

struct Noter {
    session: Session,
    next: u64,
    home: Option<String>,
    count: u64,
    /// When an answer came from another replica for the first time.
    moved: Option<Instant>,
    lost: Lost,
}

/// Calls of one session that failed, by what the mesh said of them.
#[derive(Debug, Default)]
struct Lost {
    /// 404: the session is gone.
    gone: u64,
    /// They were under way when the replica died.
    under_way: u64,
    otherwise: u64,
}

/// Numbers of one member; more than it ever makes.
const NUMBERS: u64 = 1_000_000;

impl Habit for Noting {
    type Member = Noter;

    async fn arrive(&self, line: &mut Line, number: usize) -> Result<Noter> {
        let next = u64::try_from(number)? * NUMBERS;
        let session = Session::open(&line.url).await?;
        Ok(Noter { session, next, home: None, count: 0, moved: None, lost: Lost::default() })
    }

    async fn step(&self, member: &mut Noter, line: &mut Line) -> Result<Heard> {
        member.next += 1;
        let call = mcp::tool_call_with(7, "note", &json!({"number": member.next}));
        // An answer that had begun breaks off with the replica that was giving it.
        let reply = line.post(&member.session.headers(), call.to_string()).await;
        let reply = reply.inspect_err(|_| member.lost.under_way += 1)?;
        if reply.status.is_success()
            && let Ok(text) = mcp::text_of(&reply)
        {
            return member.hear(&text);
        }
        let message = mcp::message_of(&reply)?;
        if reply.status == StatusCode::NOT_FOUND {
            member.lost.gone += 1;
            member.session = Session::open(&line.url).await.context("another session")?;
            (member.home, member.count) = (None, 0);
        } else if message.pointer("/error/data/may_have_run") == Some(&Value::Bool(true)) {
            member.lost.under_way += 1;
        } else {
            member.lost.otherwise += 1;
        }
        bail!("{} {message}", reply.status)
    }
}

impl Noter {
    /// Another replica begins to count anew, and goes on with it.
    fn hear(&mut self, text: &str) -> Result<Heard> {
        let replica = Sdk::Python.replica_in(text)?;
        if self.home.as_ref() != Some(&replica) {
            if self.home.is_some() {
                self.moved = Some(Instant::now());
            }
            (self.home, self.count) = (Some(replica), 0);
        }
        self.count += 1;
        if text.ends_with(&format!(" counts {}", self.count)) {
            return Ok(Heard::Right);
        }
        Ok(Heard::Misrouted(format!("`{text}`, which had to be {}", self.count)))
    }
}

/// How often each call was executed, as the servers wrote it down.
fn executed(desks: &Desks) -> Result<BTreeMap<u64, u32>> {
    let mut times = BTreeMap::new();
    for replica in REPLICAS {
        let notes = std::fs::read_to_string(desks.fleet.mesh.file(&format!("{replica}.notes")))?;
        for line in notes.lines() {
            *times.entry(line.parse()?).or_default() += 1;
        }
    }
    Ok(times)
}

struct Aftermath {
    crowd: Crowd<Noting>,
    seen: Seen,
    killed: Instant,
    of_the_dead: usize,
    twice: usize,
}

/// A crowd that knows its way, and the death of one replica in the midst of its calls.
async fn a_replica_dies(route: &str) -> Result<Aftermath> {
    let mut desks = Desks::start(Sdk::Python, ROUTES).await?;
    let mut crowd = desks.crowd(Noting, route, SESSIONS).await?;
    crate::crowds::must_be_clean("every session through every proxy", &crowd.tour().await?);
    let dead = REPLICAS[0];
    let of_the_dead = crowd.members.iter().filter(|(_, member)| member.home.as_deref() == Some(dead)).count();
    assert!(of_the_dead > 0, "nobody is on {dead}");
    let pulse = crowd.pulse();
    let begun = pulse.now();
    let agent = desks.fleet.agent(dead)?;
    let death = async {
        pulse.reaches(begun + KILLED_AFTER).await?;
        agent.process.kill().await?;
        Ok::<_, anyhow::Error>(Instant::now())
    };
    let (seen, killed) = tokio::join!(crowd.run(CALLS), death);
    let (seen, killed) = (seen?, killed?);
    eprintln!("{route}: {seen}");
    let twice = executed(&desks)?.values().filter(|times| **times > 1).count();
    Ok(Aftermath { crowd, seen, killed, of_the_dead, twice })
}

impl Aftermath {
    fn lost(&self, of: impl Fn(&Lost) -> u64) -> u64 {
        self.crowd.members.iter().map(|(_, member)| of(&member.lost)).sum()
    }

    /// What both policies promise.
    fn must_be_orderly(&self) {
        assert_eq!(self.twice, 0, "calls ran twice: {}", self.seen);
        assert_eq!(self.seen.misrouted, 0, "{}", self.seen);
        assert_eq!(self.lost(|lost| lost.otherwise), 0, "only what was under way may fail otherwise: {}", self.seen);
        let under_way = self.lost(|lost| lost.under_way);
        assert!(under_way <= self.crowd.at_once as u64, "{under_way} were under way: {}", self.seen);
    }
}

#[tokio::test]
async fn a_killed_replica_costs_each_of_its_sessions_one_error_where_404_is_the_policy() -> Result<()> {
    let after = a_replica_dies("strict").await?;
    after.must_be_orderly();
    let most = after.crowd.members.iter().map(|(_, member)| member.lost.gone).max().unwrap_or_default();
    assert_eq!(most, 1, "each is told once: {}", after.seen);
    let gone = after.lost(|lost| lost.gone);
    assert!(gone <= after.of_the_dead as u64, "sessions of other replicas notice nothing: {}", after.seen);
    eprintln!(
        "404: {gone} of {} sessions were told, {} calls under way",
        after.of_the_dead,
        after.lost(|lost| lost.under_way)
    );
    Ok(())
}

#[tokio::test]
async fn a_killed_replica_costs_its_sessions_nothing_where_they_are_established_again() -> Result<()> {
    let after = a_replica_dies("lenient").await?;
    after.must_be_orderly();
    assert_eq!(after.lost(|lost| lost.gone), 0, "{}", after.seen);
    let mut moved: Vec<Duration> = vec![];
    moved.extend(after.crowd.members.iter().filter_map(|(_, member)| Some(member.moved? - after.killed)));
    moved.sort();
    let (first, last) = (moved.first().context("no session went on")?, moved.last().context("none")?);
    eprintln!(
        "reestablish: {} of {} sessions went on, the first after {first:?}, the last called for after {last:?}; {} calls under way",
        moved.len(),
        after.of_the_dead,
        after.lost(|lost| lost.under_way),
    );
    Ok(())
}

/// One replica after the other is told to stop with its proxy, and comes back with nothing in its memory.
#[tokio::test]
async fn a_rolling_restart_of_all_replicas_costs_no_call_where_sessions_are_established_again() -> Result<()> {
    let mut desks = Desks::start(Sdk::Python, ROUTES).await?;
    let mut crowd = desks.crowd(Noting, "lenient", SESSIONS).await?;
    crate::crowds::must_be_clean("every session through every proxy", &crowd.tour().await?);
    let pulse = crowd.pulse();
    let Desks { fleet, .. } = &mut desks;
    let rolling = async {
        for replica in REPLICAS {
            pulse.beats(STEP).await?;
            fleet.restart(replica).await?;
        }
        pulse.beats(STEP).await
    };
    let rolling = async {
        let rolled = rolling.await;
        pulse.is_enough();
        rolled
    };
    let (seen, rolled) = tokio::join!(crowd.run(ROLLING_CALLS_MAX), rolling);
    rolled?;
    crate::crowds::must_be_clean("a rolling restart", &seen?);
    let moved = crowd.members.iter().filter(|(_, member)| member.moved.is_some()).count();
    assert_eq!(moved, SESSIONS, "every session had to move at least once");
    let twice = executed(&desks)?.values().filter(|times| **times > 1).count();
    assert_eq!(twice, 0, "calls ran twice");
    Ok(())
}

/// Calls between two things that happen to a replica.
const STEP: u64 = 150;
/// The run ends with the last replica's return.
const ROLLING_CALLS_MAX: u64 = 100_000;
