//! Which of a call's time limits passes next, and when.
//!
//! In: the limits of its class, the time that its caller gives it, when it began, when something last happened. Out: a moment, and what it
//! is the moment of.
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

    /// The same for a caller that waits only so long, from `began` on: what its route allows and what it wants are one limit.
    pub fn within(self, patience: Option<Duration>, began: Instant) -> Self {
        let until = after(began, patience);
        Self { total_at: self.total_at.into_iter().chain(until).min(), ..self }
    }

    /// The same for one attempt that another one may follow.
    pub fn trying_for(self, per_try: Option<Duration>) -> Self {
        let first_byte = self.limits.first_byte.into_iter().chain(per_try).min();
        Self { limits: Limits { first_byte, ..self.limits }, ..self }
    }

    /// What is left of the time of the whole call; none has no end.
    pub fn left(&self, now: Instant) -> Option<Duration> {
        self.total_at.map(|at| at.saturating_duration_since(now))
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

/// How long a caller waits, as it writes it in `X-Mesh-Timeout`: seconds, perhaps with a fraction. What is none of that, or no time at all,
/// is as if it were not there, as agents of mcp-mesh take it.
pub fn patience(value: &[u8]) -> Option<Duration> {
    let text = std::str::from_utf8(value).ok()?.trim_matches(' ');
    let is_plain = text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    let seconds: f64 = text.parse().ok().filter(|_| is_plain)?;
    Duration::try_from_secs_f64(seconds).ok().filter(|patience| !patience.is_zero())
}

/// What the next one is told of it: whole seconds, because agents read no others, and never none.
pub fn seconds_left(left: Duration) -> u64 {
    left.as_secs().saturating_add(u64::from(left.subsec_nanos() > 0)).max(1)
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
