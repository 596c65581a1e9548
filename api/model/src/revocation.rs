//! Sessions that operators ended before their time.
//!
//! In: what was revoked, and when. Out: whether a session that began at some moment is over.
//! Invariant: a session that began after a revocation is not touched by it.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use crate::digest::Digest;
use crate::name::AgentName;

/// Most entries of each kind. What is older than the longest life of a session is of no use any more.
pub const REVOCATIONS_MAX: usize = 10_000;

/// What operators call a session: the first 16 hex digits of the digest that stores know it by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SessionName(u64);

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not the name of a session: 16 hex digits, as `outrigger get sessions` lists them")]
pub struct BadSessionName(String);

/// What is over, and since when in seconds since 1970: what began at that moment or before it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Revocations {
    pub sessions: BTreeMap<SessionName, u64>,
    /// By the identity of the calling workload.
    pub callers: BTreeMap<String, u64>,
    pub agents: BTreeMap<AgentName, u64>,
}

impl SessionName {
    pub fn of(digest: &Digest) -> Self {
        let [a, b, c, d, e, f, g, h, ..] = *digest.as_bytes();
        Self(u64::from_be_bytes([a, b, c, d, e, f, g, h]))
    }

    pub const fn from_number(number: u64) -> Self {
        Self(number)
    }

    pub const fn number(self) -> u64 {
        self.0
    }
}

impl fmt::Display for SessionName {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{:016x}", self.0)
    }
}

impl FromStr for SessionName {
    type Err = BadSessionName;
    fn from_str(text: &str) -> Result<Self, BadSessionName> {
        let hex = text.len() == 16 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
        let number = hex.then(|| u64::from_str_radix(text, 16).ok()).flatten();
        number.map(Self).ok_or_else(|| BadSessionName(text.chars().take(64).collect()))
    }
}

impl Revocations {
    pub fn is_empty(&self) -> bool {
        self.sessions.is_empty() && self.callers.is_empty() && self.agents.is_empty()
    }
}

#[cfg(test)]
mod tests;
