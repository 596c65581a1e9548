//! The writer where several replicas of control share the store: it leads while it is the one to, and else shows what the leader stored.
//!
//! In: the role of this replica, messages. Out: the same pictures as a writer that is alone, answers, and a [`Reign`] that says whose word counts.
//! Invariant: whoever sends a command to a follower is told that it follows; nothing waits for a leader.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use outrigger_control_core::moment::{Moment, Now};
use outrigger_control_core::rollout::course::Rollout;
use outrigger_model::resource::Epoch;
use tokio::sync::{mpsc, watch};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tracing::{error, warn};

use crate::leader::Role;
use crate::store::{AnyStore, PostgresStore};

use super::begin::{self, Begun, Declares, OpenError};
use super::follow::{Followed, Follower, Next, Seen, read};
use super::message::{Declared, Message, Storing};
use super::picture::Picture;
use super::reign::{NotLeading, Reign};
use super::stage::Stage;
use super::task::{Ended, Task};

/// Between two tries to begin to lead.
const BEGIN_AGAIN_AFTER: Duration = Duration::from_millis(500);

pub struct Shared {
    pub store: PostgresStore,
    pub roles: watch::Receiver<Role>,
    pub stage: Stage,
    pub declared: Declared,
    /// Of the store when this control started. Another one is another store.
    pub epoch: Epoch,
    /// What the first term of this replica begins with, if it leads from its start.
    pub begun: Option<(u64, Instant, Begun)>,
}

pub struct First {
    pub picture: Picture,
    pub rollout: Option<Arc<Rollout>>,
    pub reign: Reign,
    pub begun: Option<(u64, Instant, Begun)>,
}

/// Where this replica stands at its start.
pub async fn first(
    store: &PostgresStore,
    roles: &watch::Receiver<Role>,
    declared: &Declared,
) -> Result<First, OpenError> {
    let role = roles.borrow().clone();
    match role {
        Role::Leading { term } => {
            store.reign(term);
            let started = Instant::now();
            let begun =
                begin::begin(&AnyStore::Postgres(store.clone()), declared.clone(), Declares::Now, now(started)).await?;
            let reign = Reign::Own { term, ledger: Arc::clone(&begun.ledger) };
            let rollout = begun.trials.shown.borrow().clone();
            Ok(First { picture: begun.picture.clone(), rollout, reign, begun: Some((term, started, begun)) })
        }
        Role::Following { leader } => {
            let Seen { picture, rollout } = read(store, declared).await?;
            Ok(First { picture, rollout, reign: Reign::Other(NotLeading { leader }), begun: None })
        }
    }
}

impl Shared {
    pub async fn run(mut self, mut messages: mpsc::Receiver<Message>, stop: CancellationToken) {
        let mut follower = Follower::new(&self.store);
        loop {
            let role = self.roles.borrow_and_update().clone();
            let next = match role {
                Role::Leading { term } => self.lead(term, &mut messages, &stop).await,
                Role::Following { leader } => {
                    self.stage.reign.send_replace(Reign::Other(NotLeading { leader }));
                    let Self { store, roles, stage, declared, epoch, .. } = &mut self;
                    let followed = Followed { store, roles, stage, declared, epoch: *epoch };
                    follower.follow(followed, &mut messages, &stop).await
                }
            };
            match next {
                Next::Look => {}
                Next::Stop => break,
                Next::Foreign => {
                    error!("the store is another one than this control started with; start it again");
                    break;
                }
            }
        }
        self.store.close().await;
    }

    async fn lead(&mut self, term: u64, messages: &mut mpsc::Receiver<Message>, stop: &CancellationToken) -> Next {
        self.store.reign(term);
        let store = AnyStore::Postgres(self.store.clone());
        let (started, begun) = match self.begun.take().filter(|(known, ..)| *known == term) {
            Some((_, started, begun)) => (started, begun),
            None => {
                let started = Instant::now();
                match begin::begin(&store, self.declared.clone(), Declares::First, now(started)).await {
                    Ok(begun) => (started, begun),
                    Err(error) => return self.not_begun(&error, stop).await,
                }
            }
        };
        let Begun { registry, history, keys, trials, picture, ledger } = begun;
        if picture.epoch != self.epoch {
            return Next::Foreign;
        }
        self.stage.tell.send_replace(Storing::Fine);
        // Announced once: streams take a change for another registry.
        self.stage.reign.send_if_modified(|reign| {
            let is_new = reign.term() != Some(term);
            if is_new {
                *reign = Reign::Own { term, ledger };
            }
            is_new
        });
        self.stage.show.send_replace(Arc::new(picture));
        let trials = trials.shown_on(self.stage.rollouts.clone());
        let task =
            Task::new(store, (registry, history, keys, trials), started, self.stage.clone(), self.declared.clone());
        let ended = task.run(messages, stop, deposed(self.roles.clone(), term)).await;
        match ended {
            Ended::Stopped => Next::Stop,
            Ended::Deposed(declared) => {
                self.store.reign(0);
                self.declared = *declared;
                warn!(term, "this control follows from now on");
                self.stage.reign.send_replace(Reign::Other(NotLeading::default()));
                self.stage.tell.send_replace(Storing::Fine);
                self.changed(term, stop).await
            }
        }
    }

    async fn not_begun(&self, error: &OpenError, stop: &CancellationToken) -> Next {
        warn!(%error, cause = std::error::Error::source(error).map(ToString::to_string), "this control leads and cannot begin to");
        tokio::select! {
            () = stop.cancelled() => Next::Stop,
            () = tokio::time::sleep(BEGIN_AGAIN_AFTER) => Next::Look,
        }
    }

    /// Waits until the role says what the store has said already.
    async fn changed(&self, term: u64, stop: &CancellationToken) -> Next {
        tokio::select! {
            () = stop.cancelled() => Next::Stop,
            () = deposed(self.roles.clone(), term) => Next::Look,
        }
    }
}

/// Resolves when this replica leads no more, or in another term.
async fn deposed(mut roles: watch::Receiver<Role>, term: u64) {
    if roles.wait_for(|role| *role != Role::Leading { term }).await.is_err() {
        // Nobody looks any more, because control stops; the writer is told by its own token.
        std::future::pending().await
    }
}

fn now(started: Instant) -> Now {
    Now { moment: Moment::from_start(started.elapsed()), time: SystemTime::now() }
}
