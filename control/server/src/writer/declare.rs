//! What follows from what operators declare, besides snapshots.
//!
//! In: an intent. Out: its digest, by which another one is noticed, and what keys of session ids go by.

use std::time::Duration;

use outrigger_control_core::intent::Intent;
use outrigger_control_core::keyring::KeyRules;
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
