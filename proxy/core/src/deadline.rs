//! Which of a call's time limits passes next, and when.
//!
//! In: the limits of its class, when it began, when something last happened. Out: a moment, and what it is the moment of.
//! Never here: a clock, or what follows when the moment has come.
//! Invariant: nothing that happens moves the total away.

use std::time::{Duration, Instant};

use outrigger_model::route::Limits;

use crate::outcome::Limit;

/// The limits of one call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Deadlines {
    limits: Limits,
    keep_alive: Option<Duration>,
    total_at: Option<Instant>,
}

/// What its time has come for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Due {
    Limit(Limit),
    /// The caller has heard nothing for long enough to be sent a comment.
    KeepAlive,
}

/// A moment. None of it: nothing is ever due.
pub type Next = Option<(Instant, Due)>;

impl Deadlines {
    /// `began` is when the call came.
    pub fn new(limits: Limits, keep_alive: Option<Duration>, began: Instant) -> Self {
        Self { limits, keep_alive, total_at: after(began, limits.total) }
    }

    /// While the head of the answer is awaited. `progress` is when the request last went further.
    pub fn before_head(&self, progress: Instant) -> Next {
        first(self.limit(Limit::FirstByte, after(progress, self.limits.first_byte)), self.total())
    }

    /// While the answer comes. `came` is when its last byte did.
    pub fn after_head(&self, came: Instant) -> Next {
        first(self.limit(Limit::Idle, after(came, self.limits.idle)), self.total())
    }

    /// The same for a stream of events; `told` is when its caller was last sent anything.
    pub fn of_events(&self, came: Instant, told: Instant) -> Next {
        let comment = after(told, self.keep_alive).map(|at| (at, Due::KeepAlive));
        first(self.after_head(came), comment)
    }

    fn total(&self) -> Next {
        self.limit(Limit::Total, self.total_at)
    }

    fn limit(&self, limit: Limit, at: Option<Instant>) -> Next {
        at.map(|at| (at, Due::Limit(limit)))
    }
}

/// What is beyond the clock's end never comes.
fn after(moment: Instant, limit: Option<Duration>) -> Option<Instant> {
    moment.checked_add(limit?)
}

/// The earlier one; of two that come together, the first.
fn first(one: Next, other: Next) -> Next {
    match (one, other) {
        (Some(one), Some(other)) => Some(if other.0 < one.0 { other } else { one }),
        (one, other) => one.or(other),
    }
}

#[cfg(test)]
mod tests;
