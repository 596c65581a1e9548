//! What holds a call at a replica, as a table that can be read beside docs/sessions.md.
//!
//! In: a kind of key. Out: its [`Rule`]: who makes its values, what follows when the replica is gone, how long it is remembered.
//! Invariant: the rows stand in the order in which keys decide.

use std::time::Duration;

use crate::session::key::KeyKind;

/// The state of a call that goes on is used within minutes, and once; servers keep theirs for as long.
const STATE_LIFE_MAX: Duration = Duration::from_secs(600);

/// Who makes a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum MadeBy {
    /// It means something to the replica that made it only, and belongs to the caller that got it.
    Agent,
    /// Any value may come first to any replica.
    Caller,
}

/// What follows when the replica is gone for good.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Gone {
    /// The protocol has a word for it: 404, and the client opens another session.
    Told,
    /// The next rung of the ladder decides, and the agent there says what it thinks of the value.
    NextRung,
    /// Another replica is picked and holds it from then on, before the call is sent.
    Moves,
}

/// How long it is remembered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Life {
    /// While it is used.
    Idle,
    /// As long as the agent said, then while it is used.
    Told,
    /// No longer than this, and no longer than what is idle.
    AtMost(Duration),
}

/// What is done with one kind of key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rule {
    pub kind: KeyKind,
    pub made_by: MadeBy,
    pub gone: Gone,
    pub life: Life,
}

#[rustfmt::skip]
pub const RULES: [Rule; 4] = [
    Rule { kind: KeyKind::Session, made_by: MadeBy::Agent,  gone: Gone::Told,     life: Life::Idle },
    Rule { kind: KeyKind::Task,    made_by: MadeBy::Agent,  gone: Gone::NextRung, life: Life::Told },
    Rule { kind: KeyKind::State,   made_by: MadeBy::Agent,  gone: Gone::NextRung, life: Life::AtMost(STATE_LIFE_MAX) },
    Rule { kind: KeyKind::Handle,  made_by: MadeBy::Caller, gone: Gone::Moves,    life: Life::Idle },
];

impl Rule {
    pub const fn of(kind: KeyKind) -> &'static Self {
        let [session, task, state, handle] = &RULES;
        match kind {
            KeyKind::Session => session,
            KeyKind::Task => task,
            KeyKind::State => state,
            KeyKind::Handle => handle,
        }
    }

    /// How long a new binding is kept. `told` is what the agent said, `idle` and `lifetime` are those of the mesh.
    pub fn kept(&self, told: Option<Duration>, idle: Duration, lifetime: Duration) -> Duration {
        match self.life {
            Life::Idle => idle,
            Life::Told => told.map_or(idle, |told| told.clamp(Duration::from_secs(1), lifetime)),
            Life::AtMost(most) => idle.min(most),
        }
    }

    /// Whether use makes it live longer.
    pub const fn is_renewed(&self) -> bool {
        !matches!(self.life, Life::AtMost(_))
    }
}

#[cfg(test)]
mod tests;
