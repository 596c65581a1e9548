//! What the writer is told of rollouts, and the one that it holds.
//!
//! In: a candidate that somebody wants tried, moves of the one that is. Out: the rollout as it stands, or why it stayed.
//! Never here: who decides on a move; operators do, and the room that looks at rollouts.

use std::collections::BTreeSet;
use std::sync::Arc;

use outrigger_control_core::intent::history::{BadSignature, Signature};
use outrigger_control_core::rollout::compare::Since;
use outrigger_control_core::rollout::course::{NotStarted, NotWidened, Rollout};
use outrigger_control_core::rollout::plan::Plan;
use outrigger_model::label::Labels;
use outrigger_model::name::NodeId;
use outrigger_model::resource::Serial;
use outrigger_model::tally::Tally;
use tokio::sync::{oneshot, watch};

use crate::config::document::Document;

use super::not_published::NotPublished;
use super::picture::{Head, Trial};

/// A rollout that somebody wants.
#[derive(Debug)]
pub struct Trying {
    pub signature: Signature,
    /// The intent that they saw run.
    pub expected: u64,
    pub document: Document,
    pub plan: Plan,
    /// Proxies that are connected.
    pub proxies: BTreeSet<(NodeId, Labels)>,
}

/// What a rollout is to do.
#[derive(Debug)]
pub enum Move {
    Widen {
        by: String,
        /// What the control group did on this step.
        control: Tally,
        proxies: BTreeSet<(NodeId, Labels)>,
    },
    Hold {
        why: String,
    },
    Abort {
        by: String,
        why: String,
    },
    Promote {
        by: String,
    },
}

/// Why a rollout stayed where it was, or did not begin.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotMoved {
    #[error("there is no rollout")]
    None,
    #[error("a rollout is under way already")]
    UnderWay,
    #[error("the rollout has moved on meanwhile")]
    Stale,
    #[error("intent {0} says the same already")]
    Unchanged(u64),
    #[error(transparent)]
    Signature(#[from] BadSignature),
    #[error(transparent)]
    NotStarted(#[from] NotStarted),
    #[error(transparent)]
    NotWidened(#[from] NotWidened),
    #[error(transparent)]
    NotPublished(#[from] NotPublished),
    #[error("control is stopping")]
    Stopped,
}

/// What waits in the writer's queue about rollouts.
#[derive(Debug)]
pub enum Asked {
    Start {
        trying: Box<Trying>,
        answer: Answer,
    },
    /// `since`: the step that it is about; none: whatever it is.
    Move {
        since: Option<Since>,
        step: Move,
        answer: Answer,
    },
}

pub type Answer = oneshot::Sender<Result<Arc<Rollout>, NotMoved>>;

/// The newest rollout and what is tried in it.
#[derive(Debug)]
pub struct Trials {
    pub shown: watch::Sender<Option<Arc<Rollout>>>,
    /// What the candidate says, as long as it is tried.
    pub document: Option<Document>,
    /// As pictures have it.
    pub trial: Option<Arc<Trial>>,
    /// The snapshot with which a lane last began, changed or ended.
    pub since: Serial,
}

impl Trials {
    /// Of the rollout that the store held, and what its candidate says. `lost`: from when on nobody is in a lane whom no row tells of.
    pub fn restore(rollout: Option<Rollout>, document: Option<Document>, lost: Option<Serial>) -> Self {
        let known = rollout.as_ref().map(|rollout| rollout.ended.unwrap_or(rollout.since.step));
        let since = known.max(lost).unwrap_or(Serial(0));
        let mut trials = Self { shown: watch::Sender::new(None), document, trial: None, since };
        if let Some(rollout) = rollout {
            trials.show(rollout);
        }
        trials
    }

    /// The same, shown where others look already.
    pub fn shown_on(self, stage: watch::Sender<Option<Arc<Rollout>>>) -> Self {
        stage.send_replace(self.shown.borrow().clone());
        Self { shown: stage, ..self }
    }

    /// The one that is under way.
    pub fn running(&self) -> Option<Arc<Rollout>> {
        self.shown.borrow().clone().filter(|rollout| !rollout.is_over())
    }

    /// From now on it stands like this.
    pub fn show(&mut self, rollout: Rollout) -> Arc<Rollout> {
        if rollout.is_over() {
            self.document = None;
        }
        self.trial = self.document.as_ref().map(|document| {
            let intent = Arc::new(document.intent.clone());
            Arc::new(Trial { head: Head { number: 0, intent }, membership: rollout.membership() })
        });
        let rollout = Arc::new(rollout);
        self.shown.send_replace(Some(Arc::clone(&rollout)));
        rollout
    }
}
