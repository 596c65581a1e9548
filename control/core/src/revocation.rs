//! The sessions that operators ended, for as long as one of them could still be about.
//!
//! In: whose sessions, when, why. Out: what the snapshot says of them, and what the store is to keep.
//! Never here: sessions; which there are is known to the proxies alone.
//! Invariant: bounded, and what is in it is never older than a session may become.

use std::collections::BTreeMap;
use std::fmt;

use outrigger_model::name::AgentName;
use outrigger_model::revocation::{REVOCATIONS_MAX, Revocations, SessionName};

/// Longest reason, in bytes; what is longer is cut.
pub const REASON_BYTES_MAX: usize = 256;
/// Longest name of a caller, in bytes; that of the wire.
pub const CALLER_BYTES_MAX: usize = 2_048;
/// Most bytes of all callers, so that the resource with all of them can travel.
pub const CALLERS_BYTES_MAX: usize = 4 << 20;

/// Whose sessions are over.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Target {
    Session(SessionName),
    /// By the identity of the calling workload.
    Caller(String),
    Agent(AgentName),
}

/// One decision of an operator.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Revoked {
    pub target: Target,
    /// Seconds since 1970.
    pub at: u64,
    /// For people; may be empty.
    pub reason: String,
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadTarget {
    #[error("there are no revocations of a `{0}`")]
    Kind(String),
    #[error("it is not the name of a session: 16 hex digits, as `outrigger get sessions` lists them")]
    Session,
    #[error("a caller has 1 to {CALLER_BYTES_MAX} bytes, none of them a control character")]
    Caller,
    #[error("it is not the name of an agent")]
    Agent,
}

/// No more of this kind can be kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{REVOCATIONS_MAX} revocations of this kind are kept, which is the most; they leave as they grow old")]
pub struct Full;

/// All that are in force.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Book {
    all: Revocations,
    reasons: BTreeMap<Target, String>,
    callers_bytes: usize,
}

impl Target {
    /// From the words in which stores and operators write it.
    pub fn parse(kind: &str, name: &str) -> Result<Self, BadTarget> {
        match kind {
            "session" => name.parse().map(Self::Session).map_err(|_| BadTarget::Session),
            "caller" if (1..=CALLER_BYTES_MAX).contains(&name.len()) && !name.chars().any(char::is_control) => {
                Ok(Self::Caller(name.to_owned()))
            }
            "caller" => Err(BadTarget::Caller),
            "agent" => AgentName::new(name).map(Self::Agent).map_err(|_| BadTarget::Agent),
            other => Err(BadTarget::Kind(other.chars().take(64).collect())),
        }
    }

    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Session(_) => "session",
            Self::Caller(_) => "caller",
            Self::Agent(_) => "agent",
        }
    }

    pub fn name(&self) -> String {
        match self {
            Self::Session(name) => name.to_string(),
            Self::Caller(caller) => caller.clone(),
            Self::Agent(agent) => agent.to_string(),
        }
    }
}

impl fmt::Display for Target {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{} {}", self.kind(), self.name())
    }
}

impl Book {
    /// Takes in what a store held.
    pub fn restore(all: impl IntoIterator<Item = Revoked>) -> Self {
        let mut book = Self::default();
        for revoked in all {
            // What is beyond the bounds was never taken in by anyone.
            let _ = book.add(revoked);
        }
        book
    }

    /// Takes one in, in place of an earlier one of the same target. Whether that changed anything.
    pub fn add(&mut self, revoked: Revoked) -> Result<bool, Full> {
        let Revoked { target, at, reason } = revoked;
        let (count, before) = match &target {
            Target::Session(name) => (self.all.sessions.len(), self.all.sessions.get(name)),
            Target::Caller(caller) => (self.all.callers.len(), self.all.callers.get(caller)),
            Target::Agent(agent) => (self.all.agents.len(), self.all.agents.get(agent)),
        };
        let before = before.copied();
        if before.is_some_and(|before| before >= at) {
            return Ok(false);
        }
        let more = match &target {
            Target::Caller(caller) if before.is_none() => caller.len(),
            _ => 0,
        };
        if before.is_none() && count >= REVOCATIONS_MAX || self.callers_bytes + more > CALLERS_BYTES_MAX {
            return Err(Full);
        }
        self.callers_bytes += more;
        match &target {
            Target::Session(name) => self.all.sessions.insert(*name, at),
            Target::Caller(caller) => self.all.callers.insert(caller.clone(), at),
            Target::Agent(agent) => self.all.agents.insert(agent.clone(), at),
        };
        self.reasons.insert(target, reason);
        Ok(true)
    }

    /// Drops what is from before a moment; what was dropped.
    pub fn forget_before(&mut self, moment: u64) -> Vec<Target> {
        let old: Vec<Target> =
            self.iter().filter(|(_, at, _)| *at < moment).map(|(target, ..)| target.clone()).collect();
        for target in &old {
            self.reasons.remove(target);
            match target {
                Target::Session(name) => self.all.sessions.remove(name),
                Target::Caller(caller) => {
                    self.callers_bytes -= caller.len();
                    self.all.callers.remove(caller)
                }
                Target::Agent(agent) => self.all.agents.remove(agent),
            };
        }
        old
    }

    pub fn get(&self, target: &Target) -> Option<Revoked> {
        let reason = self.reasons.get(target)?;
        Some(Revoked { target: target.clone(), at: self.at(target)?, reason: reason.clone() })
    }

    /// Each with when and why; sessions first, then callers, then agents.
    pub fn iter(&self) -> impl Iterator<Item = (&Target, u64, &str)> {
        self.reasons.iter().filter_map(|(target, reason)| Some((target, self.at(target)?, reason.as_str())))
    }

    /// As it stands in a snapshot.
    pub const fn revocations(&self) -> &Revocations {
        &self.all
    }

    fn at(&self, target: &Target) -> Option<u64> {
        match target {
            Target::Session(name) => self.all.sessions.get(name),
            Target::Caller(caller) => self.all.callers.get(caller),
            Target::Agent(agent) => self.all.agents.get(agent),
        }
        .copied()
    }
}

#[cfg(test)]
mod tests;
