//! Decides what one stream of a stock client is told, and when, in either variant of the protocol.
//!
//! In: requests ([`Ask`]), the newest edition of the stream's view, `now`. Out: answers to write ([`Reply`]), what was learned of
//! the client ([`Heard`]), and when to look again.
//! Never here: sockets, clocks, protobuf.
//! Invariants: at most one answer per kind waits for its client; an acceptance is never answered, a refusal never with the same.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Instant;

use outrigger_model::resource::Token;

use crate::stock::gates::{Gates, WAITS_MAX};
use crate::stock::kind::Kind;
use crate::stock::shelf::{Edition, Resource};
use crate::stock::topic::asked::TooManyNames;
use crate::stock::topic::{Mode, Topic};

/// One request.
#[derive(Debug, Clone)]
pub struct Ask {
    pub kind: Kind,
    pub names: Names,
    /// Of the answer that it accepts or refuses; empty: neither.
    pub nonce: String,
    pub refusal: Option<String>,
}

#[derive(Debug, Clone)]
pub enum Names {
    All(Vec<String>),
    Change {
        subscribe: Vec<String>,
        unsubscribe: Vec<String>,
        /// What it holds from an earlier stream; none: by a token that is not of our making.
        held: BTreeMap<String, Option<Token>>,
    },
}

/// What a request told about its client.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Heard {
    Nothing,
    Accepted { kind: Kind, version: String },
    Refused { kind: Kind, version: String, detail: String },
}

/// One answer.
#[derive(Debug, Clone)]
pub struct Reply {
    pub kind: Kind,
    pub version: String,
    pub changed: Vec<Arc<Resource>>,
    /// For [`Mode::Delta`].
    pub removed: Vec<Arc<str>>,
    /// Named and not there, for [`Mode::Sotw`].
    pub missing: Vec<Arc<str>>,
    pub nonce: String,
}

#[derive(Debug)]
pub struct Engine {
    mode: Mode,
    topics: BTreeMap<Kind, Topic>,
    /// Of the last answer; nonces are unique on the stream.
    last: u64,
    blocked_since: Option<Instant>,
    wakes_at: Option<Instant>,
}

impl Engine {
    pub fn new(mode: Mode) -> Self {
        Self { mode, topics: BTreeMap::new(), last: 0, blocked_since: None, wakes_at: None }
    }

    pub fn hear(&mut self, ask: Ask) -> Result<Heard, TooManyNames> {
        let Ask { kind, names, nonce, refusal } = ask;
        let topic = self.topics.entry(kind).or_insert_with(|| Topic::new(kind, self.mode));
        if topic.is_stale(&nonce) {
            // It was written before the newest answer was read, and that one will be answered too.
            return Ok(Heard::Nothing);
        }
        let heard = match refusal {
            _ if nonce.is_empty() => Heard::Nothing,
            None => topic.accepted(&nonce).map_or(Heard::Nothing, |version| Heard::Accepted { kind, version }),
            Some(detail) => {
                topic.refused(&nonce).map_or(Heard::Nothing, |version| Heard::Refused { kind, version, detail })
            }
        };
        match names {
            Names::All(names) => topic.list(names)?,
            Names::Change { subscribe, unsubscribe, held } => topic.change(subscribe, unsubscribe, held)?,
        }
        Ok(heard)
    }

    /// What to write now, in this order.
    pub fn say(&mut self, newest: &Edition, now: Instant) -> Vec<Reply> {
        self.wakes_at = None;
        let mut said = Vec::new();
        for kind in Kind::ALL {
            if let Some(topic) = self.topics.get_mut(&kind) {
                topic.recognise(newest.shelf(kind));
            }
        }
        for kind in Kind::ALL {
            // The others are looked at while this one is changed.
            if let Some(mut topic) = self.topics.remove(&kind) {
                said.extend(self.say_of(kind, &mut topic, newest, now));
                self.topics.insert(kind, topic);
            }
        }
        said
    }

    fn say_of(&mut self, kind: Kind, topic: &mut Topic, newest: &Edition, now: Instant) -> Option<Reply> {
        let shelf = newest.shelf(kind);
        if topic.waiting.is_some() || topic.is_settled(shelf) {
            return None;
        }
        let gates = Gates::of(&self.topics, newest, self.blocked_since, now);
        let pending = topic.pending(shelf, |name| gates.fate(topic, kind, name));
        let left = gates.left();
        self.note_left(kind, left, now);
        let Some(pending) = pending else {
            if left == 0 {
                topic.settle(shelf);
            }
            return None;
        };
        let kept = if left == 0 { String::new() } else { format!("+{left}") };
        let version = format!("{}{kept}", shelf.version);
        self.last = self.last.wrapping_add(1);
        let nonce = format!("{}.{}", newest.serial, self.last);
        topic.told(&pending, nonce.clone(), version.clone(), now);
        if kind == Kind::Cluster
            && let Some(endpoints) = self.topics.get_mut(&Kind::Endpoints)
        {
            // A cluster that changes waits for its endpoints as if it had none, and its acceptance waits with it.
            endpoints.owe(&pending.fresh);
        }
        let (changed, removed, missing) = (pending.changed, pending.removed, pending.missing);
        Some(Reply { kind, version, changed, removed, missing, nonce })
    }

    /// Sees to it that what is left is looked at again in time.
    fn note_left(&mut self, kind: Kind, left: usize, now: Instant) {
        let waits = match kind {
            Kind::Route if left > 0 => Some(*self.blocked_since.get_or_insert(now)),
            Kind::Route => {
                self.blocked_since = None;
                None
            }
            Kind::Cluster if left > 0 => {
                self.topics.get(&Kind::Route).and_then(|routes| routes.waiting.as_ref()).map(|waiting| waiting.since)
            }
            _ => None,
        };
        let at = waits.map(|since| since + WAITS_MAX).filter(|at| *at > now);
        self.wakes_at = self.wakes_at.into_iter().chain(at).min();
    }

    /// When something is to be said although nobody asks and nothing changes.
    pub fn wakes_at(&self) -> Option<Instant> {
        self.wakes_at
    }

    /// Since when the oldest unanswered answer waits.
    pub fn waits_since(&self) -> Option<Instant> {
        self.topics.values().filter_map(|topic| topic.waiting.as_ref()).map(|waiting| waiting.since).min()
    }
}

#[cfg(test)]
mod tests;
