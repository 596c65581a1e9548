//! MCP revisions: the dates under which versions of the protocol are published, and the two eras they fall into.
//!
//! In: the text of `MCP-Protocol-Version`. Out: a [`Revision`] and its [`Era`].
//! Source: MCP 2026-07-28 `basic/versioning`: legacy revisions open with `initialize` and may have sessions, modern ones have neither.
//! Invariant: an unknown later date counts as modern; text that is not a date is no revision.

use std::fmt;
use std::str::FromStr;

/// A revision of MCP, such as `2025-11-25`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Revision {
    year: u16,
    month: u8,
    day: u8,
}

/// Which handshake and which state a revision has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Era {
    /// Up to 2025-11-25: `initialize`, and sessions where the server wants them.
    Legacy,
    /// From 2026-07-28: every request stands alone and says what it is in its headers.
    Modern,
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not an MCP revision such as 2025-11-25")]
pub struct BadRevision(String);

impl Revision {
    pub const V2024_11_05: Self = Self { year: 2024, month: 11, day: 5 };
    pub const V2025_03_26: Self = Self { year: 2025, month: 3, day: 26 };
    pub const V2025_06_18: Self = Self { year: 2025, month: 6, day: 18 };
    pub const V2025_11_25: Self = Self { year: 2025, month: 11, day: 25 };
    pub const V2026_07_28: Self = Self { year: 2026, month: 7, day: 28 };

    pub fn era(self) -> Era {
        if self >= Self::V2026_07_28 { Era::Modern } else { Era::Legacy }
    }

    /// Reads `YYYY-MM-DD` without allocating.
    pub fn from_bytes(text: &[u8]) -> Option<Self> {
        let [y1, y2, y3, y4, b'-', m1, m2, b'-', d1, d2] = *text else { return None };
        let number = |digits: &[u8]| {
            digits
                .iter()
                .try_fold(0u16, |sum, digit| digit.is_ascii_digit().then(|| sum * 10 + u16::from(digit - b'0')))
        };
        let year = number(&[y1, y2, y3, y4])?;
        let month = u8::try_from(number(&[m1, m2])?).ok()?;
        let day = u8::try_from(number(&[d1, d2])?).ok()?;
        ((1..=12).contains(&month) && (1..=31).contains(&day)).then_some(Self { year, month, day })
    }
}

impl FromStr for Revision {
    type Err = BadRevision;
    fn from_str(text: &str) -> Result<Self, BadRevision> {
        Self::from_bytes(text.as_bytes()).ok_or_else(|| BadRevision(text.chars().take(32).collect()))
    }
}

impl fmt::Display for Revision {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{:04}-{:02}-{:02}", self.year, self.month, self.day)
    }
}

impl fmt::Debug for Revision {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, out)
    }
}

#[cfg(test)]
mod tests;
