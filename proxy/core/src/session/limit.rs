//! How many sessions may be open at once.
//!
//! In: how many there are. Out: the limit that one more would pass, or nothing.
//! Never here: counting.

use outrigger_model::settings::SessionLimits;

use crate::refusal::Refusal;

/// Sessions that are open or being opened.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// Of the caller that wants one more.
    pub caller: usize,
    /// At the agent that it wants one more of.
    pub agent: usize,
    pub total: usize,
}

/// A limit that is reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SessionLimit {
    PerCaller(u32),
    PerAgent(u32),
    Total(u32),
}

impl SessionLimit {
    /// The key by which operators set it.
    pub const fn key(self) -> &'static str {
        match self {
            Self::PerCaller(_) => "sessions_per_caller_max",
            Self::PerAgent(_) => "sessions_per_agent_max",
            Self::Total(_) => "sessions_max",
        }
    }

    pub const fn refusal(self) -> Refusal {
        Refusal::SessionLimit { limit: self.key(), max: self.max() }
    }

    const fn max(self) -> u32 {
        match self {
            Self::PerCaller(max) | Self::PerAgent(max) | Self::Total(max) => max,
        }
    }
}

/// The first limit that is reached, the narrowest first.
pub fn reached(limits: &SessionLimits, counts: Counts) -> Option<SessionLimit> {
    let reached = |max: Option<u32>, count: usize| max.filter(|max| count >= *max as usize);
    reached(limits.per_caller, counts.caller)
        .map(SessionLimit::PerCaller)
        .or_else(|| reached(limits.per_agent, counts.agent).map(SessionLimit::PerAgent))
        .or_else(|| reached(limits.total, counts.total).map(SessionLimit::Total))
}

/// Whether so many sessions in all are within each limit, whosever they are.
pub fn is_far(limits: &SessionLimits, total: usize) -> bool {
    reached(limits, Counts { caller: total, agent: total, total }).is_none()
}

#[cfg(test)]
mod tests;
