//! One limit as it applies to one call: what it is counted under, and how it is called.
//!
//! In: a limit, where it stands, who calls what. Out: a [`Key`], the same in all proxies; words for people.

use std::time::Duration;

use outrigger_model::digest::Digest;
use outrigger_model::rate::{Allowance, Per, RateLimit};

use crate::refusal::Refusal;

/// Whose limits they are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope<'a> {
    Route(&'a str),
    Pool(&'a str),
}

/// Who calls what.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Who<'a> {
    pub caller: &'a str,
    pub agent: &'a str,
    pub tool: &'a str,
}

/// What is counted together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Key(Digest);

/// A limit and a call.
#[derive(Debug, Clone, Copy)]
pub struct Meter<'a> {
    pub scope: Scope<'a>,
    /// Its place among the limits of its scope.
    pub at: usize,
    pub rate: &'a RateLimit,
    pub who: Who<'a>,
}

impl Key {
    /// Short enough for the name of an entry in a store.
    pub fn text(&self) -> String {
        let mut text = self.0.to_string();
        text.truncate(32);
        text
    }

    /// Evenly spread over all keys.
    pub fn spread(&self) -> usize {
        let [first, second, ..] = *self.0.as_bytes();
        usize::from(u16::from_be_bytes([first, second]))
    }
}

impl Meter<'_> {
    /// A limit that is changed begins anew; all others go on.
    pub fn key(&self) -> Key {
        let Who { caller, agent, tool } = self.who;
        match self.rate.per {
            Per::All => self.key_of(&[]),
            Per::Caller => self.key_of(&[caller]),
            Per::Agent => self.key_of(&[agent]),
            Per::Tool => self.key_of(&[agent, tool]),
        }
    }

    /// Of all that there is no room to count one by one.
    pub fn rest(&self) -> Key {
        self.key_of(&["", "", ""])
    }

    pub fn refusal(&self, wait: Duration) -> Refusal {
        let seconds = wait.as_secs().saturating_add(u64::from(wait.subsec_nanos() > 0));
        let wait_seconds = u32::try_from(seconds).unwrap_or(u32::MAX).max(1);
        Refusal::RateLimited { limit: self.to_string(), wait_seconds }
    }

    fn key_of(&self, whose: &[&str]) -> Key {
        let (kind, name) = self.scope.parts();
        let (allowance, calls, time, burst) = match self.rate.allowance {
            Allowance::Bucket { calls, every, burst } => (0, calls, every, burst),
            Allowance::Quota { calls, window } => (1, calls, window, 0),
        };
        let mut numbers = [0; 34];
        let at = (self.at as u64).to_be_bytes();
        let bytes = at.iter().copied().chain([allowance, self.rate.per as u8]).chain(calls.to_be_bytes());
        let bytes = bytes.chain(burst.to_be_bytes()).chain(time.as_nanos().to_be_bytes());
        numbers.iter_mut().zip(bytes).for_each(|(place, byte)| *place = byte);
        let words = [kind, name].into_iter().chain(whose.iter().copied()).map(str::as_bytes);
        let tools = self.rate.tools.iter().map(|tool| tool.as_str().as_bytes());
        Key(Digest::of_parts([&numbers[..]].into_iter().chain(words).chain(tools)))
    }
}

impl Scope<'_> {
    const fn parts(&self) -> (&'static str, &str) {
        match self {
            Self::Route(name) => ("route", name),
            Self::Pool(name) => ("agent", name),
        }
    }
}

impl std::fmt::Display for Meter<'_> {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (kind, name) = self.scope.parts();
        let (calls, time, kind_of) = match self.rate.allowance {
            Allowance::Bucket { calls, every, .. } => (calls, every, "at most"),
            Allowance::Quota { calls, window } => (calls, window, "a quota of"),
        };
        let per = match self.rate.per {
            Per::All => "",
            Per::Caller => " per caller",
            Per::Agent => " per agent",
            Per::Tool => " per tool",
        };
        write!(out, "{kind} `{name}` takes {kind_of} {calls} calls in {time:?}{per}")
    }
}

#[cfg(test)]
mod tests;
