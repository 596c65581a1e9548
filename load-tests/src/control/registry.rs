//! How many light and full reports control takes per second, what each costs, and whether the event log matters.
//!
//! In: [`Options`]. Out: a row.
//! Every node has a stream and a connection of its own. `paced` signals come one by one, as in a mesh; `saturated` ones are
//! sent as fast as they are taken, and what counts is when control has counted the last of them.
//! Invariant: what is counted is what control says it took, not what was sent.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use outrigger_wire::proto::registry::Report;
use tokio::sync::mpsc;
use tokio::task::JoinSet;

use super::crowd::{Crowd, register, replica};
use super::error::ControlError;
use crate::generate::figures::Times;
use crate::generate::pace::{Pace, beat};
use crate::machine::about::About;
use crate::machine::process::cpu;
use crate::peers::Place;
use crate::row::Row;
use crate::speaker::{Speaker, SpeakerError};
use crate::stage::ask;
use crate::stage::control::Control;

/// Long leases, so that a run that takes its time measures reports and not the end of leases.
const ALSO: &str = "store: \"sqlite:control.db\"\nlease: {light_seconds: 60, lease_seconds: 300}\n";
/// Replicas of the node that fills the event log: each of its reports makes as many events.
const RESTLESS: usize = 500;
const LIGHT: &str = "outrigger_registration_signals_total{signal=\"Light\"}";
const COUNTED_MAX: Duration = Duration::from_secs(60);
const LOOK_AGAIN: Duration = Duration::from_millis(5);

#[derive(Debug, Clone, Copy)]
pub struct Options {
    pub agents: usize,
    pub capabilities_each: usize,
    /// The event log is filled up to here for the second half.
    pub events: u64,
    pub paced_per_second: u64,
    pub paced_seconds: u64,
    pub lights: u64,
    pub fulls: u64,
}

/// What one kind of report cost.
#[derive(Debug, Clone, Copy)]
struct Cost {
    per_second: f64,
    cpu_us: f64,
    core_share: f64,
}

struct Bench {
    control: Control,
    speakers: Vec<Speaker>,
    crowd: Crowd,
    options: Options,
}

pub async fn measure(place: &Place, options: Options, tell: &dyn Fn(String)) -> Result<Row, ControlError> {
    let about = About::now(
        0,
        vec![crate::machine::about::first_line(&place.outrigger.display().to_string(), &["--version"], None)],
    );
    let folder = tempfile::tempdir()?;
    let control = Control::start(place, folder.path(), place.cores.proxy, ALSO).await?;
    let crowd = Crowd { capabilities: options.capabilities_each, replicas_per_agent: 1 };
    let nodes =
        (0..options.agents).map(|at| (Crowd::node(at), Report { replicas: vec![crowd.replica(at)], calls: None }));
    let speakers = register(control.grpc, nodes.collect()).await?;
    tell(format!("{} agents with {} capabilities each are registered", options.agents, options.capabilities_each));
    let mut bench = Bench { control, speakers, crowd, options };
    let says = format!(
        "{} agents, {} capabilities, SQLite, one connection per agent, control on one core",
        options.agents,
        options.agents * options.capabilities_each
    );
    let mut row = Row::new(about, "control registry", says);
    let few = bench.half(&mut row, tell).await?;
    fill(&bench.control, options.events).await?;
    let many = bench.half(&mut row, tell).await?;
    row.figure("CPU of a light report, the long log to the short", many.0.cpu_us / few.0.cpu_us, "×");
    row.figure("CPU of a full report, the long log to the short", many.1.cpu_us / few.1.cpu_us, "×");
    row.note(
        "light, one by one: each is a packet of its own, as in a mesh; as fast as taken: the kernel and HTTP/2 join several",
    );
    row.note(
        "full, with a change: the weight of the replica differs, so it is stored, is an event, and makes snapshots",
    );
    row.note(
        "where the share of the core is well below 100 % the sender was the limit; 1 / CPU is then the better figure",
    );
    row.about.finish();
    Ok(row)
}

impl Bench {
    /// All kinds of reports at the present length of the event log; the cost of lights and of fulls without a change.
    async fn half(&mut self, row: &mut Row, tell: &dyn Fn(String)) -> Result<(Cost, Cost), ControlError> {
        let stored = events_stored(&self.control).await?;
        let with = format!("{stored} events stored");
        let paced = self.paced().await?;
        add(row, tell, &format!("light, one by one at {}/s, {with}", self.options.paced_per_second), paced, None);
        let light = self.saturated().await?;
        add(row, tell, &format!("light, as fast as taken, {with}"), light, Some(20_000.0));
        let (full, _) = self.fulls(false).await?;
        add(row, tell, &format!("full, nothing changed, {with}"), full, Some(2_000.0));
        let (changed, times) = self.fulls(true).await?;
        add(row, tell, &format!("full, with a change, {with}"), changed, Some(2_000.0));
        row.figure(format!("answer to a full report with a change, p99, {with}"), times.quantile_us(0.99) / 1e3, "ms");
        Ok((light, full))
    }

    /// Open loop, node after node.
    async fn paced(&self) -> Result<Cost, ControlError> {
        let Options { paced_per_second, paced_seconds, .. } = self.options;
        let count = paced_per_second * paced_seconds;
        let (due, mut waiting) = mpsc::channel(65_536);
        let meter = Meter::start(&self.control).await?;
        beat(Pace::new(Instant::now(), paced_per_second), count, due)?;
        let mut next = self.speakers.iter().cycle();
        while waiting.recv().await.is_some() {
            if let Some(speaker) = next.next() {
                speaker.light().await?;
            }
        }
        meter.until_counted(&self.control, count).await
    }

    async fn saturated(&self) -> Result<Cost, ControlError> {
        let each = self.options.lights / self.speakers.len().max(1) as u64;
        let meter = Meter::start(&self.control).await?;
        let mut under_way = Vec::new();
        for speaker in &self.speakers {
            under_way.push(async move {
                for _ in 0..each {
                    speaker.light().await?;
                }
                Ok::<_, SpeakerError>(())
            });
        }
        futures_util::future::try_join_all(under_way).await?;
        meter.until_counted(&self.control, each * self.speakers.len() as u64).await
    }

    /// Every node reports, waits until it is taken, and reports again, until all reports are made.
    async fn fulls(&mut self, with_change: bool) -> Result<(Cost, Times), ControlError> {
        let (left, times) =
            (Arc::new(AtomicU64::new(self.options.fulls)), Arc::new(std::sync::Mutex::new(Times::default())));
        let meter = Meter::start(&self.control).await?;
        let mut under_way = JoinSet::new();
        for (at, mut speaker) in std::mem::take(&mut self.speakers).into_iter().enumerate() {
            let (left, times, usual) = (Arc::clone(&left), Arc::clone(&times), self.crowd.replica(at));
            under_way.spawn(async move {
                let mut turn = 0_u32;
                while take_one(&left) {
                    turn += 1;
                    let mut replica = usual.clone();
                    replica.weight = if with_change { 100 + turn % 2 } else { 100 };
                    let began = Instant::now();
                    speaker.report(Report { replicas: vec![replica], calls: None }).await?;
                    times.lock().unwrap_or_else(std::sync::PoisonError::into_inner).record(began.elapsed());
                }
                Ok::<_, SpeakerError>((at, speaker))
            });
        }
        let mut speakers = Vec::new();
        while let Some(done) = under_way.join_next().await {
            speakers.push(done??);
        }
        let cost = meter.stop(&self.control, self.options.fulls)?;
        speakers.sort_by_key(|(at, _)| *at);
        self.speakers = speakers.into_iter().map(|(_, speaker)| speaker).collect();
        let times = times.lock().unwrap_or_else(std::sync::PoisonError::into_inner).clone();
        Ok((cost, times))
    }
}

/// A node whose replicas stumble and recover until the log is as long as asked; then it leaves.
pub async fn fill(control: &Control, events: u64) -> Result<(), ControlError> {
    let mut restless = Speaker::open(control.grpc, "restless").await?;
    let mut serving = true;
    while events_stored(control).await? < events {
        serving = !serving;
        let one = |at| {
            let usual = replica("restless", &format!("restless-{at}"));
            outrigger_wire::proto::registry::Replica { serving, ..usual }
        };
        restless.report(Report { replicas: (0..RESTLESS).map(one).collect(), calls: None }).await?;
    }
    restless.leave().await?;
    Ok(())
}

fn take_one(left: &AtomicU64) -> bool {
    left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1)).is_ok()
}

fn add(row: &mut Row, tell: &dyn Fn(String), what: &str, cost: Cost, at_least: Option<f64>) {
    tell(format!(
        "{what}: {:.0}/s, CPU {:.1} us each, {:.0} % of its core",
        cost.per_second,
        cost.cpu_us,
        cost.core_share * 100.0
    ));
    match at_least {
        Some(limit) => row.at_least(what, cost.per_second, "/s", limit),
        None => row.figure(what, cost.per_second, "/s"),
    }
    row.figure(format!("{what}: CPU of control each"), cost.cpu_us, "µs");
    row.figure(format!("{what}: CPU of its core"), cost.core_share * 100.0, "%");
}

/// From the oldest to the newest; ids have no gaps.
pub async fn events_stored(control: &Control) -> Result<u64, ControlError> {
    let id = |value: serde_json::Value| value.pointer("/items/0/id").and_then(serde_json::Value::as_u64);
    let newest = id(ask::json(control.http, "/v1/events?limit=1").await?).unwrap_or_default();
    let oldest = id(ask::json(control.http, "/v1/events?after=0&limit=1").await?).unwrap_or_default();
    Ok((newest + 1).saturating_sub(oldest.max(1)))
}

/// Time, CPU and counted light signals at the start of a run.
struct Meter {
    began: Instant,
    cpu: Duration,
    counted: f64,
}

impl Meter {
    async fn start(control: &Control) -> Result<Self, ControlError> {
        let counted = ask::metric(control.http, LIGHT).await?;
        Ok(Self { counted, cpu: cpu(control.pid()?)?, began: Instant::now() })
    }

    /// When control has counted `count` more light signals.
    async fn until_counted(self, control: &Control, count: u64) -> Result<Cost, ControlError> {
        let until = Instant::now() + COUNTED_MAX;
        loop {
            let counted = ask::metric(control.http, LIGHT).await? - self.counted;
            if counted >= count as f64 {
                return self.stop(control, count);
            }
            if Instant::now() >= until {
                let what = format!("{count} light signals are counted, not {counted}");
                return Err(ControlError::InVain { what, seconds: COUNTED_MAX.as_secs() });
            }
            tokio::time::sleep(LOOK_AGAIN).await;
        }
    }

    fn stop(self, control: &Control, count: u64) -> Result<Cost, ControlError> {
        let seconds = self.began.elapsed().as_secs_f64();
        let spent = cpu(control.pid()?)?.saturating_sub(self.cpu).as_secs_f64();
        let count = count.max(1) as f64;
        Ok(Cost { per_second: count / seconds, cpu_us: spent / count * 1e6, core_share: spent / seconds })
    }
}
