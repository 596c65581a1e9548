//! The one task that owns the registry: applies commands, stores what they changed, and shows the newest facts.
//!
//! In: commands and records over one bounded queue. Out: an answer to each, and a [`Picture`] whenever a snapshot made now
//! may differ from the one before.
//! Never here: what facts mean (the core knows), what a snapshot looks like on the wire (`publish` knows).
//! Invariant: a serial is in the store before it is shown; a store that fails stops nobody, and is written to again until
//! it holds everything.

mod picture;
mod chance;
mod message;
mod pending;
mod declare;
mod task;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use outrigger_control_core::event::EventKind;
use outrigger_control_core::keyring::Keys;
use outrigger_control_core::moment::{Moment, Now};
use outrigger_control_core::port::{Store, Stored};
use outrigger_control_core::registry::{Command, Registry};
use outrigger_control_core::revocation::Book;
use outrigger_control_core::snapshot::ledger::Ledger;
use outrigger_model::name::NodeId;
use outrigger_model::resource::Serial;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::JoinHandle;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tracing::warn;

use crate::store::{AnyStore, StoreError};

use message::Message;
use pending::Pending;
use task::Task;

pub use message::{Answered, Declaration, Declared, NotRotated, Recorded, Stopped, Storing};
pub use picture::Picture;

/// Commands that wait for the writer; beyond, senders wait.
const INBOX_MAX: usize = 4_096;

/// Sends to the writer, and sees what it shows. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Writer {
    inbox: mpsc::Sender<Message>,
    pictures: watch::Receiver<Arc<Picture>>,
    storing: watch::Receiver<Storing>,
}

/// What `open` hands out.
#[derive(Debug)]
pub struct Opened {
    pub writer: Writer,
    /// Ends after `stop`, with everything stored that can be.
    pub task: JoinHandle<()>,
    /// What the store remembered of every view, for the one who publishes.
    pub ledger: Ledger,
}

impl Writer {
    /// Has one command applied and, if the store takes it, stored.
    pub async fn apply(&self, command: Command) -> Result<Answered, Stopped> {
        let (answer, answered) = oneshot::channel();
        self.inbox.send(Message::Apply { command, answer }).await.map_err(|_| Stopped)?;
        answered.await.map_err(|_| Stopped)
    }

    /// Has something written to the event log.
    pub async fn note(&self, kind: EventKind, subject: &str, detail: &str) -> Result<(), Stopped> {
        let (subject, detail) = (subject.to_owned(), detail.to_owned());
        self.apply(Command::Note { kind, subject, detail }).await.map(|_| ())
    }

    /// Has what was published remembered. Nothing waits for the store.
    pub async fn record(&self, recorded: Recorded) -> Result<(), Stopped> {
        self.inbox.send(Message::Record(recorded)).await.map_err(|_| Stopped)
    }

    /// Has everything go by what is declared anew. It is in the store, if the store works, when this returns.
    pub async fn declare(&self, declared: Declared) -> Result<Declaration, Stopped> {
        let (answer, answered) = oneshot::channel();
        let declared = Box::new(declared);
        self.inbox.send(Message::Declare { declared, answer }).await.map_err(|_| Stopped)?;
        answered.await.map_err(|_| Stopped)
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

    /// The newest picture, and each one after it.
    pub fn pictures(&self) -> watch::Receiver<Arc<Picture>> {
        self.pictures.clone()
    }

    /// The newest picture.
    pub fn picture(&self) -> Arc<Picture> {
        self.pictures.borrow().clone()
    }

    pub fn storing(&self) -> watch::Receiver<Storing> {
        self.storing.clone()
    }
}

/// Loads the store, numbers the first snapshot, and starts the task.
pub async fn open(store: AnyStore, declared: Declared, stop: CancellationToken) -> Result<Opened, StoreError> {
    let Declared { intent, rules, keys_every } = declared;
    let Stored { epoch, serial: last, intent: last_intent, next_event, standings, revoked, ledger, keys, damaged } =
        store.load().await?;
    let started = Instant::now();
    let now = Now { moment: Moment::START, time: SystemTime::now() };
    let mut registry = Registry::restore(rules, standings, Book::restore(revoked), next_event, now);
    let mut pending = Pending::default();
    let mut note = |kind, subject: &str, detail: &str| {
        let (subject, detail) = (subject.to_owned(), detail.to_owned());
        pending.add(registry.apply(Command::Note { kind, subject, detail }, now));
    };
    note(EventKind::ControlStarted, "control", concat!("outrigger ", env!("CARGO_PKG_VERSION")));
    for row in &damaged {
        warn!(table = row.table, row = row.key, why = row.why, "stored row set aside");
        note(EventKind::RowRefused, &format!("{} {}", row.table, row.key), &row.why);
    }
    let mut keys = Keys::restore(keys, declare::key_rules(&intent, keys_every));
    let turns = chance::turn(&mut keys, now);
    for turn in &turns {
        note(EventKind::SessionKeyTurned, &format!("key {}", turn.id()), turn.detail());
    }
    let digest = declare::content_digest(&intent);
    let is_intent_new = last_intent != Some(digest);
    if is_intent_new && last_intent.is_some() {
        note(EventKind::IntentChanged, "control", "routes, pools or settings differ from the last start");
    }
    let serial = if is_intent_new || !damaged.is_empty() || !turns.is_empty() { Serial(last.0 + 1) } else { last };
    pending.set_intent(is_intent_new.then_some(digest));
    if !turns.is_empty() {
        pending.set_keys(keys.held().to_vec());
    }
    store.commit(&pending.batch(&registry, serial)).await?;
    pending.clear();
    let picture = Picture {
        epoch,
        serial,
        facts: registry.facts().clone(),
        intent: Arc::new(intent),
        book: registry.book().clone(),
        keyring: Arc::new(keys.ring()),
        reason: "control started".to_owned(),
        made_at: now.time,
    };
    let (inbox, messages) = mpsc::channel(INBOX_MAX);
    let (show, pictures) = watch::channel(Arc::new(picture));
    let (tell, storing) = watch::channel(Storing::Fine);
    let task = Task::new(store, registry, keys, pending, started, (show, tell));
    let task = tokio::spawn(task.run(messages, stop));
    Ok(Opened { writer: Writer { inbox, pictures, storing }, task, ledger })
}

#[cfg(test)]
mod tests;
