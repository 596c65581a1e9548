//! The account of one open stream that must bring a number of events, each once.
//!
//! Invariant: every event that had to come ends in exactly one column, as a call does; what came beyond them is duplicated.

use super::columns::Tally;
use crate::echo::event::Told;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Came {
    Not,
    Right,
    /// From another replica than the one that holds the session.
    Elsewhere,
}

#[derive(Debug)]
pub struct Feed {
    stream: u64,
    home: Option<String>,
    events: Vec<Came>,
    /// Events that are none of this stream.
    strange: u64,
    again: u64,
    refused: bool,
}

impl Feed {
    /// `home` is the replica whose events they must be, if one must.
    pub fn new(stream: u64, events: usize, home: Option<String>) -> Self {
        Self { stream, home, events: vec![Came::Not; events], strange: 0, again: 0, refused: false }
    }

    /// Takes in what came; `None` is what could not be read.
    pub fn take(&mut self, told: Option<&Told<'_>>) {
        let own = told.filter(|told| told.stream == self.stream);
        let step = own.and_then(|told| usize::try_from(told.step).ok());
        let event = step.and_then(|step| self.events.get_mut(step));
        let (Some(told), Some(event)) = (own, event) else { return self.strange += 1 };
        if *event != Came::Not {
            self.again += 1;
        } else if self.home.as_ref().is_some_and(|home| *home != told.replica) {
            *event = Came::Elsewhere;
        } else {
            *event = Came::Right;
        }
    }

    /// The stream was not opened: all its events count as refused.
    pub fn refuse(&mut self) {
        self.refused = true;
    }

    pub fn is_complete(&self) -> bool {
        !self.events.contains(&Came::Not)
    }

    /// A strange event stands for one that did not come, as long as there are such; further ones are surplus.
    pub fn tally(&self) -> Tally {
        let count = |came| self.events.iter().filter(|event| **event == came).count() as u64;
        let calls = self.events.len() as u64;
        if self.refused {
            return Tally { calls, refused: calls, ..Tally::default() };
        }
        let missing = count(Came::Not);
        let wrong = self.strange.min(missing);
        Tally {
            calls,
            answered: count(Came::Right),
            wrong,
            misrouted: count(Came::Elsewhere),
            refused: 0,
            lost: missing - wrong,
            duplicated: self.again + self.strange - wrong,
        }
    }
}

#[cfg(test)]
mod tests;
