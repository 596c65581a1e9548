//! How an intent comes into force: its record, its event and its serial are stored in one transaction, and only then is it shown.
//!
//! In: what the file declares, what somebody publishes. Out: the number that runs and the serial that goes by it, or why nothing changed.
//! Invariant: what runs is the newest record of the store; an intent that is not stored never runs.

use std::sync::Arc;

use outrigger_control_core::event::EventKind;
use outrigger_control_core::intent::history::NoRecord;
use outrigger_control_core::intent::record::IntentRecord;
use outrigger_control_core::port::Store;
use outrigger_control_core::rollout::course::Rollout;
use tracing::{error, info};

use super::super::declare;
use super::super::message::{Declaration, Declared, Wanted};
use super::super::not_published::NotPublished;
use super::super::picture::Head;
use super::rollouts::ended_event;
use super::{Task, say};
use crate::config::document::Document;

impl Task {
    /// Goes by what the file says; what was published since it last said something else stays in force.
    pub(super) async fn declare(&mut self, declared: Declared) -> Result<Declaration, NotPublished> {
        self.declared = declared.clone();
        let Declared { document, rules } = declared;
        let declaration = match self.history.declare(&document.text, self.now().time) {
            Some(record) => self.enforce(record, document, None).await?,
            None => self.unchanged(),
        };
        self.registry.go_by(declare::rules(rules, &self.main.intent));
        Ok(declaration)
    }

    pub(super) async fn publish(&mut self, wanted: Wanted) -> Result<Declaration, NotPublished> {
        let Wanted { signature, expected, document, back_to } = wanted;
        let at = self.now().time;
        let record = match &back_to {
            Some(record) => self.history.roll_back(expected, signature, record, at),
            None => self.history.publish(expected, signature, &document.text, at),
        };
        match record {
            Ok(record) => self.enforce(record, document, None).await,
            Err(NoRecord::Unchanged { .. }) => Ok(self.unchanged()),
            Err(NoRecord::Moved { current, expected }) => Err(NotPublished::Moved { current, expected }),
        }
    }

    fn unchanged(&self) -> Declaration {
        Declaration { number: self.main.number, serial: self.next_serial(), is_intent_new: false }
    }

    /// Whether the store takes what must not run without being stored.
    pub(super) fn takes_intents(&self) -> bool {
        self.retry_at.is_none() && !self.is_unsure
    }

    /// Stores the record with everything else that waits, and has it run; if the store does not take it, nothing changes. `promoted`: the
    /// rollout that it comes of; any other ends here.
    pub(super) async fn enforce(
        &mut self,
        record: IntentRecord,
        document: Document,
        promoted: Option<Rollout>,
    ) -> Result<Declaration, NotPublished> {
        if !self.takes_intents() {
            return Err(NotPublished::Storing);
        }
        let serial = self.next_shown();
        let ended = promoted.or_else(|| self.superseded(record.number, serial));
        let mut told = self.registry.apply(declare::event(&record), self.now());
        if let Some(rollout) = &ended {
            told.events.extend(self.registry.apply(ended_event(rollout), self.now()).events);
        }
        let mut batch = self.pending.batch(&self.registry, serial);
        batch.intent = Some(declare::content_digest(&document.intent));
        batch.intents.push(record.clone());
        batch.events.extend(told.events.iter().cloned());
        batch.rollout.clone_from(&ended);
        if let Err(error) = self.store.commit(&batch).await {
            self.is_unsure = true;
            self.not_stored(&error);
            return Err(NotPublished::Storing);
        }
        self.pending.clear();
        for event in &told.events {
            say(event);
        }
        let number = record.number;
        self.run_by(record, document);
        if let Some(rollout) = ended {
            self.moved(rollout, serial);
        }
        Ok(Declaration { number, serial, is_intent_new: true })
    }

    fn run_by(&mut self, record: IntentRecord, document: Document) {
        let Document { intent, keys_every, .. } = document;
        self.keys.go_by(declare::key_rules(&intent, keys_every));
        self.registry.go_by(declare::rules(self.registry.rules().clone(), &intent));
        self.main = Head { number: record.number, intent: Arc::new(intent) };
        self.changed(format!("intent {}: {}", record.number, EventKind::IntentChanged), 1);
        self.history.take(record);
    }

    /// After a transaction that failed and may have been written all the same: what the store holds runs, so that no number is used twice.
    pub(super) async fn settle(&mut self) {
        if !self.is_unsure {
            return;
        }
        let Ok(newest) = self.store.intents(None, 1).await else { return };
        self.is_unsure = false;
        let Some(record) = newest.into_iter().next().filter(|record| record.number > self.main.number) else { return };
        match Document::literal(&record.document) {
            Ok(document) => {
                info!(
                    number = record.number,
                    "the store had taken the intent that it did not acknowledge; it runs now"
                );
                self.settle_rollout(&record);
                self.run_by(record, document);
            }
            Err(bad) => error!(number = record.number, detail = %bad.finding(), "the newest intent cannot be read"),
        }
    }
}
