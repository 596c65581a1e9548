//! Tools as operators name them: one by its name, or many by how their names begin and end.
//!
//! In: text with at most one `*`. Out: a [`ToolPattern`].

use std::fmt;
use std::str::FromStr;

use crate::capability::TOOL_NAME_BYTES_MAX;

/// Most patterns of one list.
pub const TOOL_PATTERNS_MAX: usize = 256;

/// `search`, `get_*`, `*_list`, `*`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ToolPattern(String);

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` names no tools: write a name of 1 to {TOOL_NAME_BYTES_MAX} bytes, with one `*` at most for what may differ"
)]
pub struct BadToolPattern(String);

impl ToolPattern {
    pub fn as_str(&self) -> &str {
        &self.0
    }

    pub fn matches(&self, tool: &str) -> bool {
        match self.0.split_once('*') {
            None => self.0 == tool,
            Some((start, end)) => {
                tool.len() >= start.len() + end.len() && tool.starts_with(start) && tool.ends_with(end)
            }
        }
    }
}

impl FromStr for ToolPattern {
    type Err = BadToolPattern;

    fn from_str(text: &str) -> Result<Self, BadToolPattern> {
        let fits = (1..=TOOL_NAME_BYTES_MAX).contains(&text.len()) && text.matches('*').count() <= 1;
        if fits { Ok(Self(text.to_owned())) } else { Err(BadToolPattern(text.chars().take(64).collect())) }
    }
}

impl fmt::Display for ToolPattern {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests;
