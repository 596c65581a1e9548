//! What is remembered of one view: the newest editions whole, and of many more what each of them changed.
//!
//! In: editions, one after the other. Out: what happened since a snapshot, and editions that are still there.
//! Invariant: bounded in editions, in steps and in touches; a gap is never bridged by a guess.

use std::collections::VecDeque;
use std::sync::Arc;

use outrigger_control_core::snapshot::ledger;
use outrigger_model::resource::Serial;

use crate::publish::edition::Edition;
use crate::publish::step::{Touch, between, merged, since_ledger};

/// Editions that are kept whole. One shares with the one before it all kinds that did not change.
pub const EDITIONS_MAX: usize = 32;
/// Steps back to which a reader can go on.
pub const STEPS_MAX: usize = 1_000;
/// The same, in resources that they touched.
const TOUCHES_MAX: usize = 50_000;

#[derive(Debug)]
pub struct Past {
    /// Oldest first, never empty; the last one is the newest.
    editions: VecDeque<Arc<Edition>>,
    /// Oldest first; each begins where the one before it ends.
    steps: VecDeque<Step>,
    touches: usize,
}

#[derive(Debug)]
struct Step {
    from: Serial,
    touches: Vec<Touch>,
}

impl Past {
    /// Begins with the first edition of this process; `before` is what the store remembers of the one that was told last.
    pub fn new(first: Arc<Edition>, before: Option<&ledger::View>) -> Self {
        let mut past = Self { editions: VecDeque::new(), steps: VecDeque::new(), touches: 0 };
        if let Some(before) = before.filter(|before| before.serial < first.serial) {
            past.push_step(Step { from: before.serial, touches: since_ledger(before, &first) });
        }
        past.editions.push_back(first);
        past
    }

    /// The next edition. One that is not newer changes nothing.
    pub fn push(&mut self, edition: Arc<Edition>) {
        let Some(newest) = self.editions.back().filter(|newest| newest.serial < edition.serial) else { return };
        let step = Step { from: newest.serial, touches: between(newest, &edition) };
        self.push_step(step);
        self.editions.push_back(edition);
        if self.editions.len() > EDITIONS_MAX {
            self.editions.pop_front();
        }
    }

    fn push_step(&mut self, step: Step) {
        self.touches += step.touches.len();
        self.steps.push_back(step);
        while self.steps.len() > STEPS_MAX || self.touches > TOUCHES_MAX {
            let Some(oldest) = self.steps.pop_front() else { return };
            self.touches -= oldest.touches.len();
        }
    }

    /// What leads from one snapshot to a later one. None: nobody knows any more, or one of them never was.
    pub fn steps(&self, from: Serial, to: Serial) -> Option<Vec<Touch>> {
        let begins_at = |serial| self.steps.iter().position(|step| step.from == serial);
        let is_newest = self.editions.back().is_some_and(|newest| newest.serial == to);
        let end = if is_newest { self.steps.len() } else { begins_at(to)? };
        if from == to {
            return Some(Vec::new());
        }
        let first = begins_at(from).filter(|first| *first < end)?;
        Some(merged(self.steps.range(first..end).map(|step| step.touches.as_slice())))
    }

    /// An edition that is kept.
    pub fn at(&self, serial: Serial) -> Option<&Arc<Edition>> {
        self.editions.iter().find(|edition| edition.serial == serial)
    }

    /// The serials of those that are kept, oldest first.
    pub fn kept(&self) -> impl Iterator<Item = Serial> {
        self.editions.iter().map(|edition| edition.serial)
    }
}

#[cfg(test)]
mod tests;
