//! From a change to the moment in which every one of a thousand proxies runs it, and what it costs on the wire.
//!
//! In: [`Options`]. Out: a row, for meshes of several sizes.
//! A change is what happens most: something about one replica of an existing agent (its weight) differs.
//! Invariant: a change counts as applied when all watchers accepted a snapshot that has it; at the end control must say
//! that all of them acknowledged the last one.

use std::time::{Duration, Instant};

use outrigger_wire::proto::registry::Report;
use tokio::time::timeout;

use super::crowd::{Crowd, register};
use super::error::ControlError;
use super::watchers::Watchers;
use crate::generate::figures::Times;
use crate::machine::about::{About, first_line};
use crate::machine::process::cpu;
use crate::peers::Place;
use crate::row::Row;
use crate::speaker::Speaker;
use crate::stage::ask;
use crate::stage::control::Control;
use crate::stage::part::until;

const ALSO: &str = "store: \"sqlite:control.db\"\nlease: {light_seconds: 60, lease_seconds: 300}\n";
/// How long all watchers may take to run the first snapshot, and one change.
const FIRST_MAX: Duration = Duration::from_secs(120);
const CHANGE_MAX: Duration = Duration::from_secs(20);
/// How long all of them may take to come back.
const BACK_MAX: Duration = Duration::from_secs(60);
/// How long control is away.
const AWAY: Duration = Duration::from_millis(500);
/// Between two changes, so that each is a snapshot of its own and nothing is left to do.
const REST: Duration = Duration::from_millis(50);
const NODE_REPLICAS: usize = 100;
const BYTES: &str = "outrigger_discovery_bytes_total";

#[derive(Debug, Clone)]
pub struct Options {
    pub watchers: usize,
    /// Sizes of the mesh, in replicas.
    pub replicas: Vec<usize>,
    pub crowd: Crowd,
    pub changes: usize,
}

/// One size.
struct Spread {
    /// Of every watcher.
    each: Times,
    /// Of the last watcher, one per change.
    last: Times,
    bytes: f64,
    control_ms: f64,
    publish_ms: f64,
    watcher_us: f64,
    resources: f64,
    first: Duration,
    back: Duration,
    back_bytes: f64,
}

pub async fn measure(place: &Place, options: &Options, tell: &dyn Fn(String)) -> Result<Row, ControlError> {
    let version = first_line(&place.outrigger.display().to_string(), &["--version"], None);
    let Options { watchers, changes, .. } = options;
    let Crowd { capabilities, replicas_per_agent } = options.crowd;
    let says = format!(
        "{changes} changes of one replica each, {watchers} watchers with a connection each, agents of \
         {replicas_per_agent} replicas and {capabilities} capabilities"
    );
    let mut row = Row::new(About::now(0, vec![version]), "control changes", says);
    for replicas in &options.replicas {
        let spread = one_size(place, options, *replicas).await?;
        let ms = |times: &Times, quantile| times.quantile_us(quantile) / 1e3;
        let Spread { each, last, .. } = &spread;
        let of = format!("mesh of {replicas} replicas");
        tell(format!(
            "{of}: last of {watchers} watchers p50 {:.1} ms, p99 {:.1} ms; {:.0} bytes each",
            ms(last, 0.5),
            ms(last, 0.99),
            spread.bytes
        ));
        row.figure(format!("{of}: change → applied in one proxy, p50"), ms(each, 0.5), "ms");
        row.figure(format!("{of}: change → applied in one proxy, p99"), ms(each, 0.99), "ms");
        row.figure(format!("{of}: change → applied in every proxy, p50"), ms(last, 0.5), "ms");
        row.at_most(format!("{of}: change → applied in every proxy, p99"), ms(last, 0.99), "ms", 100.0);
        row.figure(format!("{of}: change → applied in every proxy, longest"), last.max_us() / 1e3, "ms");
        row.figure(format!("{of}: bytes per proxy and change"), spread.bytes, "B");
        row.figure(format!("{of}: bytes of the whole snapshot per proxy"), spread.resources, "B");
        row.figure(format!("{of}: CPU of control per change"), spread.control_ms, "ms");
        row.figure(format!("{of}: control builds and publishes a snapshot in, mean"), spread.publish_ms, "ms");
        row.figure(format!("{of}: CPU of a watcher per change"), spread.watcher_us, "µs");
        row.figure(format!("{of}: all watchers run the first snapshot after"), spread.first.as_secs_f64(), "s");
        let back = format!("{of}: control restarts and nothing changed");
        row.at_most(
            format!("{back}: all watchers are known to be current after"),
            spread.back.as_secs_f64(),
            "s",
            30.0,
        );
        row.at_most(format!("{back}: bytes per proxy"), spread.back_bytes, "B", 1_000.0);
    }
    row.note("bytes are those of the responses, with the Manifest, without the frames of HTTP/2 and TCP");
    row.note("control waits 25 ms for further changes before it makes a snapshot; that is in the times");
    row.note(
        "all watchers share one core, control has the other: the last one waits for the work of all the others, \
         which proxies on machines of their own do not",
    );
    row.about.finish();
    Ok(row)
}

async fn one_size(place: &Place, options: &Options, replicas: usize) -> Result<Spread, ControlError> {
    let folder = tempfile::tempdir()?;
    let mut control = Control::start(place, folder.path(), place.cores.proxy, ALSO).await?;
    let crowd = options.crowd;
    let all: Vec<usize> = (1..replicas.max(2)).collect();
    let nodes = all.chunks(NODE_REPLICAS).enumerate().map(|(at, chunk)| {
        (
            Crowd::node(at),
            Report { replicas: chunk.iter().map(|replica| crowd.replica(*replica)).collect(), calls: None },
        )
    });
    let _speakers = register(control.grpc, nodes.collect()).await?;
    let mut changer = Speaker::open(control.grpc, "changer").await?;
    let serial = changer.report(Report { replicas: vec![crowd.replica(0)], calls: None }).await?;

    let bytes_before = ask::metric(control.http, BYTES).await?;
    let began = Instant::now();
    let started = Watchers::start(control.grpc, options.watchers, serial);
    let mut watchers = timed(FIRST_MAX, "all watchers run the first snapshot", started).await??;
    let first = began.elapsed();
    let resources = (ask::metric(control.http, BYTES).await? - bytes_before) / options.watchers as f64;

    let bytes_before = ask::metric(control.http, BYTES).await?;
    let publish_before = publishing(&control).await?;
    let (cpu_before, own_before) = (cpu(control.pid()?)?, cpu(std::process::id())?);
    let (mut each, mut last) = (Times::default(), Times::default());
    let mut newest = serial;
    for change in 0..options.changes {
        tokio::time::sleep(REST).await;
        let mut replica = crowd.replica(0);
        replica.weight = 101 + u32::try_from(change % 2).unwrap_or_default();
        let began = Instant::now();
        newest = changer.report(Report { replicas: vec![replica], calls: None }).await?;
        let came = timed(CHANGE_MAX, "all watchers run a change", watchers.all_run(newest)).await?;
        for at in &came {
            each.record(at.saturating_duration_since(began));
        }
        if let Some(at) = came.iter().max() {
            last.record(at.saturating_duration_since(began));
        }
    }
    let control_cpu = cpu(control.pid()?)?.saturating_sub(cpu_before);
    // The control that was measured is a child of this process and must not be counted for the watchers.
    let own_cpu = cpu(std::process::id())?.saturating_sub(own_before).saturating_sub(control_cpu);
    let bytes = ask::metric(control.http, BYTES).await? - bytes_before;
    let publish = publishing(&control).await?;
    all_current(&control, options.watchers, newest).await?;
    let (back, back_bytes) = restart(&mut control, options.watchers, newest).await?;
    let applications = (options.changes * options.watchers).max(1) as f64;
    Ok(Spread {
        each,
        last,
        bytes: bytes / applications,
        control_ms: control_cpu.as_secs_f64() * 1e3 / options.changes.max(1) as f64,
        publish_ms: (publish.0 - publish_before.0) / (publish.1 - publish_before.1) * 1e3,
        watcher_us: own_cpu.as_secs_f64() * 1e6 / applications,
        resources,
        first,
        back,
        back_bytes,
    })
}

/// Waits until control knows that so many run this snapshot or a later one.
async fn all_current(control: &Control, watchers: usize, serial: u64) -> Result<(), ControlError> {
    let acknowledged = async || control.synced(Some(serial)).await.is_ok_and(|count| count == watchers);
    Ok(until("control has heard every acknowledgement", BACK_MAX, acknowledged).await?)
}

/// How long it takes until all are back, and the bytes that each was sent.
async fn restart(control: &mut Control, watchers: usize, serial: u64) -> Result<(Duration, f64), ControlError> {
    control.restart(AWAY).await?;
    let began = Instant::now();
    all_current(control, watchers, serial).await?;
    let took = began.elapsed();
    Ok((took, ask::metric(control.http, BYTES).await? / watchers as f64))
}

/// Seconds spent on publishing, and how often.
async fn publishing(control: &Control) -> Result<(f64, f64), ControlError> {
    let sum = ask::metric(control.http, "outrigger_publish_seconds_sum").await?;
    Ok((sum, ask::metric(control.http, "outrigger_publish_seconds_count").await?))
}

async fn timed<T>(limit: Duration, what: &str, waiting: impl Future<Output = T>) -> Result<T, ControlError> {
    let in_vain = |_| ControlError::InVain { what: what.to_owned(), seconds: limit.as_secs() };
    timeout(limit, waiting).await.map_err(in_vain)
}
