//! How often something may be called.
//!
//! In: intent. Out: [`RateLimit`]s of a route or of a pool.

use std::time::Duration;

use crate::tool_pattern::ToolPattern;

/// Most limits of one route or pool.
pub const RATES_MAX: usize = 8;

/// What shares one allowance.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Per {
    /// All calls of the route or the pool.
    All,
    /// Each calling workload.
    Caller,
    /// Each agent that is called.
    Agent,
    /// Each tool of each agent.
    Tool,
}

/// How much is allowed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Allowance {
    /// A token bucket, in each proxy by itself: `calls` come back in every `every`, and up to `burst` are saved.
    Bucket { calls: u32, every: Duration, burst: u32 },
    /// At most `calls` in each window of this length. Counted by all proxies together where they share a store.
    Quota { calls: u32, window: Duration },
}

/// One limit; a call needs room in all that are about it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RateLimit {
    pub per: Per,
    /// Calls of these tools only; empty is all calls.
    pub tools: Vec<ToolPattern>,
    pub allowance: Allowance,
}

impl Per {
    pub const ALL: [Self; 4] = [Self::All, Self::Caller, Self::Agent, Self::Tool];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::All => "all",
            Self::Caller => "caller",
            Self::Agent => "agent",
            Self::Tool => "tool",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|per| per.as_str() == text)
    }
}

impl RateLimit {
    /// Whether a call of this tool, or of none, counts.
    pub fn is_about(&self, tool: Option<&str>) -> bool {
        self.tools.is_empty() || tool.is_some_and(|tool| self.tools.iter().any(|pattern| pattern.matches(tool)))
    }
}
