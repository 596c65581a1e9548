//! Redis is killed while calls of known sessions go on, and the same load runs without the kill, in turn.
//!
//! In: [`Options`]. Out: a row.
//! Invariant: both halves of a round are the same load on the same mesh, with a Redis that is up when they begin.

use std::time::{Duration, Instant};

use super::error::OutageError;
use super::mesh::{Mesh, OWN, Plan};
use super::traffic::{Seen, Traffic};
use crate::echo::Era;
use crate::generate::{Crew, Dress};
use crate::machine::about::{About, first_line};
use crate::peers::Place;
use crate::row::Row;
use crate::stage::redis::Redis;

#[derive(Debug, Clone, Copy)]
pub struct Options {
    pub rounds: usize,
    /// Of one half of a round.
    pub seconds: u64,
    pub per_second: u64,
    /// It is stopped in its tracks instead, and wakes up again.
    pub hangs: bool,
}

const CALLERS: usize = 64;
/// Sessions that are opened while Redis is dead.
const YOUNG: usize = 20;
/// What is read as "unchanged": less is within what two runs of the same load differ by here.
const UNCHANGED: f64 = 1.25;

/// The halves of all rounds.
#[derive(Default)]
struct Halves {
    with: Vec<Seen>,
    without: Vec<Seen>,
    young: usize,
    young_failed: usize,
}

pub async fn measure(place: &Place, options: Options, tell: &dyn Fn(String)) -> Result<Row, OutageError> {
    let version = first_line(&place.outrigger.display().to_string(), &["--version"], None);
    let Options { rounds, seconds, per_second, hangs } = options;
    let signal = if hangs { "SIGSTOP" } else { "SIGKILL" };
    let says = format!(
        "{rounds} times {seconds} s at {per_second}/s in {CALLERS} known sessions, with and without {signal} of Redis"
    );
    let mut row = Row::new(About::now(0, vec![version, redis_version(place)]), "outages redis-killed", says);
    let folder = tempfile::tempdir()?;
    let mut redis = Redis::start(place, folder.path()).await?;
    let plan = Plan { redis_url: Some(redis.url()), ..Plan::default() };
    let mesh = Mesh::start(place, &plan).await?;
    let mut halves = Halves::default();
    for round in 1..=rounds {
        halves.without.push(half(&mesh, options, None, &mut Halves::default()).await?);
        let mut young = Halves::default();
        halves.with.push(half(&mesh, options, Some(&mut redis), &mut young).await?);
        halves.young += young.young;
        halves.young_failed += young.young_failed;
        if hangs {
            redis.part.thaw()?;
        } else {
            redis.again().await?;
        }
        tell(format!("round {round}: {} and {} faults", faults(&halves.without), faults(&halves.with)));
    }
    fill(&mut row, &halves);
    row.note("p99 is the median over the rounds; latencies count from when a call was due");
    row.note(format!("`unchanged` is read as at most {UNCHANGED} times the p99 of the same load without the kill"));
    row.about.finish();
    Ok(row)
}

/// One run; `redis` is killed after a third of it.
async fn half(
    mesh: &Mesh,
    options: Options,
    redis: Option<&mut Redis>,
    young: &mut Halves,
) -> Result<Seen, OutageError> {
    let dress = Dress { session: true, ..Dress::plain(Era::Legacy) };
    let traffic = Traffic::start(&mesh.target(OWN), &dress, CALLERS, options.per_second).await?;
    let whole = Duration::from_secs(options.seconds);
    tokio::time::sleep(whole / 3).await;
    if let Some(redis) = redis {
        if options.hangs {
            redis.part.freeze()?;
        } else {
            redis.part.kill().await?;
        }
        let since = Instant::now();
        for _ in 0..YOUNG {
            young.young += 1;
            // A session that nobody can share is a session all the same.
            match Crew::hire(&mesh.target(OWN), &dress, 1).await {
                Ok(crew) => crew.dismiss().await,
                Err(_) => young.young_failed += 1,
            }
        }
        tokio::time::sleep((whole - whole / 3).saturating_sub(since.elapsed())).await;
    } else {
        tokio::time::sleep(whole - whole / 3).await;
    }
    traffic.end().await
}

fn fill(row: &mut Row, halves: &Halves) {
    let calls: u64 = halves.with.iter().map(|seen| seen.tally.calls).sum();
    row.figure("calls with a kill", calls as f64, "");
    row.at_most("failed calls of known sessions, with a kill", faults(&halves.with) as f64, "", 0.0);
    row.figure("failed calls, without", faults(&halves.without) as f64, "");
    row.figure("sessions opened while Redis was dead", halves.young as f64, "");
    row.at_most("of them failed", halves.young_failed as f64, "", 0.0);
    for (what, quantile) in [("p50", 0.5), ("p99", 0.99), ("p99.9", 0.999)] {
        let (with, without) = (median(&halves.with, quantile), median(&halves.without, quantile));
        row.figure(format!("{what} with a kill"), with, "µs");
        row.figure(format!("{what} without"), without, "µs");
        if what == "p99" {
            row.at_most("p99 with a kill to without", with / without.max(1.0), "×", UNCHANGED);
        }
    }
    for seen in halves.with.iter().filter(|seen| seen.tally.faults() > 0) {
        row.note(format!("with a kill: {}", seen.faults()));
    }
}

fn faults(seen: &[Seen]) -> u64 {
    seen.iter().map(|seen| seen.tally.faults()).sum()
}

fn median(seen: &[Seen], quantile: f64) -> f64 {
    let mut values: Vec<f64> = seen.iter().map(|seen| seen.all_times().quantile_us(quantile)).collect();
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or_default()
}

fn redis_version(place: &Place) -> String {
    let program = place.program("redis-server").map(|path| path.display().to_string()).unwrap_or_default();
    let said = first_line(&program, &["--version"], None);
    said.split_whitespace().take(3).collect::<Vec<_>>().join(" ")
}
