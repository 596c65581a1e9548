//! What a replica does to the attempts that reach it, over virtual time.
//!
//! In: a seed. Out: a [`Behaviour`] for each moment, and the [`Outcome`] that the transport would see.
//! Invariant: a behaviour that may have run the request counts as one that has; the simulation assumes the worst.

use http::StatusCode;
use outrigger_proxy_core::outcome::{NotReached, Outcome};

use crate::chance::Chance;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Behaviour {
    Well,
    /// No connection.
    Refuses,
    /// Its proxy says that the agent's port is closed.
    Unreachable,
    /// Its proxy has too much to do.
    Full,
    /// Its proxy ends, and takes nothing new.
    Leaving,
    /// The connection ends after the request was sent.
    Loses,
    /// Something before the agent says that it did not answer.
    Unavailable,
    /// No answer in time.
    Slow,
    /// It answers that it failed.
    Fails,
    /// It answers that it may be asked later, and when.
    Limits,
    /// Its tools say that they failed, all else is well.
    Sick,
}

/// Every behaviour but the good one.
pub const FAULTS: [Behaviour; 10] = [
    Behaviour::Refuses,
    Behaviour::Unreachable,
    Behaviour::Full,
    Behaviour::Leaving,
    Behaviour::Loses,
    Behaviour::Unavailable,
    Behaviour::Slow,
    Behaviour::Fails,
    Behaviour::Limits,
    Behaviour::Sick,
];

impl Behaviour {
    /// What the transport sees of a request that it would otherwise answer with 200.
    pub const fn outcome(self) -> Outcome {
        match self {
            Self::Well | Self::Sick => Outcome::Answered(StatusCode::OK),
            Self::Refuses => Outcome::ConnectFailed,
            Self::Unreachable => Outcome::NotReached(NotReached::AgentUnreachable),
            Self::Full => Outcome::NotReached(NotReached::Overloaded),
            Self::Leaving => Outcome::NotReached(NotReached::Draining),
            Self::Loses => Outcome::Lost,
            Self::Unavailable => Outcome::Answered(StatusCode::SERVICE_UNAVAILABLE),
            Self::Slow => Outcome::TimedOut,
            Self::Fails => Outcome::Answered(StatusCode::INTERNAL_SERVER_ERROR),
            Self::Limits => Outcome::Answered(StatusCode::TOO_MANY_REQUESTS),
        }
    }

    /// Whether a request that comes to it runs, at worst.
    pub const fn runs(self) -> bool {
        self.outcome().reached_agent()
    }

    /// Whether a call that it gets is answered as it should be.
    pub const fn serves(self) -> bool {
        matches!(self, Self::Well | Self::Sick)
    }

    /// How long an attempt takes, in milliseconds.
    pub const fn takes(self) -> u64 {
        match self {
            Self::Slow => 700,
            Self::Well | Self::Sick => 20,
            _ => 2,
        }
    }
}

/// What one replica does, from which millisecond on.
#[derive(Debug, Clone)]
pub struct Script(Vec<(u64, Behaviour)>);

impl Script {
    pub fn calm() -> Self {
        Self(vec![(0, Behaviour::Well)])
    }

    pub fn is_calm(&self) -> bool {
        self.0.iter().all(|(_, behaviour)| *behaviour == Behaviour::Well)
    }

    /// The same fault for ever.
    pub fn outage(behaviour: Behaviour) -> Self {
        Self(vec![(0, behaviour)])
    }

    /// Up to four phases, every other one of them good on average, the last before `end` milliseconds.
    pub fn random(chance: &mut Chance, end: u64) -> Self {
        let mut phases: Vec<(u64, Behaviour)> = (0..1 + chance.below(4))
            .map(|_| {
                let behaviour = if chance.one_in(2) { Behaviour::Well } else { chance.of(&FAULTS) };
                (chance.next() % end, behaviour)
            })
            .collect();
        phases.sort_by_key(|(from, _)| *from);
        Self(phases)
    }

    pub fn at(&self, ms: u64) -> Behaviour {
        self.0.iter().rev().find(|(from, _)| *from <= ms).map_or(Behaviour::Well, |(_, behaviour)| *behaviour)
    }
}
