//! Control is killed and brought back again and again while calls go on.
//!
//! In: [`Options`]. Out: a row.
//! Half of the calls belong to sessions, half are balanced anew each time.
//! Invariant: all proxies must run the newest snapshot of the last control at the end, or the run is an error.

use std::time::{Duration, Instant};

use super::error::OutageError;
use super::mesh::{Mesh, OWN, Plan, SPREAD};
use super::traffic::{Seen, Traffic};
use crate::echo::Era;
use crate::generate::Dress;
use crate::machine::about::{About, first_line};
use crate::peers::Place;
use crate::row::Row;

#[derive(Debug, Clone, Copy)]
pub struct Options {
    pub kills: usize,
    /// Of each of the two kinds of calls.
    pub per_second: u64,
    /// Seconds of quiet before the first kill, to compare with.
    pub quiet_seconds: u64,
}

/// How long control stays dead.
const AWAY: Duration = Duration::from_millis(100);
/// From its return to the next kill; proxies come back within it sometimes, and sometimes not.
const BACK: (u64, u64) = (50, 600);
const CALLERS: usize = 32;

pub async fn measure(place: &Place, options: Options, tell: &dyn Fn(String)) -> Result<Row, OutageError> {
    let version = first_line(&place.outrigger.display().to_string(), &["--version"], None);
    let Options { kills, per_second, quiet_seconds } = options;
    let says = format!(
        "{kills} times SIGKILL and a restart from its store, {per_second}/s in sessions and {per_second}/s balanced"
    );
    let mut row = Row::new(About::now(0, vec![version]), "outages control-killed", says);
    let mut mesh = Mesh::start(place, &Plan::default()).await?;
    tell("the mesh stands".to_owned());
    let in_session = Dress { session: true, ..Dress::plain(Era::Legacy) };
    let sessions = Traffic::start(&mesh.target(OWN), &in_session, CALLERS, per_second).await?;
    let balanced = Traffic::start(&mesh.target(SPREAD), &Dress::plain(Era::Modern), CALLERS, per_second).await?;
    tokio::time::sleep(Duration::from_secs(quiet_seconds)).await;
    let quiet = sessions.started.elapsed();
    let mut chance = fastrand::Rng::with_seed(1);
    for kill in 1..=kills {
        mesh.control.restart(AWAY).await?;
        tokio::time::sleep(Duration::from_millis(chance.u64(BACK.0..BACK.1))).await;
        if kill % 10 == 0 {
            let failed = sessions.so_far().1 + balanced.so_far().1;
            tell(format!("{kill} kills, {failed} failed calls"));
        }
    }
    let during = sessions.started.elapsed() - quiet;
    let back = Instant::now();
    mesh.control.is_synced(mesh.proxies()).await?;
    let agreed = back.elapsed();
    let (sessions, balanced) = (sessions.end().await?, balanced.end().await?);
    fill(&mut row, &[("in sessions", &sessions), ("balanced", &balanced)], quiet);
    row.figure("kills per minute", kills as f64 / during.as_secs_f64() * 60.0, "");
    row.figure("all proxies run the newest snapshot after the last pause", agreed.as_secs_f64(), "s");
    row.note(
        "one calling proxy, three replicas behind a proxy each; the last two seconds of nothing are not waited for",
    );
    row.about.finish();
    Ok(row)
}

fn fill(row: &mut Row, kinds: &[(&str, &Seen)], quiet: Duration) {
    let calls: u64 = kinds.iter().map(|(_, seen)| seen.tally.calls).sum();
    let faults: u64 = kinds.iter().map(|(_, seen)| seen.tally.faults()).sum();
    row.figure("calls", calls as f64, "");
    row.at_most("calls that failed, were wrong or misrouted", faults as f64, "", 0.0);
    for (kind, seen) in kinds {
        for (when, times) in
            [("before", seen.times(Duration::ZERO, quiet)), ("while it dies", seen.times(quiet, Duration::MAX))]
        {
            row.figure(format!("{kind}, {when}, p50"), times.quantile_us(0.5), "µs");
            row.figure(format!("{kind}, {when}, p99"), times.quantile_us(0.99), "µs");
        }
        if seen.tally.faults() > 0 {
            row.note(format!("{kind}: {}", seen.faults()));
        }
    }
}
