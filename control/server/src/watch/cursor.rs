//! Where one reader stands, and what it is told next.
//!
//! In: what it asked for, the newest edition, and what is remembered of those before. Out: [`Say`]s, of bounded size.
//! Never here: sockets, clocks, forms of text.
//! Invariant: nothing queues for a reader: when it takes more, it is told what leads from where it is to the newest. Where it
//! may go on another time is only said once everything before was told.

use std::collections::{BTreeSet, VecDeque};
use std::sync::Arc;

use outrigger_model::resource::{ResourceKind, Serial};

use crate::publish::edition::{Edition, Topic};
use crate::publish::step::{Op, Touch, between, whole};
use outrigger_model::position::Position;

/// Changes that are told at once, and bytes of their bodies if those are asked for; one that is larger is told alone.
const CHANGES_MAX: usize = 512;
const BYTES_MAX: usize = 256 << 10;

/// What a reader wants to see.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filter {
    /// Empty: all kinds.
    pub kinds: BTreeSet<ResourceKind>,
    pub bodies: bool,
}

/// Where a reader starts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Start {
    Nothing,
    At(Position),
    /// It said where it is, and nobody can make sense of it.
    Lost,
}

/// A piece of what leads to one snapshot.
#[derive(Debug, Clone)]
pub struct Say {
    pub edition: Arc<Edition>,
    /// The reader has to forget what it was told before.
    pub is_reset: bool,
    pub changes: Vec<Touch>,
    /// It was the last piece.
    pub is_synced: bool,
}

#[derive(Debug)]
pub struct Cursor {
    filter: Filter,
    place: Place,
}

#[derive(Debug)]
enum Place {
    Starting(Start),
    /// Everything up to this edition was told.
    Told(Arc<Edition>),
    /// Some of what leads to this edition was told.
    Telling {
        target: Arc<Edition>,
        rest: VecDeque<Touch>,
        is_reset: bool,
    },
}

impl Filter {
    pub fn wants(&self, kind: ResourceKind) -> bool {
        self.kinds.is_empty() || self.kinds.contains(&kind)
    }
}

impl Cursor {
    pub fn new(filter: Filter, start: Start) -> Self {
        Self { filter, place: Place::Starting(start) }
    }

    /// What to tell now; none: there is nothing that it wants to know. `since` is what is remembered: what leads from a
    /// snapshot to `newest`.
    pub fn next(&mut self, newest: &Arc<Edition>, since: impl Fn(Serial) -> Option<Vec<Touch>>) -> Option<Say> {
        let (changes, is_reset) = match &self.place {
            Place::Telling { .. } => return self.piece(),
            Place::Told(told) if told.serial == newest.serial => return None,
            // Who is further behind than is remembered still has the edition in hand.
            Place::Told(told) => (since(told.serial).unwrap_or_else(|| between(told, newest)), false),
            Place::Starting(Start::Nothing) => (whole(newest), false),
            Place::Starting(Start::Lost) => (whole(newest), true),
            Place::Starting(Start::At(position)) => {
                match Some(position.serial).filter(|_| position.epoch == newest.epoch).and_then(&since) {
                    Some(changes) => (changes, false),
                    None => (whole(newest), true),
                }
            }
        };
        let rest: VecDeque<Touch> = changes.into_iter().filter(|touch| self.filter.wants(touch.kind)).collect();
        if rest.is_empty() && matches!(self.place, Place::Told(_)) {
            self.place = Place::Told(Arc::clone(newest));
            return None;
        }
        self.place = Place::Telling { target: Arc::clone(newest), rest, is_reset };
        self.piece()
    }

    fn piece(&mut self) -> Option<Say> {
        let Place::Telling { target, rest, is_reset } = &mut self.place else { return None };
        let edition = Arc::clone(target);
        let is_reset = std::mem::take(is_reset);
        let (mut changes, mut bytes) = (Vec::new(), 0);
        while let Some(touch) = rest.front() {
            let size = if self.filter.bodies { body(&edition, touch).map_or(0, |body| body.len()) } else { 0 };
            if changes.len() >= CHANGES_MAX || (bytes + size > BYTES_MAX && !changes.is_empty()) {
                break;
            }
            bytes += size;
            changes.extend(rest.pop_front());
        }
        let is_synced = rest.is_empty();
        if is_synced {
            self.place = Place::Told(Arc::clone(&edition));
        }
        Some(Say { edition, is_reset, changes, is_synced })
    }

    /// From where it may go on another time; none before everything was told once.
    pub fn position(&self) -> Option<Position> {
        match &self.place {
            Place::Told(edition) => Some(Position { epoch: edition.epoch, serial: edition.serial }),
            Place::Starting(_) | Place::Telling { .. } => None,
        }
    }

    pub fn filter(&self) -> &Filter {
        &self.filter
    }
}

/// The content of what was touched, as an edition has it; none of what is gone.
pub fn body<'a>(edition: &'a Edition, touch: &Touch) -> Option<&'a bytes::Bytes> {
    let entry = edition.shelf(Topic::Resources(touch.kind)).entries.get(&*touch.name);
    entry.filter(|_| touch.op != Op::Removed).map(|entry| &entry.body)
}

#[cfg(test)]
mod tests;
