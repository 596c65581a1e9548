//! A replica is killed again and again in the middle of calls, once with a tool that may be called twice and once with one
//! that must not be.
//!
//! In: [`Options`]. Out: a row.
//! Killed is in turn the agent and the proxy in front of it; calls take a while, so that some are under way at each kill.
//! Invariant: what was executed is known from what the agents wrote down before they worked, also of those that died.

use std::time::Duration;

use super::error::OutageError;
use super::mesh::{Mesh, Plan, SPREAD};
use super::traffic::{Fate, Seen, Traffic};
use super::witness::Testimony;
use crate::echo::Era;
use crate::generate::Dress;
use crate::machine::about::{About, first_line};
use crate::peers::Place;
use crate::row::Row;

#[derive(Debug, Clone, Copy)]
pub struct Options {
    pub kills: usize,
    pub per_second: u64,
    /// How long an agent takes for a call.
    pub delay_ms: u64,
}

const CALLERS: usize = 128;
/// Between death and return, and between return and the next death.
const AWAY: Duration = Duration::from_millis(300);
const BACK: Duration = Duration::from_millis(1_500);

/// What one load saw.
struct Outcome {
    seen: Seen,
    testimony: Testimony,
    /// Failed calls that no agent had begun.
    failed_unexecuted: usize,
}

pub async fn measure(place: &Place, options: Options, tell: &dyn Fn(String)) -> Result<Row, OutageError> {
    let version = first_line(&place.outrigger.display().to_string(), &["--version"], None);
    let Options { kills, per_second, delay_ms } = options;
    let says =
        format!("{kills} times SIGKILL of one of three replicas, balanced calls of {delay_ms} ms at {per_second}/s");
    let mut row = Row::new(About::now(0, vec![version]), "outages replica-killed", says);
    for is_idempotent in [true, false] {
        let outcome = one(place, options, is_idempotent).await?;
        let kind = if is_idempotent { "idempotent" } else { "not idempotent" };
        tell(format!("{kind}: {} calls, {}", outcome.seen.tally.calls, outcome.seen.faults()));
        fill(&mut row, kind, is_idempotent, &outcome);
    }
    row.note(
        "killed in turn: the agent, and the proxy in front of it; at each kill calls are under way on the replica",
    );
    row.note(
        "a proxy sends a call again only if nothing of it can have reached an agent, whatever its tool says of itself",
    );
    row.about.finish();
    Ok(row)
}

fn fill(row: &mut Row, kind: &str, is_idempotent: bool, outcome: &Outcome) {
    let Outcome { seen, testimony, failed_unexecuted } = outcome;
    let failed = seen.tally.faults() as f64;
    row.figure(format!("{kind}: calls"), seen.tally.calls as f64, "");
    if is_idempotent {
        row.at_most(format!("{kind}: failed"), failed, "", 0.0);
    } else {
        row.figure(format!("{kind}: failed"), failed, "");
    }
    row.figure(format!("{kind}: of them begun by no agent"), *failed_unexecuted as f64, "");
    row.at_most(format!("{kind}: executed twice"), testimony.twice() as f64, "", 0.0);
    if failed > 0.0 {
        row.note(format!("{kind}: {}", seen.faults()));
    }
}

async fn one(place: &Place, options: Options, is_idempotent: bool) -> Result<Outcome, OutageError> {
    let mut also = vec!["--log".to_owned(), "{}.log".to_owned(), "--delay-ms".to_owned(), options.delay_ms.to_string()];
    if is_idempotent {
        also.push("--idempotent".to_owned());
    }
    let mut mesh = Mesh::start(place, &Plan { kind: "witness", also, ..Plan::default() }).await?;
    let logs: Vec<_> = (0..mesh.agents.len()).map(|at| mesh.file(&format!("echo-{at}.log"))).collect();
    for log in &logs {
        // The calls that showed that the mesh is ready are of no run.
        std::fs::write(log, b"")?;
    }
    let dress = Dress::plain(Era::Modern);
    let traffic = Traffic::start(&mesh.target(SPREAD), &dress, CALLERS, options.per_second).await?;
    for kill in 0..options.kills {
        tokio::time::sleep(BACK).await;
        let at = kill / 2 % mesh.agents.len().max(1);
        if kill.is_multiple_of(2) {
            if let Some(agent) = mesh.agents.get_mut(at) {
                agent.part.kill().await?;
                tokio::time::sleep(AWAY).await;
                agent.again().await?;
            }
        } else if let Some(proxy) = mesh.providers.get_mut(at) {
            proxy.part.kill().await?;
            tokio::time::sleep(AWAY).await;
            proxy.again().await?;
        }
    }
    let seen = traffic.end().await?;
    let testimony = Testimony::read(&logs)?;
    let failed = seen.calls.iter().filter(|call| call.fate != Fate::Answered);
    let failed_unexecuted = failed.filter(|call| !testimony.has(call.number)).count();
    Ok(Outcome { seen, testimony, failed_unexecuted })
}
