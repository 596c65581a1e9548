//! The account of one run.

use super::columns::{Executed, Tally};
use super::feed::Feed;
use crate::echo::Ask;
use crate::echo::answer::read_answer;

/// What came back for one call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Back<'a> {
    /// A success with this body, or with this last event of a stream.
    Answer(&'a [u8]),
    /// Another status than a success.
    Refused(u16),
    /// Nothing: the connection broke, or time ran out.
    Lost,
}

/// The account of one run: numbers from 0, each given out once.
#[derive(Debug)]
pub struct Ledger {
    answers: Vec<u64>,
    numbers: u64,
    given: u64,
    tally: Tally,
}

impl Ledger {
    /// For a run of at most `numbers` calls.
    pub fn new(numbers: u64) -> Self {
        let words = usize::try_from(numbers.div_ceil(64)).unwrap_or_default();
        Self { answers: vec![0; words], numbers, given: 0, tally: Tally::default() }
    }

    /// The number of the next call; `None` when all are given out.
    pub fn next_number(&mut self) -> Option<u64> {
        let number = self.given;
        if number >= self.numbers {
            return None;
        }
        self.given += 1;
        Some(number)
    }

    /// Judges what came back for `number`. `home` is the replica that must have answered, if one must.
    pub fn settle(&mut self, number: u64, ask: &Ask, home: Option<&str>, back: Back<'_>) {
        self.tally.calls += 1;
        let bytes = match back {
            Back::Answer(bytes) => bytes,
            Back::Refused(_) => return self.tally.refused += 1,
            Back::Lost => return self.tally.lost += 1,
        };
        let Some(answer) = read_answer(bytes, ask) else {
            self.tally.wrong += 1;
            return;
        };
        if !self.mark(answer.number) {
            self.tally.duplicated += 1;
        }
        if answer.number != number {
            self.tally.wrong += 1;
        } else if home.is_some_and(|home| home != answer.replica) {
            self.tally.misrouted += 1;
        } else {
            self.tally.answered += 1;
        }
    }

    /// Judges a whole stream of events.
    pub fn settle_feed(&mut self, feed: &Feed) {
        self.tally.add(&feed.tally());
    }

    /// An answer beyond the one that a call was settled with.
    pub fn surplus(&mut self) {
        self.tally.duplicated += 1;
    }

    /// Closes the account with the agent's own.
    pub fn close(mut self, executed: Executed) -> Tally {
        self.tally.duplicated += executed.again;
        self.tally
    }

    /// Notes an answer; `false` if that number was answered before.
    fn mark(&mut self, number: u64) -> bool {
        let word = usize::try_from(number / 64).ok().and_then(|at| self.answers.get_mut(at));
        let Some(word) = word else { return true };
        let bit = 1 << (number % 64);
        let fresh = *word & bit == 0;
        *word |= bit;
        fresh
    }
}

#[cfg(test)]
mod tests;
