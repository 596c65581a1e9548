//! A replica is killed again and again under load: what of its calls is sent again, and what is told to have perhaps run.
//!
//! In: three Python processes that write down every call before they answer it. Out: calls that failed, and calls that ran twice.
//! Invariant: every call has a number of its own, so one that ran on two replicas is seen.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use anyhow::{Result, bail};
use outrigger_tests::crowd::{Crowd, Habit, Heard, Line};
use outrigger_tests::fleet::{Fleet, REPLICAS};
use outrigger_tests::http;
use outrigger_tests::mcp::{self, Modern};
use outrigger_tests::peers::Sdk;
use outrigger_tests::thorough::times;
use serde_json::{Value, json};

const CALLERS: usize = 16;
/// Between two deaths; 10,000 in all.
const CALLS: u64 = 500;
/// Calls of one caller; more than it ever makes.
const NUMBERS: u64 = 1_000_000;

const ROUTES: &str = "routes:
  - {name: safe, capability: weather, affinity: none, retries: {tools: [note]}}
  - {name: once, capability: weather, affinity: none}
  - {name: quick, capability: weather, affinity: none, retries: {tools: [whoami], per_try_ms: 500}}
";

/// Calls without a session, each with a number.
#[derive(Clone)]
struct Numbered;

#[derive(Default)]
struct Member {
    next: u64,
    may_have_run: u64,
    otherwise: Vec<String>,
}

impl Habit for Numbered {
    type Member = Member;

    async fn arrive(&self, _: &mut Line, number: usize) -> Result<Member> {
        Ok(Member { next: u64::try_from(number)? * NUMBERS, ..Member::default() })
    }

    async fn step(&self, member: &mut Member, line: &mut Line) -> Result<Heard> {
        member.next += 1;
        let params = json!({"name": "note", "arguments": {"number": member.next}});
        let call = Modern { method: "tools/call", name: "note", params, capabilities: json!({}) };
        let reply = line.post(&call.headers(), call.body()).await;
        let reply = reply.inspect_err(|error| member.otherwise.push(format!("{error:#}")))?;
        if reply.status.is_success()
            && let Ok(text) = mcp::text_of(&reply)
            && text.ends_with(&format!(" noted {}", member.next))
        {
            return Ok(Heard::Right);
        }
        let message = mcp::message_of(&reply)?;
        match message.pointer("/error/data/may_have_run") == Some(&Value::Bool(true)) {
            true => member.may_have_run += 1,
            false => member.otherwise.push(message.to_string()),
        }
        bail!("{} {message}", reply.status)
    }
}

/// What ten thousand calls met while replicas died in turns.
struct Aftermath {
    crowd: Crowd<Numbered>,
    calls: u64,
    failed: u64,
    executed: BTreeMap<u64, u32>,
}

async fn replicas_die(route: &str) -> Result<Aftermath> {
    let mut fleet = Fleet::start_declaring(Sdk::Handles, ROUTES, None).await?;
    let mut crowd = Crowd::gather(Numbered, &[fleet.caller.url(route)], CALLERS).await?;
    let (pulse, mut calls, mut failed) = (crowd.pulse(), 0, 0);
    let deaths = times(6, 20);
    for death in 0..deaths {
        let agent = fleet.agent(REPLICAS[death % REPLICAS.len()])?;
        let dying = async {
            pulse.beats(CALLS / 4).await?;
            agent.process.kill().await?;
            agent.start_again().await
        };
        let (seen, died) = tokio::join!(crowd.run(CALLS), dying);
        let seen = seen?;
        died?;
        calls += seen.calls;
        failed += seen.failed();
        assert_eq!(seen.misrouted, 0, "{seen}");
    }
    let mut executed = BTreeMap::new();
    for replica in REPLICAS {
        for line in std::fs::read_to_string(fleet.mesh.file(&format!("{replica}.notes")))?.lines() {
            *executed.entry(line.parse()?).or_default() += 1;
        }
    }
    let after = Aftermath { crowd, calls, failed, executed };
    eprintln!(
        "{route}: {deaths} deaths, {calls} calls, {failed} failed, {} ran more than once, {} told that they may have run",
        after.twice(),
        after.crowd.members.iter().map(|(_, member)| member.may_have_run).sum::<u64>(),
    );
    Ok(after)
}

impl Aftermath {
    fn twice(&self) -> usize {
        self.executed.values().filter(|times| **times > 1).count()
    }
}

#[tokio::test]
async fn of_thousands_of_calls_that_may_run_twice_none_fails_while_replicas_are_killed() -> Result<()> {
    let after = replicas_die("safe").await?;
    let otherwise: Vec<_> = after.crowd.members.iter().flat_map(|(_, member)| &member.otherwise).collect();
    assert!(after.calls >= times(3_000, 10_000) as u64, "{}", after.calls);
    assert_eq!(after.failed, 0, "{otherwise:?}");
    Ok(())
}

#[tokio::test]
async fn of_thousands_of_calls_that_act_none_runs_twice_and_each_that_fails_says_that_it_may_have_run() -> Result<()> {
    let after = replicas_die("once").await?;
    assert!(after.calls >= times(3_000, 10_000) as u64, "{}", after.calls);
    assert_eq!(after.twice(), 0);
    for (number, member) in &after.crowd.members {
        assert_eq!(member.otherwise, Vec::<String>::new(), "caller {number}");
    }
    Ok(())
}

/// Its ports stay open and nothing answers.
#[tokio::test]
async fn a_replica_that_hangs_costs_no_more_than_the_time_that_its_caller_gives() -> Result<()> {
    let mut fleet = Fleet::start_declaring(Sdk::Handles, ROUTES, None).await?;
    let call =
        Modern { method: "tools/call", name: "whoami", params: json!({"name": "whoami"}), capabilities: json!({}) };
    let headers = [&call.headers()[..], &[("x-mesh-timeout", "3")]].concat();
    fleet.agent(REPLICAS[0])?.process.freeze()?;
    let mut late = 0;
    for route in ["once", "quick"] {
        for _ in 0..6 {
            let asked = Instant::now();
            let reply = http::send(::http::Method::POST, &fleet.caller.url(route), &headers, call.body()).await?;
            let took = asked.elapsed();
            assert!(took < Duration::from_millis(4_500), "{route}: {took:?}");
            match route {
                "once" if reply.status == 504 => late += 1,
                _ => assert_eq!(reply.status, 200, "{route}: {}", reply.body),
            }
        }
    }
    fleet.agent(REPLICAS[0])?.process.thaw()?;
    assert!(late > 0, "nobody met the one that hangs");
    Ok(())
}
