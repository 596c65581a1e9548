//! Looks at a rollout every half second, and says what becomes of it.
//!
//! In: the rollout as it stands, who watches, how calls went. Out: moves for the writer, and a [`Standing`] for operators.
//! Invariant: what was counted before a step, or before control started, speaks neither for nor against the candidate.

use std::time::Duration;

use outrigger_control_core::rollout::compare::{Baseline, Groups, Since, groups};
use outrigger_control_core::rollout::course::{Decision, Rollout};
use outrigger_control_core::rollout::gate::{Ratio, judge};
use outrigger_model::resource::Serial;
use outrigger_model::tally::Tally;
use tokio::sync::watch;
use tokio::time::{Instant, MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;
use tracing::debug;

use crate::discovery::watchers::Watchers;
use crate::rollout::seen::{proxies, seen};
use crate::telemetry::metrics::{EndLabel, GroupLabel, Metrics};
use crate::writer::{Move, NotMoved, Stopped, Writer};

const LOOK_EVERY: Duration = Duration::from_millis(500);
/// Who moves a rollout by its own rules, as events name it.
const CONTROL: &str = "control";

/// How a step of a rollout stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Standing {
    pub since: Since,
    pub groups: Groups,
    /// For how long the step lasts.
    pub lasts: Duration,
    /// What it waits for; none if it waits for an operator.
    pub waits_for: Option<String>,
}

/// Looks at rollouts while control runs.
#[derive(Debug)]
pub struct Judge {
    writer: Writer,
    watchers: Watchers,
    metrics: Metrics,
    shown: watch::Sender<Option<Standing>>,
    step: Option<Step>,
    /// The end that was counted last, by its serial.
    counted: Option<Serial>,
}

/// The step that is looked at.
#[derive(Debug)]
struct Step {
    since: Since,
    began: Instant,
    baseline: Baseline,
}

impl Judge {
    pub fn new(writer: Writer, watchers: Watchers, metrics: Metrics) -> (Self, watch::Receiver<Option<Standing>>) {
        let (shown, standing) = watch::channel(None);
        // What ended before this start was counted then.
        let counted = writer.rollouts().borrow().as_ref().and_then(|rollout| rollout.ended);
        (Self { writer, watchers, metrics, shown, step: None, counted }, standing)
    }

    pub async fn run(mut self, stop: CancellationToken) {
        let mut rollouts = self.writer.rollouts();
        let mut reigns = self.writer.reigns();
        let mut look = interval(LOOK_EVERY);
        look.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            let newest = rollouts.borrow_and_update().clone();
            // A rollout is moved by the control that leads, and by no other.
            let leads = self.writer.leads().is_ok();
            let running = newest.as_ref().filter(|rollout| leads && !rollout.is_over());
            let done = match running {
                Some(rollout) => self.look(rollout).await,
                None => {
                    self.rest(newest.as_deref(), leads);
                    Ok(())
                }
            };
            if done.is_err() {
                return;
            }
            tokio::select! {
                () = stop.cancelled() => return,
                changed = rollouts.changed() => if changed.is_err() {
                    return;
                },
                changed = reigns.changed() => if changed.is_err() {
                    return;
                },
                _ = look.tick(), if running.is_some() => {}
            }
        }
    }

    /// There is nothing to look at. What was seen last stays to be shown.
    fn rest(&mut self, newest: Option<&Rollout>, leads: bool) {
        self.step = None;
        self.metrics.rollout_step.set(0);
        if let Some(rollout) = newest.filter(|rollout| rollout.is_over() && rollout.ended != self.counted) {
            if leads {
                self.metrics.rollouts_ended.get_or_create(&EndLabel { end: rollout.phase.as_str() }).inc();
            }
            self.counted = rollout.ended;
        }
    }

    async fn look(&mut self, rollout: &Rollout) -> Result<(), Stopped> {
        let tallies = self.writer.tallies().await?;
        let step = match self.step.take() {
            Some(step) if step.since == rollout.since => step,
            _ => Step { since: rollout.since, began: Instant::now(), baseline: Baseline::new(tallies.clone()) },
        };
        let step = self.step.insert(step);
        let lasts = step.began.elapsed();
        let groups = groups(&seen(&self.watchers), &rollout.membership(), rollout.since, &tallies, &mut step.baseline);
        self.count(rollout, &groups);
        let decision = rollout.decide(judge(&rollout.plan.gate, &groups, &rollout.earlier, lasts));
        let waits_for = match &decision {
            Decision::Wait(why) => Some(why.to_string()),
            _ => None,
        };
        let control = groups.control.tally;
        self.shown.send_replace(Some(Standing { since: rollout.since, groups, lasts, waits_for }));
        self.act(rollout, decision, control).await
    }

    async fn act(&self, rollout: &Rollout, decision: Decision, control: Tally) -> Result<(), Stopped> {
        let by = CONTROL.to_owned();
        let step = match decision {
            Decision::Wait(_) | Decision::Ready => return Ok(()),
            Decision::Advance => Move::Widen { by, control, proxies: proxies(&self.watchers) },
            Decision::Hold(why) => Move::Hold { why: why.to_string() },
            Decision::Abort(why) => Move::Abort { by, why: why.to_string() },
            Decision::Done => Move::Promote { by: rollout.candidate.author.clone() },
        };
        match self.writer.move_rollout(Some(rollout.since), step).await {
            Err(NotMoved::Stopped) => Err(Stopped),
            // It stays where it is, and is looked at again.
            Err(error) => {
                debug!(%error, "a rollout was not moved");
                Ok(())
            }
            Ok(_) => Ok(()),
        }
    }

    fn count(&self, rollout: &Rollout, groups: &Groups) {
        self.metrics.rollout_step.set(i64::try_from(rollout.step + 1).unwrap_or(i64::MAX));
        for (label, group) in [("canary", &groups.canary), ("control", &groups.control)] {
            let label = GroupLabel { group: label };
            let proxies = i64::try_from(group.proxies).unwrap_or(i64::MAX);
            self.metrics.rollout_proxies.get_or_create(&label).set(proxies);
            self.metrics.rollout_failing.get_or_create(&label).set(Ratio::of(&group.tally).share());
        }
    }
}
