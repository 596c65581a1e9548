//! Shows what the leader stored, and answers what only a leader could do.
//!
//! Invariant: facts are read again only where something was stored, and at most once a second; editions do not wait for them.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use outrigger_control_core::facts::Facts;
use outrigger_control_core::intent::history::History;
use outrigger_control_core::keyring::Keys;
use outrigger_control_core::port::Store;
use outrigger_control_core::revocation::Book;
use outrigger_control_core::rollout::course::Rollout;
use outrigger_model::resource::{Epoch, Serial};
use tokio::sync::{mpsc, watch};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tracing::warn;

use crate::leader::Role;
use crate::store::{PostgresStore, Wakes};

use super::begin::{self, OpenError};
use super::declare;
use super::message::{Declaration, Declared, Message, NotRotated, Storing};
use super::not_published::NotPublished;
use super::picture::{self, Head, Picture};
use super::reign::{NotLeading, Reign};
use super::stage::Stage;
use super::trial::{Asked, NotMoved};

const READ_EVERY: Duration = Duration::from_secs(1);

/// Why leading or following ended.
pub enum Next {
    Stop,
    /// The role is another one, or may be.
    Look,
    /// Somebody put another store in place of this one.
    Foreign,
}

/// What a follower goes by.
pub struct Followed<'a> {
    pub store: &'a PostgresStore,
    pub roles: &'a mut watch::Receiver<Role>,
    pub stage: &'a Stage,
    pub declared: &'a mut Declared,
    pub epoch: Epoch,
}

pub struct Follower {
    wakes: Wakes,
    /// What the store looked like when it was last read.
    mark: Vec<u8>,
    read_at: Option<Instant>,
}

/// What the leader goes by, and the newest rollout.
pub struct Seen {
    pub picture: Picture,
    pub rollout: Option<Arc<Rollout>>,
}

/// What the leader goes by, as far as it is stored.
pub async fn read(store: &PostgresStore, declared: &Declared) -> Result<Seen, OpenError> {
    let stored = store.load().await?;
    let history = History::restore(stored.intent_record, stored.declared);
    let running = begin::in_force(&history, declared.document.clone())?;
    let mut facts = Facts::default();
    for standing in stored.standings {
        facts.put(standing);
    }
    let rules = declare::key_rules(&running.intent, running.keys_every);
    let facts = Arc::new(facts);
    let picture = Picture {
        epoch: stored.epoch,
        serial: stored.serial,
        overtaken: Serial::default(),
        mesh: picture::mesh_of(&facts),
        facts,
        main: Head { number: history.number(), intent: Arc::new(running.intent) },
        // The leader alone serves the lane of a candidate.
        trial: None,
        lanes_since: Serial::default(),
        book: Arc::new(Book::restore(stored.revoked)),
        keyring: Arc::new(Keys::restore(stored.keys, rules).ring()),
        reason: "read from the store".to_owned(),
        made_at: SystemTime::now(),
    };
    Ok(Seen { picture, rollout: stored.rollout.map(Arc::new) })
}

impl Follower {
    pub fn new(store: &PostgresStore) -> Self {
        Self { wakes: store.wakes(), mark: Vec::new(), read_at: None }
    }

    pub async fn follow(
        &mut self,
        mut shared: Followed<'_>,
        messages: &mut mpsc::Receiver<Message>,
        stop: &CancellationToken,
    ) -> Next {
        loop {
            tokio::select! {
                biased;
                () = stop.cancelled() => return Next::Stop,
                changed = shared.roles.changed() => {
                    return if changed.is_ok() { Next::Look } else { Next::Stop };
                }
                message = messages.recv() => match message {
                    Some(message) => answer(message, &mut shared),
                    None => return Next::Stop,
                },
                _ = self.wakes.next() => {
                    if let Some(next) = self.look(&shared).await {
                        return next;
                    }
                }
            }
        }
    }

    /// Reads what is new. Some: the store is another one.
    async fn look(&mut self, shared: &Followed<'_>) -> Option<Next> {
        if self.read_at.is_some_and(|at| at.elapsed() < READ_EVERY) {
            return None;
        }
        match self.read(shared).await {
            Ok(Some(seen)) if seen.picture.epoch != shared.epoch => return Some(Next::Foreign),
            Ok(Some(Seen { picture, rollout })) => {
                shared.stage.rollouts.send_replace(rollout);
                shared.stage.show.send_replace(Arc::new(picture));
            }
            Ok(None) => {}
            Err(error) => {
                failing(shared.stage, &error);
                return None;
            }
        }
        shared.stage.tell.send_if_modified(|told| std::mem::take(told) != Storing::Fine);
        self.read_at = Some(Instant::now());
        None
    }

    async fn read(&mut self, shared: &Followed<'_>) -> Result<Option<Seen>, OpenError> {
        let mark = shared.store.mark().await?;
        if mark == self.mark {
            return Ok(None);
        }
        let seen = read(shared.store, shared.declared).await?;
        self.mark = mark;
        Ok(Some(seen))
    }
}

/// Told once, with the moment since when what is shown may be old.
fn failing(stage: &Stage, cause: &OpenError) {
    stage.tell.send_if_modified(|told| {
        let is_news = *told == Storing::Fine;
        if is_news {
            warn!(error = %cause, "the store cannot be read; what was read last is shown on");
            *told = Storing::Failing { since: SystemTime::now(), error: cause.to_string() };
        }
        is_news
    });
}

fn answer(message: Message, shared: &mut Followed<'_>) {
    let not_leading = match &*shared.stage.reign.borrow() {
        Reign::Other(not_leading) => not_leading.clone(),
        Reign::Own { .. } => NotLeading::default(),
    };
    // Whoever asked may have gone.
    match message {
        Message::Apply { answer, .. } => drop(answer.send(Err(not_leading))),
        // The leader writes down what it publishes itself.
        Message::Record(_) | Message::Overtake { .. } => {}
        Message::Declare { declared, answer } => {
            *shared.declared = *declared;
            let shown = shared.stage.show.borrow();
            if shared.declared.document.intent != *shown.main.intent {
                warn!(
                    "routes, pools and settings of the file are declared by the control that leads, when it is told to"
                );
            }
            let declaration = Declaration { number: shown.main.number, serial: shown.serial, is_intent_new: false };
            let _ = answer.send(Ok(declaration));
        }
        Message::Publish { answer, .. } => drop(answer.send(Err(NotPublished::NotLeading(not_leading)))),
        Message::Rollout(Asked::Start { answer, .. } | Asked::Move { answer, .. }) => {
            drop(answer.send(Err(NotMoved::NotPublished(NotPublished::NotLeading(not_leading)))));
        }
        Message::Tallies { answer } => drop(answer.send(BTreeMap::new())),
        Message::RotateKey { answer } => drop(answer.send(Err(NotRotated::NotLeading(not_leading)))),
        Message::LastHeard { answer } => drop(answer.send(BTreeMap::new())),
    }
}
