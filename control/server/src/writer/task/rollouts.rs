//! How a rollout begins, moves and ends: what it is now, its event and the serial that goes by it are stored together, then shown.
//!
//! In: a candidate, moves. Out: the rollout as it stands, or why nothing changed.
//! Invariant: nothing is tried or widened that is not stored. An abort waits for nobody: a store that fails gets it later.

use std::sync::Arc;

use outrigger_control_core::event::{EventKind, one_line};
use outrigger_control_core::intent::history::{NoRecord, REASON_BYTES_MAX, Signature};
use outrigger_control_core::intent::record::IntentRecord;
use outrigger_control_core::port::Store;
use outrigger_control_core::registry::Command;
use outrigger_control_core::rollout::compare::Since;
use outrigger_control_core::rollout::course::{Candidate, Rollout};
use outrigger_control_core::rollout::lane::Membership;
use outrigger_model::resource::Serial;

use super::super::not_published::NotPublished;
use super::super::trial::{Answer, Asked, Move, NotMoved, Trying};
use super::{Task, say};

/// What events of rollouts are about.
const SUBJECT: &str = "rollout";

impl Task {
    /// Whom to answer, and what, once the store had its chance.
    pub(super) async fn asked(&mut self, asked: Asked) -> (Answer, Result<Arc<Rollout>, NotMoved>) {
        match asked {
            Asked::Start { trying, answer } => (answer, self.start(*trying).await),
            Asked::Move { since, step, answer } => (answer, self.move_on(since, step).await),
        }
    }

    async fn start(&mut self, trying: Trying) -> Result<Arc<Rollout>, NotMoved> {
        let Trying { signature, expected, document, plan, proxies } = trying;
        let current = self.main.number;
        if self.trials.running().is_some() {
            return Err(NotMoved::UnderWay);
        }
        if expected != current {
            return Err(NotPublished::Moved { current, expected }.into());
        }
        if document.intent == *self.main.intent {
            return Err(NotMoved::Unchanged(current));
        }
        let candidate = Candidate {
            document: document.text.clone(),
            author: signature.author().to_owned(),
            reason: signature.reason().to_owned(),
            base: current,
        };
        let serial = self.next_shown();
        let rollout = Rollout::start(candidate, plan, &proxies, serial, self.now().time)?;
        let detail = format!("{} by {}: {}", step_of(&rollout), signature.author(), signature.reason());
        self.commit_rollout(&rollout, EventKind::RolloutStarted, &detail, serial).await?;
        self.trials.document = Some(document);
        Ok(self.moved(rollout, serial))
    }

    async fn move_on(&mut self, since: Option<Since>, step: Move) -> Result<Arc<Rollout>, NotMoved> {
        let running = self.trials.running().ok_or(NotMoved::None)?;
        if since.is_some_and(|since| since != running.since) {
            return Err(NotMoved::Stale);
        }
        let mut rollout = Rollout::clone(&running);
        match step {
            Move::Promote { by } => self.promote(rollout, by).await,
            Move::Abort { by, why } => Ok(self.abort(rollout, format!("{why} (by {by})"))),
            Move::Hold { why } => self.hold(rollout, why).await,
            Move::Widen { by, control, proxies } => {
                let serial = self.next_shown();
                rollout.widen(&control, &proxies, serial, self.now().time)?;
                let detail = format!("{} by {by}", step_of(&rollout));
                self.commit_rollout(&rollout, EventKind::RolloutWidened, &detail, serial).await?;
                Ok(self.moved(rollout, serial))
            }
        }
    }

    /// From the next snapshot on everybody is back on the intent that runs.
    fn abort(&mut self, mut rollout: Rollout, why: String) -> Arc<Rollout> {
        let serial = self.next_shown();
        rollout.abort(why, serial);
        self.apply(ended_event(&rollout));
        self.pending.set_rollout(rollout.clone());
        self.moved(rollout, serial)
    }

    /// It stays as wide as it is until somebody says otherwise; no snapshot differs by that.
    async fn hold(&mut self, mut rollout: Rollout, why: String) -> Result<Arc<Rollout>, NotMoved> {
        rollout.hold(why.clone());
        let detail = format!("{}: {why}", step_of(&rollout));
        self.commit_rollout(&rollout, EventKind::RolloutHeld, &detail, self.next_serial()).await?;
        Ok(self.trials.show(rollout))
    }

    /// The candidate becomes the intent that runs.
    async fn promote(&mut self, mut rollout: Rollout, by: String) -> Result<Arc<Rollout>, NotMoved> {
        let document = self.trials.document.clone().ok_or(NotMoved::None)?;
        let reason = one_line(&format!("promoted: {}", rollout.candidate.reason), REASON_BYTES_MAX);
        let signature = Signature::new(&by, &reason)?;
        let record = self.history.publish(rollout.candidate.base, signature, &document.text, self.now().time);
        match record {
            Ok(record) => {
                rollout.promote(self.next_shown());
                self.enforce(record, document, Some(rollout)).await?;
                self.trials.shown.borrow().clone().ok_or(NotMoved::None)
            }
            Err(NoRecord::Unchanged { current }) => Err(NotMoved::Unchanged(current)),
            Err(NoRecord::Moved { current, expected }) => Err(NotPublished::Moved { current, expected }.into()),
        }
    }

    /// The rollout as it ends when another intent than its own comes into force: nobody compared it with that.
    pub(super) fn superseded(&self, number: u64, serial: Serial) -> Option<Rollout> {
        let mut rollout = Rollout::clone(&*self.trials.running()?);
        rollout.abort(superseded_by(number), serial);
        Some(rollout)
    }

    /// A record that the store had taken without saying so runs now; what of the rollout was to end with it has ended.
    pub(super) fn settle_rollout(&mut self, record: &IntentRecord) {
        let Some(running) = self.trials.running() else { return };
        let (mut rollout, serial) = (Rollout::clone(&running), self.next_shown());
        if rollout.candidate.document == record.document {
            rollout.promote(serial);
        } else {
            rollout.abort(superseded_by(record.number), serial);
        }
        self.pending.set_rollout(rollout.clone());
        self.moved(rollout, serial);
    }

    /// Stores it with everything else that waits, or says that nothing changed.
    async fn commit_rollout(
        &mut self,
        rollout: &Rollout,
        kind: EventKind,
        detail: &str,
        serial: Serial,
    ) -> Result<(), NotMoved> {
        if !self.takes_intents() {
            return Err(NotPublished::Storing.into());
        }
        let told = self.registry.apply(noted(kind, detail.to_owned()), self.now());
        let mut batch = self.pending.batch(&self.registry, serial);
        batch.events.extend(told.events.iter().cloned());
        batch.rollout = Some(rollout.clone());
        if let Err(error) = self.store.commit(&batch).await {
            // It may be written all the same, so what stands is written once more.
            self.pending.set_rollout(self.standing(rollout, serial));
            self.not_stored(&error);
            return Err(NotPublished::Storing.into());
        }
        self.pending.clear();
        told.events.iter().for_each(say);
        Ok(())
    }

    /// What the store should hold where `wanted` did not come about.
    fn standing(&self, wanted: &Rollout, serial: Serial) -> Rollout {
        match &*self.trials.shown.borrow() {
            Some(shown) => Rollout::clone(shown),
            None => {
                let mut never = wanted.clone();
                never.abort("the store did not take it".to_owned(), serial);
                never
            }
        }
    }

    /// It is stored, or will be: from `serial` on snapshots go by it.
    pub(super) fn moved(&mut self, rollout: Rollout, serial: Serial) -> Arc<Rollout> {
        self.trials.since = serial;
        let shown = self.trials.show(rollout);
        self.changed(format!("{SUBJECT}: {}", shown.phase.as_str()), 1);
        shown
    }

    pub(super) fn next_shown(&self) -> Serial {
        Serial(self.stage.show.borrow().serial.0.saturating_add(1)).max(self.floor)
    }
}

pub fn superseded_by(number: u64) -> String {
    format!("intent {number} came into force meanwhile")
}

/// What the event of its end says.
pub fn ended_event(rollout: &Rollout) -> Command {
    let Candidate { author, reason, .. } = &rollout.candidate;
    match rollout.phase.why() {
        Some(why) => noted(EventKind::RolloutAborted, why.to_owned()),
        None => noted(EventKind::RolloutPromoted, format!("by {author}: {reason}")),
    }
}

fn noted(kind: EventKind, detail: String) -> Command {
    Command::Note { kind, subject: SUBJECT.to_owned(), detail }
}

/// `step 2 of 4, 10 %`.
fn step_of(rollout: &Rollout) -> String {
    let Membership { selector, share, lead } = rollout.membership();
    let who = [
        selector.map(|selector| selector.to_string()),
        (share > 0).then(|| format!("{share} %")),
        lead.map(|lead| lead.to_string()),
    ];
    let who: Vec<String> = who.into_iter().flatten().collect();
    format!("step {} of {}, {}", rollout.step + 1, rollout.plan.steps(), who.join(" and "))
}
