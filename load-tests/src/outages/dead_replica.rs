//! How long calls wait on a replica that died, for each way in which it can be dead.
//!
//! In: [`Options`]. Out: a row.
//! Refused: the agent is killed, or the agent with its proxy. Hung: the agent is stopped in its tracks. Silent: the wires to
//! the replica's proxy and from it to control are cut, see [`crate::stage::wire`].
//! Invariant: each fault comes to a mesh whose three replicas all take calls, and is repaired before the next.

use std::time::Duration;

use super::aftermath::{Aftermath, aftermath};
use super::error::OutageError;
use super::mesh::{Mesh, Plan, SPREAD};
use super::traffic::Traffic;
use crate::echo::Era;
use crate::generate::Dress;
use crate::machine::about::{About, first_line};
use crate::peers::Place;
use crate::row::Row;

#[derive(Debug, Clone, Copy)]
pub struct Options {
    pub rounds: usize,
    /// Before the fault, and at most after it.
    pub quiet_seconds: u64,
    pub watch_seconds: u64,
    /// To the first byte of an answer.
    pub deadline_ms: u64,
}

/// A call that began to wait this shortly before the end of a run says that the fault was not over.
const NOT_OVER: Duration = Duration::from_millis(1_500);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Death {
    AgentKilled,
    BothKilled,
    Hung,
    Silent,
}

impl Death {
    const ALL: [Self; 4] = [Self::AgentKilled, Self::BothKilled, Self::Hung, Self::Silent];

    const fn text(self) -> &'static str {
        match self {
            Self::AgentKilled => "refused, agent killed",
            Self::BothKilled => "refused, agent and proxy killed",
            Self::Hung => "hung, agent stopped",
            Self::Silent => "silent host",
        }
    }

    /// How long calls are looked at after the fault; a silent host is noticed late.
    fn watch_seconds(self, most: u64) -> u64 {
        match self {
            Self::AgentKilled | Self::BothKilled => most.min(4),
            Self::Hung => most.min(8),
            Self::Silent => most,
        }
    }

    /// What a call that waits on it waits at least: where nothing answers, its connection or its deadline runs out.
    fn wait_min(self, deadline_ms: u64) -> Duration {
        match self {
            Self::AgentKilled | Self::BothKilled => Duration::from_millis(20),
            Self::Hung | Self::Silent => Duration::from_millis(deadline_ms / 2),
        }
    }

    /// Calls per second, and callers enough for those that wait.
    const fn load(self) -> (u64, usize) {
        match self {
            Self::AgentKilled | Self::BothKilled => (500, 64),
            Self::Hung | Self::Silent => (100, 200),
        }
    }
}

pub async fn measure(place: &Place, options: Options, tell: &dyn Fn(String)) -> Result<Row, OutageError> {
    let version = first_line(&place.outrigger.display().to_string(), &["--version"], None);
    let Options { rounds, deadline_ms, watch_seconds, .. } = options;
    let says =
        format!("one of three replicas dies under balanced load, {rounds} times each, deadline {deadline_ms} ms");
    let mut row = Row::new(About::now(0, vec![version]), "outages dead-replica", says);
    for death in Death::ALL {
        let mut found = Vec::new();
        for _ in 0..rounds {
            let one = one(place, options, death).await?;
            tell(format!("{}: {one:?}", death.text()));
            found.push(one);
        }
        fill(&mut row, death, &found, Duration::from_millis(deadline_ms));
        let watched = Duration::from_secs(death.watch_seconds(watch_seconds));
        if found.iter().any(|one| one.last_due + NOT_OVER > watched) {
            let text = death.text();
            row.note(format!("{text}: not over when the run ended, {} s after the fault", watched.as_secs()));
        }
    }
    row.note("figures are the worst of the rounds; a call waited if it failed, or took 20 ms (hung and silent: half the deadline) and twice what 99.9 % took before");
    row.note("hung: a call that the replica holds when it stops waits for the deadline of its route, nothing sooner can know");
    row.note(
        "silent: made on loopback by a wire that stops carrying and a listener whose queue is full; bytes on connections \
         that are open are still acknowledged by the kernel, unlike by a host without power",
    );
    row.about.finish();
    Ok(row)
}

fn fill(row: &mut Row, death: Death, found: &[Aftermath], deadline: Duration) {
    let text = death.text();
    let worst =
        |value: fn(&Aftermath) -> Duration| found.iter().map(value).max().unwrap_or_default().as_secs_f64() * 1e3;
    let count = |value: fn(&Aftermath) -> usize| found.iter().map(value).max().unwrap_or_default() as f64;
    let over = worst(|one| one.last_ended);
    match death {
        Death::AgentKilled | Death::BothKilled => {
            row.at_most(format!("{text}: until no call waits on it"), over, "ms", 100.0);
            row.figure(format!("{text}: longest wait of a call"), worst(|one| one.longest), "ms");
        }
        Death::Hung => {
            // A deadline is looked at by a timer of a millisecond, on a machine that does other things.
            let limit = deadline.as_secs_f64() * 1e3 + 50.0;
            row.at_most(format!("{text}: longest wait of a call"), worst(|one| one.longest), "ms", limit);
            row.figure(format!("{text}: until no call waits on it"), over, "ms");
        }
        Death::Silent => {
            row.at_most(format!("{text}: longest wait of a call"), worst(|one| one.longest), "ms", 2_000.0);
            row.at_most(format!("{text}: until no call waits on it"), over, "ms", 2_000.0);
        }
    }
    row.figure(format!("{text}: until no new call begins to wait"), worst(|one| one.last_due), "ms");
    row.figure(format!("{text}: calls that waited or failed"), count(|one| one.affected), "");
    row.figure(format!("{text}: of them failed"), count(|one| one.failed), "");
}

/// A fresh mesh, one fault.
async fn one(place: &Place, options: Options, death: Death) -> Result<Aftermath, OutageError> {
    let is_wired = death == Death::Silent;
    let mut mesh =
        Mesh::start(place, &Plan { first_byte_ms: options.deadline_ms, is_wired, ..Plan::default() }).await?;
    let (per_second, callers) = death.load();
    let traffic = Traffic::start(&mesh.target(SPREAD), &Dress::plain(Era::Modern), callers, per_second).await?;
    tokio::time::sleep(Duration::from_secs(options.quiet_seconds)).await;
    let fault = traffic.started.elapsed();
    strike(&mut mesh, death).await?;
    tokio::time::sleep(Duration::from_secs(death.watch_seconds(options.watch_seconds))).await;
    let seen = traffic.end().await?;
    Ok(aftermath(&seen.calls, fault, death.wait_min(options.deadline_ms)))
}

async fn strike(mesh: &mut Mesh, death: Death) -> Result<(), OutageError> {
    let nobody = || OutageError::Wrong("the mesh has no replica".to_owned());
    let agent = mesh.agents.first_mut().ok_or_else(nobody)?;
    match death {
        Death::AgentKilled => agent.part.kill().await?,
        Death::BothKilled => {
            let proxy = mesh.providers.first_mut().ok_or_else(nobody)?;
            tokio::try_join!(agent.part.kill(), proxy.part.kill())?;
        }
        Death::Hung => agent.part.freeze()?,
        Death::Silent => {
            for wire in &mut mesh.wires {
                wire.cut().await?;
            }
        }
    }
    Ok(())
}
