//! What happens to the calls of a route beside being sent to its pool.
//!
//! In: intent. Out: [`Traffic`].

use std::time::Duration;

use crate::name::PoolName;

/// Most branches of one route.
pub const BRANCHES_MAX: usize = 16;
/// Most pools that share the calls of one branch.
pub const SHARES_MAX: usize = 8;
/// Most header fields that one route changes, and most that one branch asks about.
pub const HEADER_EDITS_MAX: usize = 16;
/// Longest value of a header field that a route writes, in bytes.
pub const HEADER_VALUE_BYTES_MAX: usize = 1_024;

/// How calls of a route are shaped. The default changes nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct Traffic {
    /// The first that matches decides the pool; where none does, the route's own pool gets the call. At most [`BRANCHES_MAX`].
    pub branches: Vec<Branch>,
    pub mirror: Option<Mirror>,
    pub faults: Option<Faults>,
    pub headers: HeaderEdits,
    pub priority: Priority,
}

/// Calls that match go to these pools, each getting its share.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Branch {
    pub when: When,
    /// 1 to [`SHARES_MAX`].
    pub shares: Vec<Share>,
}

/// All that is said has to hold; nothing said holds always.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct When {
    /// Names in lower case, with the value the field must have.
    pub headers: Vec<(String, String)>,
    /// Identities of calling workloads, or names of calling agents.
    pub callers: Vec<String>,
}

/// A pool and its part of the calls.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Share {
    pub pool: PoolName,
    /// 0 to 1000; the part is `weight` of the sum.
    pub weight: u16,
}

/// Copies of calls, whose answers nobody waits for.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Mirror {
    pub pool: PoolName,
    /// Of the calls, 1 to 100.
    pub percent: u8,
}

/// Faults that are made on purpose, to test callers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Faults {
    /// Of the calls, 1 to 100.
    pub percent: u8,
    /// How long a call waits before it is sent, or refused.
    pub delay: Option<Duration>,
    /// The status that it is refused with, 400 to 599. `None`: it is sent.
    pub status: Option<u16>,
}

/// Changes to the head of a request. Names are in lower case.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct HeaderEdits {
    pub remove: Vec<String>,
    /// In place of what the caller wrote.
    pub set: Vec<(String, String)>,
    /// Beside what the caller wrote.
    pub add: Vec<(String, String)>,
}

/// Which calls are refused first where there is too much to do.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Priority {
    Low,
    #[default]
    Normal,
    High,
}

impl HeaderEdits {
    pub fn is_empty(&self) -> bool {
        self.remove.is_empty() && self.set.is_empty() && self.add.is_empty()
    }
}

impl Traffic {
    /// Every pool that it names.
    pub fn pools(&self) -> impl Iterator<Item = &PoolName> {
        let shares = self.branches.iter().flat_map(|branch| &branch.shares).map(|share| &share.pool);
        shares.chain(self.mirror.iter().map(|mirror| &mirror.pool))
    }
}

impl Priority {
    pub const ALL: [Self; 3] = [Self::Low, Self::Normal, Self::High];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Low => "low",
            Self::Normal => "normal",
            Self::High => "high",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|priority| priority.as_str() == text)
    }
}
