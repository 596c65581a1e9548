//! Answers operators: starts rollouts, moves them, says how they stand.
//!
//! In: a candidate and how it is to be tried, who asks and why. Out: the rollout beside what both groups do, or why nothing was done.
//! Never here: HTTP and gRPC; each has its door.
//! Invariant: nothing is tried that could not be published.

use std::sync::Arc;
use std::time::Duration;

use outrigger_control_core::event::one_line;
use outrigger_control_core::intent::history::{REASON_BYTES_MAX, Signature};
use outrigger_control_core::rollout::course::Rollout;
use outrigger_control_core::rollout::plan::{BadPlan, Gate, PARTS, Plan};
use outrigger_model::label::BadLabel;
use tokio::sync::watch;

use crate::discovery::watchers::Watchers;
use crate::intent::desk::{Asked, Desk, Refusal, Sent};
use crate::rollout::judge::Standing;
use crate::rollout::seen::proxies;
use crate::writer::{Move, NotMoved, Trying, Writer};

/// Cheap to clone.
#[derive(Debug, Clone)]
pub struct Rollouts {
    pub writer: Writer,
    pub watchers: Watchers,
    pub desk: Desk,
    pub standing: watch::Receiver<Option<Standing>>,
}

/// How somebody wants a candidate tried; what is left out is as usual.
#[derive(Debug, Clone, Default)]
pub struct Manner {
    pub steps: Option<Vec<u8>>,
    pub labels: Option<String>,
    pub is_manual: bool,
    pub soak: Option<Duration>,
    pub patience: Option<Duration>,
    /// 0 to 1.
    pub error_ratio_max_increase: Option<f64>,
    pub min_calls: Option<u64>,
    pub slow_factor_max: Option<f64>,
}

/// A rollout, and what both groups did on the step that it is on.
#[derive(Debug, Clone)]
pub struct Report {
    pub rollout: Arc<Rollout>,
    /// None before it was looked at.
    pub standing: Option<Standing>,
}

/// Why nothing was done.
#[derive(Debug, thiserror::Error)]
pub enum NotDone {
    #[error(transparent)]
    Candidate(#[from] Refusal),
    #[error(transparent)]
    Plan(#[from] BadPlan),
    #[error("labels: {0}")]
    Labels(#[from] BadLabel),
    #[error(transparent)]
    Move(#[from] NotMoved),
}

impl Rollouts {
    pub async fn start(&self, sent: &Sent, asked: Asked, manner: Manner) -> Result<Report, NotDone> {
        let plan = manner.plan()?;
        let Asked { author, reason, expected } = asked;
        let signature = Signature::new(&author, &reason).map_err(Refusal::Signature)?;
        let document = self.desk.publishable(sent).await?;
        let trying = Trying { signature, expected, document, plan, proxies: proxies(&self.watchers) };
        Ok(self.report(self.writer.start_rollout(trying).await?))
    }

    /// The newest, also one that has ended.
    pub fn current(&self) -> Result<Report, NotDone> {
        let newest = self.writer.rollouts().borrow().clone();
        Ok(self.report(newest.ok_or(NotMoved::None)?))
    }

    pub async fn widen(&self, author: &str) -> Result<Report, NotDone> {
        let by = signed(author)?;
        let rollout = self.current()?;
        let control = rollout.standing.map(|standing| standing.groups.control.tally).unwrap_or_default();
        let step = Move::Widen { by, control, proxies: proxies(&self.watchers) };
        Ok(self.report(self.writer.move_rollout(Some(rollout.rollout.since), step).await?))
    }

    pub async fn promote(&self, author: &str) -> Result<Report, NotDone> {
        let step = Move::Promote { by: signed(author)? };
        Ok(self.report(self.writer.move_rollout(None, step).await?))
    }

    pub async fn abort(&self, author: &str, reason: &str) -> Result<Report, NotDone> {
        let reason = if reason.is_empty() { "aborted" } else { reason };
        let step = Move::Abort { by: signed(author)?, why: one_line(reason, REASON_BYTES_MAX) };
        Ok(self.report(self.writer.move_rollout(None, step).await?))
    }

    /// What was seen of an earlier step says nothing of this one.
    fn report(&self, rollout: Arc<Rollout>) -> Report {
        let standing = self.standing.borrow().clone().filter(|standing| standing.since == rollout.since);
        Report { rollout, standing }
    }
}

/// Whoever moves a rollout is named in the event log.
fn signed(author: &str) -> Result<String, NotDone> {
    let signature = Signature::new(author, "of a rollout").map_err(Refusal::Signature)?;
    Ok(signature.author().to_owned())
}

impl Manner {
    fn plan(self) -> Result<Plan, NotDone> {
        let usual = Gate::default();
        let gate = Gate {
            soak: self.soak.unwrap_or(usual.soak),
            patience: self.patience.unwrap_or(usual.patience),
            error_increase_max: match self.error_ratio_max_increase {
                None => usual.error_increase_max,
                Some(ratio) => parts(ratio, PARTS as f64, 1.0).ok_or(BadPlan::Ratio)?,
            },
            calls_min: self.min_calls.unwrap_or(usual.calls_min),
            slow_factor_max: match self.slow_factor_max {
                None => usual.slow_factor_max,
                Some(factor) => Some(parts(factor, 100.0, 1_000.0).ok_or(BadPlan::Factor)?),
            },
        };
        let labels = self.labels.filter(|labels| !labels.is_empty());
        let selector = labels.as_deref().map(str::parse).transpose()?;
        Ok(Plan::new(selector, self.steps, gate, self.is_manual)?)
    }
}

/// A number from 0 to `max`, in parts of one.
fn parts<N: TryFrom<u64>>(number: f64, parts: f64, max: f64) -> Option<N> {
    // Within bounds, so nothing is cut off but what is smaller than a part; not a number is outside of them.
    (0.0..=max).contains(&number).then_some((number * parts).round() as u64).and_then(|whole| N::try_from(whole).ok())
}
