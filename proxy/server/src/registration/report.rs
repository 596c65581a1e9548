//! The task that keeps control informed for as long as the proxy lives.
//!
//! In: who we are, the watch of the own agents, ways to reach control. Out: a [`Registration`] to watch and to end.
//! Rules: a report when something changed, a light signal when nothing did, `Draining` and `Leave` at the end. A stream
//! that breaks is opened again after a jittered pause; calls do not notice.
//! Never here: what control makes of it.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use outrigger_client::backoff::Backoff;
use outrigger_model::name::NodeId;
use outrigger_wire::encode;
use outrigger_wire::proto::registry::{Hello, Hint, Report, Welcome, hint};
use outrigger_wire::report::calls;
use tokio::sync::watch;
use tokio::time::{Instant, MissedTickBehavior, interval_at, sleep, timeout};
use tracing::{debug, info, warn};

use super::controls::Controls;
use super::offered;
use super::stream::{Reports, StreamError};
use crate::health::local::{LocalReplica, LocalReplicas};
use crate::lifecycle::drain::{Stop, Tasks};
use crate::telemetry::Events;

/// Until control says otherwise.
const LIGHT_EVERY: Duration = Duration::from_secs(5);
/// What control may ask for.
const LIGHT_EVERY_RANGE: (Duration, Duration) = (Duration::from_millis(50), Duration::from_secs(300));
const PAUSE_FIRST: Duration = Duration::from_millis(100);
const PAUSE_MAX: Duration = Duration::from_secs(5);
/// How long control may take to hear a goodbye.
const LEAVE_DEADLINE: Duration = Duration::from_secs(1);
/// Most refusals that are kept for people.
const REFUSALS_MAX: usize = 64;

/// Who reports.
#[derive(Clone)]
pub struct Reporter {
    pub node: NodeId,
    pub build: String,
    /// What other proxies dial.
    pub advertise: SocketAddr,
    /// Where calls are counted.
    pub events: Arc<Events>,
}

/// How registration stands.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Status {
    pub connected: bool,
    /// The snapshot that first includes our last report.
    pub taken: Option<u64>,
    /// Of the last report.
    pub refused: Vec<Refused>,
    /// Why the last stream ended or could not be opened.
    pub trouble: Option<String>,
}

/// A replica that control did not take.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refused {
    pub replica: String,
    pub reason: String,
    pub field: String,
    pub detail: String,
}

/// The running registration.
#[derive(Debug, Clone)]
pub struct Registration {
    status: watch::Receiver<Status>,
    locals: watch::Receiver<LocalReplicas>,
    phase: Arc<watch::Sender<Phase>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Phase {
    Serving,
    /// Another process reports in our place.
    Hushed,
    Draining,
    Leaving,
}

impl Registration {
    pub fn start(
        reporter: Reporter,
        controls: Controls,
        locals: watch::Receiver<LocalReplicas>,
        tasks: &mut Tasks,
    ) -> Self {
        let (status, shown) = watch::channel(Status::default());
        let (phase, phases) = watch::channel(Phase::Serving);
        let chance = fastrand::Rng::new();
        let known = locals.clone();
        let task = Task { reporter, controls, locals, status, phase: phases, said: None, chance };
        tasks.spawn("registration", task.run(tasks.token()));
        Self { status: shown, locals: known, phase: Arc::new(phase) }
    }

    /// Whether there is anybody behind this proxy to tell of.
    pub fn is_needed(&self) -> bool {
        self.locals.borrow().iter().any(LocalReplica::offers)
    }

    pub fn status(&self) -> watch::Receiver<Status> {
        self.status.clone()
    }

    /// Asks for no new work: what is bound stays. Stands until [`Registration::leave`].
    pub fn drain(&self) {
        self.phase.send_if_modified(|phase| std::mem::replace(phase, (*phase).max(Phase::Draining)) < Phase::Draining);
    }

    /// Says nothing more, because another process of this node is about to report. Control hears no farewell.
    pub fn hush(&self) {
        self.phase.send_if_modified(|phase| std::mem::replace(phase, (*phase).max(Phase::Hushed)) < Phase::Hushed);
    }

    /// Reports again: the other process did not come up.
    pub fn resume(&self) {
        self.phase.send_if_modified(|phase| {
            let was_hushed = *phase == Phase::Hushed;
            if was_hushed {
                *phase = Phase::Serving;
            }
            was_hushed
        });
    }

    /// Withdraws the replicas; ends when control has heard it, or could not.
    pub async fn leave(&self) {
        self.phase.send_replace(Phase::Leaving);
        let mut status = self.status.clone();
        // The sender of the status is dropped with the task.
        let ended = async { while status.changed().await.is_ok() {} };
        let _ = timeout(LEAVE_DEADLINE * 2, ended).await;
    }
}

struct Task {
    reporter: Reporter,
    controls: Controls,
    locals: watch::Receiver<LocalReplicas>,
    status: watch::Sender<Status>,
    phase: watch::Receiver<Phase>,
    /// The last report on this stream.
    said: Option<Report>,
    chance: fastrand::Rng,
}

/// How a stream ended.
enum End {
    Left,
    Broke(StreamError),
}

impl Task {
    async fn run(mut self, stop: Stop) {
        stop.run_until_cancelled(self.keep_reporting()).await;
    }

    async fn keep_reporting(&mut self) {
        let mut backoff = Backoff::new(PAUSE_FIRST, PAUSE_MAX, self.chance.fork());
        loop {
            self.while_hushed().await;
            let End::Broke(error) = self.one_stream(&mut backoff).await else { return };
            self.lost(&error);
            self.controls.failed(&error);
            let mut phase = self.phase.clone();
            let leaving = phase.wait_for(|phase| *phase == Phase::Leaving);
            tokio::select! {
                () = sleep(backoff.next_wait()) => {}
                // Control cannot be told; the lease will end.
                _ = leaving => return,
            }
        }
    }

    /// Its sender is gone only when nobody can end this task in order any more.
    async fn while_hushed(&self) {
        let mut phase = self.phase.clone();
        let _ = phase.wait_for(|phase| *phase != Phase::Hushed).await;
    }

    async fn one_stream(&mut self, backoff: &mut Backoff) -> End {
        let hello = Hello { node: self.reporter.node.to_string(), build: self.reporter.build.clone() };
        self.said = None;
        let report = self.next_report();
        let opened = Reports::open(self.controls.channel(), hello, report).await;
        match opened {
            Ok(mut reports) => match self.talk(&mut reports, backoff).await {
                Ok(()) => {
                    reports.leave(LEAVE_DEADLINE).await;
                    End::Left
                }
                Err(error) => End::Broke(error),
            },
            Err(error) => End::Broke(error),
        }
    }

    /// Keeps one stream going; `Ok` when it is time to leave.
    async fn talk(&mut self, reports: &mut Reports, backoff: &mut Backoff) -> Result<(), StreamError> {
        let mut light = ticks(LIGHT_EVERY);
        let mut phase = self.phase.clone();
        phase.mark_changed();
        loop {
            tokio::select! {
                hint = reports.hint() => {
                    backoff.reset();
                    if let Some(every) = self.heed(hint?, reports).await? {
                        light = ticks(every);
                    }
                }
                Ok(()) = phase.changed() => {
                    let now = *phase.borrow_and_update();
                    match now {
                        Phase::Serving => {}
                        // The stream stays, so that control misses nobody; who reports next speaks for the node from then on.
                        Phase::Hushed => {
                            self.while_hushed().await;
                            phase.mark_changed();
                            self.said = None;
                            if let Some(report) = self.next_report() {
                                reports.report(report).await?;
                            }
                        }
                        Phase::Draining => reports.draining().await?,
                        Phase::Leaving => return Ok(()),
                    }
                }
                Ok(()) = self.locals.changed() => {
                    if let Some(report) = self.next_report() {
                        reports.report(report).await?;
                        light.reset();
                    }
                }
                _ = light.tick() => reports.light(&self.reporter.events.tally()).await?,
            }
        }
    }

    /// Does what control asks; how often it wants a light signal, if it said so.
    async fn heed(&mut self, hint: Hint, reports: &Reports) -> Result<Option<Duration>, StreamError> {
        match hint.hint {
            Some(hint::Hint::Welcome(welcome)) => {
                info!(node = %self.reporter.node, "control welcomes this proxy");
                self.status.send_modify(|status| {
                    status.connected = true;
                    status.trouble = None;
                });
                return Ok(Some(light_every(&welcome)));
            }
            Some(hint::Hint::Taken(taken)) => {
                debug!(serial = taken.serial, "report taken");
                self.status.send_modify(|status| status.taken = Some(taken.serial));
            }
            Some(hint::Hint::Refused(refused)) => self.refused(Refused {
                replica: refused.replica,
                reason: refused.reason,
                field: refused.field,
                detail: refused.detail,
            }),
            Some(hint::Hint::ReportAgain(_)) => {
                self.said = None;
                if let Some(report) = self.next_report() {
                    reports.report(report).await?;
                }
            }
            // A hint of a newer control.
            None => {}
        }
        Ok(None)
    }

    fn refused(&self, refused: Refused) {
        let Refused { replica, reason, field, detail } = &refused;
        warn!(%replica, %reason, %field, %detail, "control does not take a replica");
        self.status.send_modify(|status| {
            if status.refused.len() < REFUSALS_MAX {
                status.refused.push(refused);
            }
        });
    }

    fn lost(&self, error: &StreamError) {
        let trouble = error.to_string();
        let known = self.status.borrow().trouble.as_ref() == Some(&trouble);
        if !known {
            warn!(node = %self.reporter.node, %trouble, "registration is interrupted; calls go on");
        }
        self.status.send_modify(|status| {
            status.connected = false;
            status.trouble = Some(trouble);
        });
    }

    /// The report to send, if it differs from the last; none before the first look at an agent.
    fn next_report(&mut self) -> Option<Report> {
        let Reporter { node, advertise, .. } = &self.reporter;
        let replicas = {
            let locals = self.locals.borrow_and_update();
            let replicas = offered::reported(node, *advertise, &locals);
            if self.said.is_none() && replicas.is_empty() && locals.iter().any(LocalReplica::offers) {
                return None;
            }
            replicas
        };
        let report = encode::replica::report(&replicas);
        if self.said.as_ref() == Some(&report) {
            return None;
        }
        self.said = Some(report.clone());
        self.status.send_if_modified(|status| !std::mem::take(&mut status.refused).is_empty());
        // Beside what is compared: that calls were made is no change.
        Some(Report { calls: Some(calls(&self.reporter.events.tally())), ..report })
    }
}

fn ticks(every: Duration) -> tokio::time::Interval {
    let mut ticks = interval_at(Instant::now() + every, every);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    ticks
}

/// The period of control's welcome, kept within sane bounds.
fn light_every(welcome: &Welcome) -> Duration {
    let asked = welcome.light_every.and_then(|every| Duration::try_from(every).ok()).unwrap_or(LIGHT_EVERY);
    asked.clamp(LIGHT_EVERY_RANGE.0, LIGHT_EVERY_RANGE.1)
}

#[cfg(test)]
mod tests;
