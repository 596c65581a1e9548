//! What the writer begins with: what the store held, what the file says, and which of both runs.
//!
//! In: a store, what the file declares. Out: a registry, a history and the first picture, whose serial is in the store.
//! Invariant: a file that says what it said when it was declared last leaves what was published in force.

use std::sync::Arc;

use outrigger_control_core::event::EventKind;
use outrigger_control_core::intent::history::History;
use outrigger_control_core::keyring::Keys;
use outrigger_control_core::moment::Now;
use outrigger_control_core::port::{Store, Stored};
use outrigger_control_core::registry::{Command, Registry};
use outrigger_control_core::revocation::Book;
use outrigger_control_core::snapshot::ledger::Ledger;
use outrigger_model::resource::Serial;
use tracing::warn;

use crate::config::document::Document;
use crate::store::{AnyStore, ROLLOUT_TABLE, StoreError};

use super::message::Declared;
use super::pending::Pending;
use super::picture::{self, Head, Picture};
use super::resume::{Resumed, resume};
use super::trial::Trials;
use super::{chance, declare};

/// Everything that the task owns, and what is shown first.
#[derive(Debug)]
pub struct Begun {
    pub registry: Registry,
    pub history: History,
    pub keys: Keys,
    pub trials: Trials,
    pub picture: Picture,
    pub ledger: Arc<Ledger>,
}

#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(
        "intent {number}, which was published, cannot be read by this build: {detail}; run the build that published it"
    )]
    Intent { number: u64, detail: String },
}

/// Whether the file has a say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Declares {
    /// It does: control starts, and this is its file.
    Now,
    /// Only where nothing was ever declared: another control led until now, and files of replicas may differ.
    First,
}

pub async fn begin(store: &AnyStore, declared: Declared, declares: Declares, now: Now) -> Result<Begun, OpenError> {
    let Declared { document, rules } = declared;
    let stored = store.load().await?;
    let Stored { epoch, serial: last, intent: last_intent, next_event, standings, revoked, .. } = stored;
    let mut history = History::restore(stored.intent_record, stored.declared);
    let is_heard = declares == Declares::Now || history.newest().is_none();
    let record = if is_heard { history.declare(&document.text, now.time) } else { None };
    let running = if record.is_some() { document } else { in_force(&history, document)? };
    let rules = declare::rules(rules, &running.intent);
    let mut registry = Registry::restore(rules, standings, Book::restore(revoked), next_event, now);
    let mut pending = Pending::default();
    let mut note = |command: Command| pending.add(registry.apply(command, now));
    note(noted(EventKind::ControlStarted, "control", concat!("outrigger ", env!("CARGO_PKG_VERSION"))));
    for row in &stored.damaged {
        warn!(table = row.table, row = row.key, why = row.why, "stored row set aside");
        note(noted(EventKind::RowRefused, &format!("{} {}", row.table, row.key), &row.why));
    }
    let mut keys = Keys::restore(stored.keys, declare::key_rules(&running.intent, running.keys_every));
    let turns = chance::turn(&mut keys, now);
    for turn in &turns {
        note(noted(EventKind::SessionKeyTurned, &format!("key {}", turn.id()), turn.detail()));
    }
    let digest = declare::content_digest(&running.intent);
    let is_content_new = last_intent != Some(digest);
    // The first of a new store changes nothing for anybody.
    if let Some(record) = record.as_ref().filter(|_| is_content_new && last_intent.is_some()) {
        note(declare::event(record));
    }
    let follows = record.as_ref().map(|record| record.number);
    let Resumed { rollout, document: tried, has_ended } = resume(stored.rollout, follows, Serial(last.0 + 1), now.time);
    if let Some(rollout) = rollout.as_ref().filter(|_| has_ended) {
        note(noted(EventKind::RolloutAborted, "rollout", rollout.phase.why().unwrap_or_default()));
        pending.set_rollout(rollout.clone());
    }
    let is_serial_new = is_content_new || has_ended || !stored.damaged.is_empty() || !turns.is_empty();
    let serial = if is_serial_new { Serial(last.0 + 1) } else { last };
    pending.set_intent(is_content_new.then_some(digest));
    if !turns.is_empty() {
        pending.set_keys(keys.held().to_vec());
    }
    let mut batch = pending.batch(&registry, serial);
    batch.intents.extend(record.clone());
    store.commit(&batch).await?;
    if let Some(record) = record {
        history.take(record);
    }
    // Where nobody knows any more who was in a lane, everybody gets a new number.
    let lost = stored.damaged.iter().any(|row| row.table == ROLLOUT_TABLE).then_some(serial);
    let trials = Trials::restore(rollout, tried, lost);
    let picture = Picture {
        epoch,
        serial,
        overtaken: Serial::default(),
        facts: registry.facts().clone(),
        mesh: picture::mesh_of(registry.facts()),
        main: Head { number: history.number(), intent: Arc::new(running.intent) },
        trial: trials.trial.clone(),
        lanes_since: trials.since,
        book: registry.book().clone(),
        keyring: Arc::new(keys.ring()),
        reason: "control started".to_owned(),
        made_at: now.time,
    };
    Ok(Begun { registry, history, keys, trials, picture, ledger: Arc::new(stored.ledger) })
}

/// The document of the newest record, where the file declares nothing new.
pub fn in_force(history: &History, declared: Document) -> Result<Document, OpenError> {
    let Some(newest) = history.newest().filter(|newest| newest.document != declared.text) else { return Ok(declared) };
    let unreadable = |detail: String| OpenError::Intent { number: newest.number, detail };
    Document::literal(&newest.document).map_err(|bad| unreadable(bad.finding().to_string()))
}

fn noted(kind: EventKind, subject: &str, detail: &str) -> Command {
    Command::Note { kind, subject: subject.to_owned(), detail: detail.to_owned() }
}
