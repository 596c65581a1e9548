//! What follows from what operators declare, besides snapshots.
//!
//! In: an intent. Out: its digest, by which another one is noticed, and what keys of session ids and the registry go by.

use std::time::Duration;

use outrigger_control_core::event::EventKind;
use outrigger_control_core::intent::Intent;
use outrigger_control_core::intent::record::{IntentRecord, IntentSource};
use outrigger_control_core::keyring::KeyRules;
use outrigger_control_core::registry::{Command, Rules};
use outrigger_model::digest::Digest;

/// Raised when a build makes other resources of the same facts, so that no serial stands for two contents.
const CONTENT_FORMAT: u32 = 1;

/// Stands for all that snapshots depend on besides the facts.
pub fn content_digest(intent: &Intent) -> Digest {
    Digest::of_parts([intent.digest().as_bytes().as_slice(), &CONTENT_FORMAT.to_be_bytes()])
}

pub fn key_rules(intent: &Intent, every: Option<Duration>) -> KeyRules {
    KeyRules { every, lifetime: intent.settings().session_lifetime }
}

/// What the registry goes by while this intent runs.
pub fn rules(rules: Rules, intent: &Intent) -> Rules {
    Rules { revocations_kept: intent.settings().session_lifetime, ..rules }
}

/// What the event of an intent that comes into force says.
pub fn event(record: &IntentRecord) -> Command {
    let IntentRecord { number, author, reason, undoes, source, .. } = record;
    let how = match (source, undoes) {
        (IntentSource::File, _) => "declared".to_owned(),
        (IntentSource::Published, _) => "published".to_owned(),
        (IntentSource::Rollback, None) => "rolled back".to_owned(),
        (IntentSource::Rollback, Some(undone)) => format!("rolled back, undoing {undone},"),
    };
    let (kind, subject) = (EventKind::IntentChanged, format!("intent {number}"));
    Command::Note { kind, subject, detail: format!("{how} by {author}: {reason}") }
}
