//! The one task that owns the registry: applies commands, stores what they changed, and shows the newest facts.
//!
//! In: commands and records over one bounded queue. Out: an answer to each, and a [`Picture`] whenever a snapshot made now
//! may differ from the one before.
//! Never here: what facts mean (the core knows), what a snapshot looks like on the wire (`publish` knows).
//! Invariant: a serial is in the store before it is shown; a store that fails stops nobody, and is written to again until
//! it holds everything.

mod reign;
mod picture;
mod chance;
mod not_published;
mod trial;
mod message;
mod stage;
mod pending;
mod declare;
mod resume;
mod begin;
mod task;
mod follow;
mod shared;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use outrigger_control_core::event::EventKind;
use outrigger_control_core::moment::{Moment, Now};
use outrigger_control_core::registry::Command;
use outrigger_control_core::rollout::compare::Since;
use outrigger_control_core::rollout::course::Rollout;
use outrigger_model::name::NodeId;
use outrigger_model::resource::Serial;
use outrigger_model::tally::Tally;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::JoinHandle;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::leader::Role;
use crate::store::{AnyStore, PostgresStore};

use begin::{Begun, Declares};
use message::Message;
use shared::{First, Shared};
use stage::Stage;
use task::Task;
use trial::{Answer, Asked};

pub use begin::OpenError;
pub use message::{Answered, Declaration, Declared, NotApplied, NotRotated, Recorded, Stopped, Storing, Wanted};
pub use not_published::NotPublished;
pub use picture::{Head, Picture, Trial};
pub use reign::{NotLeading, Reign};
pub use trial::{Move, NotMoved, Trying};

/// Commands that wait for the writer; beyond, senders wait.
const INBOX_MAX: usize = 4_096;

/// Sends to the writer, and sees what it shows. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Writer {
    inbox: mpsc::Sender<Message>,
    pictures: watch::Receiver<Arc<Picture>>,
    storing: watch::Receiver<Storing>,
    rollouts: watch::Receiver<Option<Arc<Rollout>>>,
    reigns: watch::Receiver<Reign>,
}

/// What `open` hands out.
#[derive(Debug)]
pub struct Opened {
    pub writer: Writer,
    /// Ends after `stop`, with everything stored that can be.
    pub task: JoinHandle<()>,
}

impl Writer {
    /// Has one command applied and, if the store takes it, stored.
    pub async fn apply(&self, command: Command) -> Result<Answered, NotApplied> {
        let (answer, answered) = oneshot::channel();
        self.inbox.send(Message::Apply { command, answer }).await.map_err(|_| Stopped)?;
        Ok(answered.await.map_err(|_| Stopped)??)
    }

    /// Has one command applied some time soon, and asks for no answer; false where the queue is full.
    pub fn tell(&self, command: Command) -> bool {
        let (answer, _nobody) = oneshot::channel();
        self.inbox.try_send(Message::Apply { command, answer }).is_ok()
    }

    /// Has something written to the event log; where another control leads, that one's log tells its own story.
    pub async fn note(&self, kind: EventKind, subject: &str, detail: &str) -> Result<(), Stopped> {
        let (subject, detail) = (subject.to_owned(), detail.to_owned());
        match self.apply(Command::Note { kind, subject, detail }).await {
            Ok(_) | Err(NotApplied::NotLeading(_)) => Ok(()),
            Err(NotApplied::Stopped(stopped)) => Err(stopped),
        }
    }

    /// Has the next snapshot be this one at least, because a watcher runs the one before it already.
    pub async fn overtake(&self, floor: Serial) -> Result<(), Stopped> {
        self.inbox.send(Message::Overtake { floor }).await.map_err(|_| Stopped)
    }

    /// Has what was published remembered. Nothing waits for the store.
    pub async fn record(&self, recorded: Recorded) -> Result<(), Stopped> {
        self.inbox.send(Message::Record(recorded)).await.map_err(|_| Stopped)
    }

    /// Has everything go by what the file says now. It is in the store when this returns.
    pub async fn declare(&self, declared: Declared) -> Result<Declaration, NotPublished> {
        let (answer, answered) = oneshot::channel();
        let declared = Box::new(declared);
        self.inbox.send(Message::Declare { declared, answer }).await.map_err(|_| NotPublished::Stopped)?;
        answered.await.unwrap_or(Err(NotPublished::Stopped))
    }

    /// Has another intent run. It is in the store when this returns.
    pub async fn publish(&self, wanted: Wanted) -> Result<Declaration, NotPublished> {
        let (answer, answered) = oneshot::channel();
        let wanted = Box::new(wanted);
        self.inbox.send(Message::Publish { wanted, answer }).await.map_err(|_| NotPublished::Stopped)?;
        answered.await.unwrap_or(Err(NotPublished::Stopped))
    }

    /// How long ago each node was last heard; those not heard since control started are not in it.
    pub async fn last_heard(&self) -> Result<BTreeMap<NodeId, Duration>, Stopped> {
        let (answer, answered) = oneshot::channel();
        self.inbox.send(Message::LastHeard { answer }).await.map_err(|_| Stopped)?;
        answered.await.map_err(|_| Stopped)
    }

    /// Has a new key of session ids made, stored and shared; its number.
    pub async fn rotate_key(&self) -> Result<u32, NotRotated> {
        let (answer, answered) = oneshot::channel();
        self.inbox.send(Message::RotateKey { answer }).await.map_err(|_| NotRotated::Stopped)?;
        answered.await.unwrap_or(Err(NotRotated::Stopped))
    }

    /// Has some proxies try another intent. The rollout is in the store when this returns.
    pub async fn start_rollout(&self, trying: Trying) -> Result<Arc<Rollout>, NotMoved> {
        self.ask(|answer| Asked::Start { trying: Box::new(trying), answer }).await
    }

    /// Has the rollout that is under way do something; `since` says which step it is about, if not whatever step it is on.
    pub async fn move_rollout(&self, since: Option<Since>, step: Move) -> Result<Arc<Rollout>, NotMoved> {
        self.ask(|answer| Asked::Move { since, step, answer }).await
    }

    async fn ask(&self, asked: impl FnOnce(Answer) -> Asked) -> Result<Arc<Rollout>, NotMoved> {
        let (answer, answered) = oneshot::channel();
        self.inbox.send(Message::Rollout(asked(answer))).await.map_err(|_| NotMoved::Stopped)?;
        answered.await.unwrap_or(Err(NotMoved::Stopped))
    }

    /// The newest rollout, also one that has ended.
    pub fn rollouts(&self) -> watch::Receiver<Option<Arc<Rollout>>> {
        self.rollouts.clone()
    }

    /// How the calls of each node went since it started, as it last said.
    pub async fn tallies(&self) -> Result<BTreeMap<NodeId, Tally>, Stopped> {
        let (answer, answered) = oneshot::channel();
        self.inbox.send(Message::Tallies { answer }).await.map_err(|_| Stopped)?;
        answered.await.map_err(|_| Stopped)
    }

    /// The newest picture, and each one after it.
    pub fn pictures(&self) -> watch::Receiver<Arc<Picture>> {
        self.pictures.clone()
    }

    /// The newest picture.
    pub fn picture(&self) -> Arc<Picture> {
        self.pictures.borrow().clone()
    }

    /// Whose word counts.
    pub fn reign(&self) -> Reign {
        self.reigns.borrow().clone()
    }

    /// Wakes whenever that changes from now on.
    pub fn reigns(&self) -> watch::Receiver<Reign> {
        let mut reigns = self.reigns.clone();
        reigns.mark_unchanged();
        reigns
    }

    /// Whether what changes something may be sent here.
    pub fn leads(&self) -> Result<(), NotLeading> {
        match &*self.reigns.borrow() {
            Reign::Own { .. } => Ok(()),
            Reign::Other(not_leading) => Err(not_leading.clone()),
        }
    }

    pub fn storing(&self) -> watch::Receiver<Storing> {
        self.storing.clone()
    }
}

/// Loads the store, numbers the first snapshot, and starts the task.
pub async fn open(store: AnyStore, declared: Declared, stop: CancellationToken) -> Result<Opened, OpenError> {
    let started = Instant::now();
    let now = Now { moment: Moment::START, time: SystemTime::now() };
    let begun = begin::begin(&store, declared.clone(), Declares::Now, now).await?;
    let Begun { registry, history, keys, trials, picture, ledger } = begun;
    let reign = Reign::Own { term: 0, ledger };
    let (stage, mut messages, writer) = set_up(picture, reign);
    let trials = trials.shown_on(stage.rollouts.clone());
    let task = Task::new(store.clone(), (registry, history, keys, trials), started, stage, declared);
    let task = tokio::spawn(async move {
        task.run(&mut messages, &stop, std::future::pending()).await;
        store.close().await;
    });
    Ok(Opened { writer, task })
}

/// The same where replicas share the store, in the role that this one has.
pub async fn open_shared(
    store: PostgresStore,
    roles: watch::Receiver<Role>,
    declared: Declared,
    stop: CancellationToken,
) -> Result<Opened, OpenError> {
    let First { picture, rollout, reign, begun } = shared::first(&store, &roles, &declared).await?;
    let epoch = picture.epoch;
    let (stage, messages, writer) = set_up(picture, reign);
    stage.rollouts.send_replace(rollout);
    let task = Shared { store, roles, stage, declared, epoch, begun };
    Ok(Opened { writer, task: tokio::spawn(task.run(messages, stop)) })
}

fn set_up(picture: Picture, reign: Reign) -> (Stage, mpsc::Receiver<Message>, Writer) {
    let (inbox, messages) = mpsc::channel(INBOX_MAX);
    let (show, pictures) = watch::channel(Arc::new(picture));
    let (tell, storing) = watch::channel(Storing::Fine);
    let (reign, reigns) = watch::channel(reign);
    let (shown, rollouts) = watch::channel(None);
    let stage = Stage { show, tell, reign, rollouts: shown };
    (stage, messages, Writer { inbox, pictures, storing, rollouts, reigns })
}

#[cfg(test)]
mod tests;
