//! What proxies run is changed again and again while callers with kept connections POST.
//!
//! In: [`Options`]. Out: a row.
//! What can be changed hot are facts: who is registered, and how. In turn: an agent that nobody calls comes or goes; the agent
//! that is called gets or loses a further replica, which is draining, so that no call may go there; that replica's record
//! changes. Each is a snapshot of its own, which makes every proxy compile and swap its world.
//! What is not hot today: the files of proxies and of control, and so the routes of operators.
//! Invariant: a change counts when every proxy has acknowledged a snapshot that has it, and only then the next one is made.

use std::time::{Duration, Instant};

use outrigger_wire::proto::registry::Report;

use super::error::OutageError;
use super::mesh::{Mesh, OWN, Plan, SPREAD};
use super::traffic::Traffic;
use crate::control::crowd;
use crate::echo::Era;
use crate::generate::Dress;
use crate::generate::figures::Times;
use crate::machine::about::{About, first_line};
use crate::peers::Place;
use crate::row::Row;
use crate::speaker::Speaker;
use crate::stage::part::until;

#[derive(Debug, Clone, Copy)]
pub struct Options {
    pub changes: u64,
    /// Of each of the two kinds of calls.
    pub per_second: u64,
}

const CALLERS: usize = 32;
const QUIET: Duration = Duration::from_secs(2);
const CHANGE_MAX: Duration = Duration::from_secs(20);

/// The two nodes whose registration changes.
struct Changer {
    stranger: Speaker,
    sibling: Speaker,
}

pub async fn measure(place: &Place, options: Options, tell: &dyn Fn(String)) -> Result<Row, OutageError> {
    let version = first_line(&place.outrigger.display().to_string(), &["--version"], None);
    let Options { changes, per_second } = options;
    let says = format!(
        "{changes} changes of facts, each applied by all proxies, {per_second}/s in sessions and {per_second}/s balanced"
    );
    let mut row = Row::new(About::now(0, vec![version]), "outages hot-changes", says);
    let mesh = Mesh::start(place, &Plan::default()).await?;
    let mut changer = Changer::begin(&mesh).await?;
    let in_session = Dress { session: true, ..Dress::plain(Era::Legacy) };
    let sessions = Traffic::start(&mesh.target(OWN), &in_session, CALLERS, per_second).await?;
    let balanced = Traffic::start(&mesh.target(SPREAD), &Dress::plain(Era::Modern), CALLERS, per_second).await?;
    tokio::time::sleep(QUIET).await;
    let quiet = sessions.started.elapsed();
    let (mut times, mut last) = (Times::default(), 0);
    for change in 0..changes {
        let began = Instant::now();
        let serial = changer.change(change).await?;
        if serial <= last {
            return Err(OutageError::Wrong(format!("change {change} made no snapshot: still {serial}")));
        }
        last = serial;
        let applied = async || mesh.control.synced(Some(serial)).await.is_ok_and(|count| count == mesh.proxies());
        until("every proxy applied a change", CHANGE_MAX, applied).await?;
        times.record(began.elapsed());
        if (change + 1).is_multiple_of(100) {
            let failed = sessions.so_far().1 + balanced.so_far().1;
            tell(format!("{} changes, {failed} failed calls", change + 1));
        }
    }
    let (sessions, balanced) = (sessions.end().await?, balanced.end().await?);
    row.figure("calls", (sessions.tally.calls + balanced.tally.calls) as f64, "");
    let faults = sessions.tally.faults() + balanced.tally.faults();
    row.at_most("calls that failed, were wrong or misrouted", faults as f64, "", 0.0);
    row.figure("changes that every proxy applied", times.count() as f64, "");
    row.figure("change → applied in every proxy, p50", times.quantile_us(0.5) / 1e3, "ms");
    row.figure("change → applied in every proxy, p99", times.quantile_us(0.99) / 1e3, "ms");
    for (kind, seen) in [("in sessions", &sessions), ("balanced", &balanced)] {
        row.figure(format!("{kind}, before, p99"), seen.times(Duration::ZERO, quiet).quantile_us(0.99), "µs");
        row.figure(format!("{kind}, during changes, p99"), seen.times(quiet, Duration::MAX).quantile_us(0.99), "µs");
        if seen.tally.faults() > 0 {
            row.note(format!("{kind}: {}", seen.faults()));
        }
    }
    row.note("changed: registrations, of an agent beside and of a draining replica of the agent that is called");
    row.note("not hot today, so not changed: the files of proxies and of control");
    row.about.finish();
    Ok(row)
}

impl Changer {
    async fn begin(mesh: &Mesh) -> Result<Self, OutageError> {
        let stranger = Speaker::open(mesh.control.grpc, "stranger").await?;
        let mut sibling = Speaker::open(mesh.control.grpc, "sibling").await?;
        // Only a node that is known can drain, so it is made known by a replica that does not serve: no call may go there.
        let unready = outrigger_wire::proto::registry::Replica { serving: false, ..echo_sibling(1) };
        sibling.report(Report { replicas: vec![unready], calls: None }).await?;
        sibling.draining().await?;
        sibling.report(Report::default()).await?;
        Ok(Self { stranger, sibling })
    }

    /// Change number `turn`; the serial of the snapshot that has it.
    async fn change(&mut self, turn: u64) -> Result<u64, OutageError> {
        Ok(match turn % 4 {
            0 => {
                let replica = crowd::replica("stranger", &format!("stranger-{turn}"));
                self.stranger.report(Report { replicas: vec![replica], calls: None }).await?
            }
            1 | 2 => self.sibling.report(Report { replicas: vec![echo_sibling(turn)], calls: None }).await?,
            _ => {
                self.stranger.report(Report::default()).await?;
                self.sibling.report(Report::default()).await?
            }
        })
    }
}

/// A further replica of the agent that is called; its weight tells the turns apart.
fn echo_sibling(turn: u64) -> outrigger_wire::proto::registry::Replica {
    let mut replica = crowd::replica("echo", "echo-sibling");
    replica.semver = "1.0.0".to_owned();
    replica.tags.clear();
    replica.weight = 1 + u32::try_from(turn % 999).unwrap_or_default();
    replica
}
