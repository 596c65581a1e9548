//! One rollout: where it stands, and what may become of it.
//!
//! In: what the gate says, what operators say. Out: the next step, or an end with its reason.
//! Never here: who the proxies are beyond the one that goes first, the content of the candidate.
//! Invariant: a rollout that ended stays as it ended; only a step that passed its gate, or an operator, widens it, and a restart begins a step
//! anew. What it tries is shown by no text of this room.

use std::collections::BTreeSet;
use std::fmt;
use std::time::SystemTime;

use outrigger_model::label::Labels;
use outrigger_model::name::NodeId;
use outrigger_model::resource::Serial;
use outrigger_model::tally::Tally;

use super::compare::Since;
use super::gate::{Verdict, Why};
use super::lane::Membership;
use super::plan::Plan;

/// Who wants it, and what.
#[derive(Clone, PartialEq, Eq)]
pub struct Candidate {
    /// The intent as it was written; may hold secrets.
    pub document: String,
    pub author: String,
    pub reason: String,
    /// The intent that it is compared with, and that it would follow.
    pub base: u64,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rollout {
    pub candidate: Candidate,
    pub plan: Plan,
    pub step: usize,
    pub lead: Option<NodeId>,
    pub phase: Phase,
    pub started_at: SystemTime,
    pub step_at: SystemTime,
    pub since: Since,
    /// The first snapshot after its end; none while it lasts.
    pub ended: Option<Serial>,
    /// What the control group did on earlier steps.
    pub earlier: Tally,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Phase {
    Running,
    /// It goes on only if somebody says so.
    Held(String),
    Promoted,
    Aborted(String),
}

/// What is to be done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Decision {
    Wait(Why),
    /// The step is over, and somebody has to widen or promote.
    Ready,
    Advance,
    Hold(Why),
    Abort(Why),
    /// The last step is over: everybody is to get it.
    Done,
}

/// Why nothing was begun.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotStarted {
    #[error("no proxy is connected that could try it")]
    Nobody,
    #[error("no connected proxy has the labels `{0}`")]
    NoMatch(String),
}

/// Why it is not widened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotWidened {
    #[error("this is the last step")]
    Last,
    #[error("the rollout has ended")]
    Ended,
}

impl Rollout {
    /// `serial` is the first snapshot with a lane; `proxies` are those that are connected.
    pub fn start(
        candidate: Candidate,
        plan: Plan,
        proxies: &BTreeSet<(NodeId, Labels)>,
        serial: Serial,
        now: SystemTime,
    ) -> Result<Self, NotStarted> {
        let membership = plan.membership(0).with_lead(proxies);
        if !proxies.iter().any(|(node, labels)| membership.contains(node, labels)) {
            return Err(match plan.selector() {
                Some(selector) if !proxies.is_empty() => NotStarted::NoMatch(selector.to_string()),
                _ => NotStarted::Nobody,
            });
        }
        Ok(Self {
            candidate,
            plan,
            step: 0,
            lead: membership.lead,
            phase: Phase::Running,
            started_at: now,
            step_at: now,
            since: Since { rollout: serial, step: serial },
            ended: None,
            earlier: Tally::default(),
        })
    }

    pub fn is_over(&self) -> bool {
        matches!(self.phase, Phase::Promoted | Phase::Aborted(_))
    }

    pub fn is_last_step(&self) -> bool {
        self.step + 1 >= self.plan.steps()
    }

    /// Who is in the lane now; nobody once it is over.
    pub fn membership(&self) -> Membership {
        if self.is_over() {
            return Membership::default();
        }
        Membership { lead: self.lead.clone(), ..self.plan.membership(self.step) }
    }

    pub fn decide(&self, verdict: Verdict) -> Decision {
        match (verdict, &self.phase) {
            (Verdict::Abort(why), Phase::Running | Phase::Held(_)) => Decision::Abort(why),
            (_, Phase::Held(_) | Phase::Promoted | Phase::Aborted(_)) => Decision::Ready,
            (Verdict::Wait(why), _) => Decision::Wait(why),
            (Verdict::Hold(why), _) => Decision::Hold(why),
            (Verdict::Pass, _) if self.plan.is_manual => Decision::Ready,
            (Verdict::Pass, _) if self.is_last_step() => Decision::Done,
            (Verdict::Pass, _) => Decision::Advance,
        }
    }

    /// The next step, from `serial` on. `control` is what the control group did on this one.
    pub fn widen(
        &mut self,
        control: &Tally,
        proxies: &BTreeSet<(NodeId, Labels)>,
        serial: Serial,
        now: SystemTime,
    ) -> Result<(), NotWidened> {
        if self.is_over() {
            return Err(NotWidened::Ended);
        }
        if self.is_last_step() {
            return Err(NotWidened::Last);
        }
        self.step += 1;
        self.lead = self.membership().with_lead(proxies).lead;
        self.earlier = self.earlier.and(control);
        self.phase = Phase::Running;
        self.step_at = now;
        self.since.step = serial;
        Ok(())
    }

    /// Control started again: what was counted is gone, so the step is begun anew.
    pub fn resume(&mut self, now: SystemTime) {
        if !self.is_over() {
            self.step_at = now;
        }
    }

    pub fn hold(&mut self, why: String) {
        if self.phase == Phase::Running {
            self.phase = Phase::Held(why);
        }
    }

    /// From `serial` on everybody is back; false if it had ended before.
    pub fn abort(&mut self, why: String, serial: Serial) -> bool {
        self.end(Phase::Aborted(why), serial)
    }

    pub fn promote(&mut self, serial: Serial) -> bool {
        self.end(Phase::Promoted, serial)
    }

    fn end(&mut self, phase: Phase, serial: Serial) -> bool {
        if self.is_over() {
            return false;
        }
        self.phase = phase;
        self.ended = Some(serial);
        // Its secrets are needed no more.
        self.candidate.document.clear();
        true
    }
}

impl Phase {
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Held(_) => "held",
            Self::Promoted => "promoted",
            Self::Aborted(_) => "aborted",
        }
    }

    /// Why it stands as it stands.
    pub fn why(&self) -> Option<&str> {
        match self {
            Self::Held(why) | Self::Aborted(why) => Some(why),
            Self::Running | Self::Promoted => None,
        }
    }
}

impl fmt::Debug for Candidate {
    /// Without the document, which may hold secrets.
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { document, author, reason, base } = self;
        let mut told = out.debug_struct("Candidate");
        told.field("bytes", &document.len()).field("author", author).field("reason", reason).field("base", base);
        told.finish()
    }
}

#[cfg(test)]
mod tests;
