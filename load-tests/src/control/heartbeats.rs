//! How many heartbeats of agents without a proxy control takes per second, and what each costs, beside the registry of mcp-mesh.
//!
//! In: [`Options`]. Out: a row, with the same figures of both.
//! Every agent offers its tools and depends on three of others. A connection sends the next heartbeat when it has the answer to the
//! one before.
//! Invariant: both are measured in the same run by the same client, and an answer that is none of a registry ends it.

use std::path::PathBuf;
use std::process::Command;
use std::time::{Duration, Instant};

use super::beat::{self, Agents, Beat, Count};
use super::error::ControlError;
use super::registry::{events_stored, fill};
use crate::machine::about::{About, first_line};
use crate::machine::process::{cpu, resident_kib};
use crate::peers::Place;
use crate::peers::place::free_address;
use crate::row::Row;
use crate::stage::control::Control;
use crate::stage::part::{Part, Script};

/// Long leases, so that a run that takes its time measures heartbeats and not the end of leases.
const ALSO: &str = "store: \"sqlite:control.db\"\nlease: {light_seconds: 60, lease_seconds: 300}\n";
const UPSTREAM: &str = "../tests/.peers/meshctl/node_modules/@mcpmesh/cli-linux-x64/bin/mcp-mesh-registry";
const DATABASE: &str = "registry.db";
/// Its registry has no way to make so many events in time; they are written beside it.
const FILL: &str = "import sqlite3, sys
db = sqlite3.connect(sys.argv[1], timeout=60)
have = db.execute('select count(*) from registry_events').fetchone()[0]
one = db.execute('select event_type, timestamp, data, agent_events from registry_events limit 1').fetchone()
rows = [one] * max(0, int(sys.argv[2]) - have)
db.executemany('insert into registry_events (event_type, timestamp, data, agent_events) values (?, ?, ?, ?)', rows)
db.commit()
print(db.execute('select count(*) from registry_events').fetchone()[0])";

#[derive(Debug, Clone, Copy)]
pub struct Options {
    pub agents: Agents,
    /// The event log is filled up to here for the second half.
    pub events: u64,
    /// Of each figure.
    pub seconds: u64,
}

/// One registry under measurement.
struct Subject {
    name: &'static str,
    address: std::net::SocketAddr,
    pid: u32,
}

pub async fn measure(place: &Place, options: Options, tell: &dyn Fn(String)) -> Result<Row, ControlError> {
    let upstream = place.home.join(UPSTREAM);
    let versions = vec![
        first_line(&place.outrigger.display().to_string(), &["--version"], None),
        first_line(&upstream.display().to_string(), &["--version"], None),
    ];
    let says = format!(
        "{} agents with {} tools and 3 dependencies each, SQLite, {} connections, the registry on one core",
        options.agents.count, options.agents.tools_each, options.agents.connections
    );
    let mut row = Row::new(About::now(0, versions), "control heartbeats", says);
    ours(place, options, &mut row, tell).await?;
    if upstream.is_file() {
        theirs(place, upstream, options, &mut row, tell).await?;
    } else {
        row.note(
            "the registry of mcp-mesh is not installed here (tests/setup.sh does that), so only ours was measured",
        );
    }
    row.note("POST, unchanged: the same body again, as an agent sends it when it is signalled a change");
    row.note(
        "POST, changed: another description, so it is judged, stored, and in a new snapshot before it is answered",
    );
    row.note("where the share of the core is well below 100 % the client or waiting was the limit; 1 / CPU is then the better figure");
    row.about.finish();
    Ok(row)
}

async fn ours(place: &Place, options: Options, row: &mut Row, tell: &dyn Fn(String)) -> Result<(), ControlError> {
    let folder = tempfile::tempdir()?;
    let control = Control::start(place, folder.path(), place.cores.proxy, ALSO).await?;
    let subject = Subject { name: "ours", address: control.http, pid: control.pid()? };
    subject.register(options, row, tell).await?;
    let stored = events_stored(&control).await?;
    let few = subject.half(options, &format!("{stored} events"), row, tell).await?;
    fill(&control, options.events).await?;
    let stored = events_stored(&control).await?;
    let many = subject.half(options, &format!("{stored} events"), row, tell).await?;
    row.figure("ours: CPU of a HEAD, the long log to the short", many / few, "×");
    Ok(())
}

async fn theirs(
    place: &Place,
    program: PathBuf,
    options: Options,
    row: &mut Row,
    tell: &dyn Fn(String),
) -> Result<(), ControlError> {
    let folder = tempfile::tempdir()?;
    let address = free_address()?;
    let settings = [
        format!("DATABASE_URL={}", folder.path().join(DATABASE).display()),
        "DEFAULT_TIMEOUT_THRESHOLD=300".to_owned(),
        "MCP_MESH_LOG_LEVEL=ERROR".to_owned(),
        "GIN_MODE=release".to_owned(),
    ];
    let program = program.canonicalize()?.display().to_string();
    let served =
        [program, "--host".to_owned(), address.ip().to_string(), "--port".to_owned(), address.port().to_string()];
    let script = Script {
        name: "mcp-mesh-registry".to_owned(),
        program: PathBuf::from("/usr/bin/env"),
        arguments: settings.into_iter().chain(served).collect(),
        folder: folder.path().to_owned(),
        core: place.cores.proxy,
    };
    let mut part = Part::start(script)?;
    let answers = async || crate::stage::ask::get(address, "/health").await.ok();
    part.until("does not listen", answers).await?;
    let subject = Subject { name: "mcp-mesh", address, pid: part.pid()? };
    subject.register(options, row, tell).await?;
    let few = subject.half(options, &format!("{} events", options.agents.count), row, tell).await?;
    let database = folder.path().join(DATABASE).display().to_string();
    let filled = Command::new("python3").args(["-c", FILL, &database, &options.events.to_string()]).output()?;
    if !filled.status.success() {
        return Err(ControlError::Wrong(String::from_utf8_lossy(&filled.stderr).into_owned()));
    }
    let stored = String::from_utf8_lossy(&filled.stdout).trim().to_owned();
    let many = subject.half(options, &format!("{stored} events"), row, tell).await?;
    row.figure("mcp-mesh: CPU of a HEAD, the long log to the short", many / few, "×");
    Ok(())
}

impl Subject {
    /// Every agent once.
    async fn register(&self, options: Options, row: &mut Row, tell: &dyn Fn(String)) -> Result<(), ControlError> {
        let meter = self.meter()?;
        let count = beat::each_once(self.address, options.agents).await?;
        self.add(row, tell, ("POST, new", None), &meter, &count)?;
        row.figure(
            format!("{}: memory with {} agents", self.name, options.agents.count),
            resident_kib(self.pid)? as f64 / 1024.0,
            "MB",
        );
        Ok(())
    }

    /// All kinds at the present length of the log; the CPU of a HEAD.
    async fn half(
        &self,
        options: Options,
        with: &str,
        row: &mut Row,
        tell: &dyn Fn(String),
    ) -> Result<f64, ControlError> {
        let is_ours = self.name == "ours";
        let mut head_us = f64::NAN;
        for (beat, what, target) in [
            (Beat::Light, "HEAD", 20_000.0),
            (Beat::Same, "POST, unchanged", 2_000.0),
            (Beat::Changed, "POST, changed", 2_000.0),
        ] {
            // What was told of others may have changed since; a mesh at rest is what is measured.
            beat::each_once(self.address, options.agents).await?;
            let meter = self.meter()?;
            let until = Instant::now() + Duration::from_secs(options.seconds);
            let count = beat::until(self.address, beat, options.agents, until).await?;
            let target = Some(target).filter(|_| is_ours && beat != Beat::Changed);
            let cpu_us = self.add(row, tell, (&format!("{what}, {with}"), target), &meter, &count)?;
            if beat == Beat::Light {
                head_us = cpu_us;
            }
        }
        Ok(head_us)
    }

    fn meter(&self) -> Result<(Instant, Duration), ControlError> {
        Ok((Instant::now(), cpu(self.pid)?))
    }

    fn add(
        &self,
        row: &mut Row,
        tell: &dyn Fn(String),
        (what, target): (&str, Option<f64>),
        (began, before): &(Instant, Duration),
        count: &Count,
    ) -> Result<f64, ControlError> {
        let seconds = began.elapsed().as_secs_f64();
        let spent = cpu(self.pid)?.saturating_sub(*before).as_secs_f64();
        let (per_second, cpu_us) = (count.done as f64 / seconds, spent / count.done.max(1) as f64 * 1e6);
        let what = format!("{}: {what}", self.name);
        let (half, last) = (count.times.quantile_us(0.5) / 1e3, count.times.quantile_us(0.99) / 1e3);
        tell(format!("{what}: {per_second:.0}/s, CPU {cpu_us:.1} us each, p50 {half:.2} ms, p99 {last:.2} ms"));
        match target {
            Some(limit) => row.at_least(what.clone(), per_second, "/s", limit),
            None => row.figure(what.clone(), per_second, "/s"),
        }
        row.figure(format!("{what}: CPU each"), cpu_us, "µs");
        row.figure(format!("{what}: CPU of its core"), spent / seconds * 100.0, "%");
        row.figure(format!("{what}: p99"), last, "ms");
        Ok(cpu_us)
    }
}
