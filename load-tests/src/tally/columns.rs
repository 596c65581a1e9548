//! The columns in which calls end.
//!
//! Invariant: `calls` is the sum of answered, wrong, misrouted, refused and lost; duplicated stands beside them.

use serde::{Deserialize, Serialize};

/// The columns.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tally {
    pub calls: u64,
    /// The right number, from the right replica.
    pub answered: u64,
    /// An answer that is not the answer to this call.
    pub wrong: u64,
    /// The right number, from another replica than the one that holds the session.
    pub misrouted: u64,
    pub refused: u64,
    pub lost: u64,
    /// Answers that came once more, and calls that the agent executed once more.
    pub duplicated: u64,
}

impl Tally {
    pub fn add(&mut self, other: &Self) {
        self.calls += other.calls;
        self.answered += other.answered;
        self.wrong += other.wrong;
        self.misrouted += other.misrouted;
        self.refused += other.refused;
        self.lost += other.lost;
        self.duplicated += other.duplicated;
    }

    /// Whether every call was answered rightly, once.
    pub fn is_clean(&self) -> bool {
        self.answered == self.calls && self.duplicated == 0
    }

    /// Everything that is not as it should be.
    pub fn faults(&self) -> u64 {
        self.wrong + self.misrouted + self.refused + self.lost + self.duplicated
    }
}

/// What the agent says of one run.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Executed {
    /// Numbers that were executed.
    pub once: u64,
    /// Executions beyond the first of their number.
    pub again: u64,
}
