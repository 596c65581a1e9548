//! Ten thousand plain watchers: one change, a restart in which nothing changed, and one among them that takes nothing.
//!
//! In: [`Options`]. Out: a row.
//! Invariant: times end when the last watcher has sent its acknowledgement; bytes and answers are those that control counts.

use std::time::{Duration, Instant};

use outrigger_wire::proto::registry::Report;
use tokio::time::timeout;

use super::crowd::{Crowd, register};
use super::error::ControlError;
use super::plain::{Asks, Plain};
use crate::generate::figures::Times;
use crate::machine::about::{About, first_line};
use crate::machine::process::{cpu, resident_kib};
use crate::peers::Place;
use crate::row::Row;
use crate::speaker::Speaker;
use crate::stage::ask;
use crate::stage::control::Control;

const ALSO: &str = "store: \"sqlite:control.db\"\nlog: {level: warn}\nlease: {light_seconds: 60, lease_seconds: 300}\n";
const FIRST_MAX: Duration = Duration::from_secs(180);
const CHANGE_MAX: Duration = Duration::from_secs(30);
const BACK_MAX: Duration = Duration::from_secs(120);
/// What was acknowledged last may still be read by control, and memory be given back.
const SETTLE: Duration = Duration::from_secs(1);
/// How long control is away.
const AWAY: Duration = Duration::from_millis(500);
const BYTES: &str = "outrigger_discovery_bytes_total";
const BODIES: &str = "outrigger_discovery_answers_total{topic=\"Endpoints\"}";
const STALLED: usize = 7;

#[derive(Debug, Clone)]
pub struct Options {
    pub watchers: usize,
    pub asks: Asks,
    pub replicas: usize,
    pub changes: usize,
}

/// Several changes, one after the other.
struct Spread {
    each: Times,
    last: Times,
    cpu_us: f64,
    bytes: f64,
}

struct Stage<'a> {
    options: &'a Options,
    crowd: Crowd,
    control: Control,
    changer: Speaker,
    watchers: Plain,
    weight: u32,
}

pub async fn measure(place: &Place, options: &Options, tell: &dyn Fn(String)) -> Result<Row, ControlError> {
    let version = first_line(&place.outrigger.display().to_string(), &["--version"], None);
    let Options { watchers, changes, replicas, asks } = options;
    let asked = if *asks == Asks::Endpoints { "Endpoints" } else { "everything and the Manifest" };
    let says = format!(
        "{watchers} plain watchers of {asked} with a connection each, {changes} changes of one of {replicas} replicas"
    );
    let mut row = Row::new(About::now(0, vec![version]), "control watchers", says);
    let folder = tempfile::tempdir()?;
    let control = Control::start(place, folder.path(), place.cores.proxy, ALSO).await?;
    let crowd = Crowd { capabilities: 1, replicas_per_agent: 10 };
    let others = (1..(*replicas).max(2)).map(|at| crowd.replica(at)).collect();
    let _speakers = register(control.grpc, vec![(Crowd::node(1), Report { replicas: others, calls: None })]).await?;
    let mut changer = Speaker::open(control.grpc, "changer").await?;
    let serial = changer.report(Report { replicas: vec![crowd.replica(0)], calls: None }).await?;

    let before = resident_kib(control.pid()?)?;
    let began = Instant::now();
    let starting = Plain::start(control.grpc, *watchers, *asks, serial);
    let plain = within(FIRST_MAX, "all watchers have the first snapshot", starting).await??;
    let first = began.elapsed();
    tokio::time::sleep(SETTLE).await;
    let memory = resident_kib(control.pid()?)?.saturating_sub(before) as f64 / *watchers as f64;
    tell(format!("{watchers} watchers after {:.1} s, {memory:.1} KiB each", first.as_secs_f64()));
    row.figure("all watchers have the first snapshot after", first.as_secs_f64(), "s");
    row.at_most("memory of control per watcher", memory, "KiB", 64.0);

    let mut stage = Stage { options, crowd, control, changer, watchers: plain, weight: 0 };
    let spread = stage.changes(None).await?;
    show(&mut row, "", &spread);
    tell(format!("change → last acknowledgement p50 {:.0} ms", spread.last.quantile_us(0.5) / 1e3));

    stage.watchers.stall(STALLED);
    let kib = resident_kib(stage.control.pid()?)?;
    let stalled = stage.changes(Some(STALLED)).await?;
    show(&mut row, "one takes nothing: ", &stalled);
    let grown = resident_kib(stage.control.pid()?)?.saturating_sub(kib) as f64;
    row.figure("one takes nothing: memory of control grows by", grown, "KiB");

    stage.restart(&mut row, tell).await?;
    row.note("control has one core, all watchers share the other: the last one waits for the work of all others");
    row.note("control waits 25 ms for further changes before it makes a snapshot; that is in the times");
    row.note("bytes are those of the responses, without the frames of HTTP/2 and TCP");
    row.about.finish();
    Ok(row)
}

fn show(row: &mut Row, when: &str, spread: &Spread) {
    let ms = |times: &Times, quantile| times.quantile_us(quantile) / 1e3;
    let Spread { each, last, cpu_us, bytes } = spread;
    row.figure(format!("{when}change → acknowledged by one watcher, p50"), ms(each, 0.5), "ms");
    row.at_most(format!("{when}change → acknowledged by one watcher, p99"), ms(each, 0.99), "ms", 1_000.0);
    row.figure(format!("{when}change → acknowledged by all, p50"), ms(last, 0.5), "ms");
    row.at_most(format!("{when}change → acknowledged by all, longest"), last.max_us() / 1e3, "ms", 1_000.0);
    row.at_most(format!("{when}CPU of control per watcher and change"), *cpu_us, "µs", 50.0);
    row.figure(format!("{when}bytes per watcher and change"), *bytes, "B");
}

impl Stage<'_> {
    async fn changes(&mut self, without: Option<usize>) -> Result<Spread, ControlError> {
        let (mut each, mut last) = (Times::default(), Times::default());
        let pid = self.control.pid()?;
        let bytes_before = ask::metric(self.control.http, BYTES).await?;
        let cpu_before = cpu(pid)?;
        for _ in 0..self.options.changes {
            self.weight += 1;
            let mut replica = self.crowd.replica(0);
            replica.weight = 101 + self.weight % 2;
            let began = Instant::now();
            let serial = self.changer.report(Report { replicas: vec![replica], calls: None }).await?;
            let acknowledged = self.watchers.all_have(serial, without);
            let came = within(CHANGE_MAX, "all watchers acknowledge a change", acknowledged).await??;
            for at in &came {
                each.record(at.saturating_duration_since(began));
            }
            if let Some(at) = came.iter().max() {
                last.record(at.saturating_duration_since(began));
            }
            tokio::time::sleep(SETTLE / 4).await;
        }
        tokio::time::sleep(SETTLE).await;
        let done = (self.options.changes * self.options.watchers) as f64;
        let cpu_us = cpu(pid)?.saturating_sub(cpu_before).as_secs_f64() * 1e6 / done;
        let bytes = (ask::metric(self.control.http, BYTES).await? - bytes_before) / done;
        Ok(Spread { each, last, cpu_us, bytes })
    }

    /// The stalled one does not notice anything, and is not waited for.
    async fn restart(&mut self, row: &mut Row, tell: &dyn Fn(String)) -> Result<(), ControlError> {
        self.watchers.stall(usize::MAX);
        self.control.restart(AWAY).await?;
        let began = Instant::now();
        let back = within(BACK_MAX, "all watchers are back", self.watchers.all_opened(2, STALLED)).await??;
        let took = back.saturating_duration_since(began).as_secs_f64();
        tokio::time::sleep(SETTLE).await;
        let bytes = ask::metric(self.control.http, BYTES).await? / self.options.watchers as f64;
        let bodies = ask::metric(self.control.http, BODIES).await?;
        let cpu_us = cpu(self.control.pid()?)?.as_secs_f64() * 1e6 / self.options.watchers as f64;
        let kib = resident_kib(self.control.pid()?)? as f64 / self.options.watchers as f64;
        tell(format!("after a restart all are back in {took:.1} s, {bytes:.0} bytes each"));
        row.at_most("restart, nothing changed: all watchers are back after", took, "s", 30.0);
        row.at_most("restart, nothing changed: bytes per watcher", bytes, "B", 1_000.0);
        row.at_most("restart, nothing changed: answers with Endpoints in them", bodies, "", 0.0);
        row.figure("restart, nothing changed: CPU of control per watcher, its start included", cpu_us, "µs");
        row.figure("restart, nothing changed: memory of control per watcher, all of it", kib, "KiB");
        Ok(())
    }
}

async fn within<T>(limit: Duration, what: &str, doing: impl Future<Output = T>) -> Result<T, ControlError> {
    let seconds = limit.as_secs();
    timeout(limit, doing).await.map_err(|_| ControlError::InVain { what: what.to_owned(), seconds })
}
