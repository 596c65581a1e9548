//! What happens to the calls of a route beside being sent to its pool.
//!
//! In: intent. Out: [`Traffic`].

use std::fmt;
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

/// Changes to the head of a request. Names are in lower case. Values may be secrets, and [`fmt::Debug`] does not show them.
#[derive(Clone, Default, PartialEq, Eq, Hash)]
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

/// Stands for a value that is not shown.
pub const HIDDEN: &str = "(hidden)";

/// Fields of one connection, of the framing, of HTTP between proxies, and those that say what one message is.
const PROTECTED: [&str; 18] = [
    "accept",
    "connection",
    "content-encoding",
    "content-length",
    "content-type",
    "expect",
    "host",
    "keep-alive",
    "last-event-id",
    "proxy-authenticate",
    "proxy-authorization",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "x-forwarded-host",
    "x-mesh-timeout",
];
/// How the names begin of fields of the protocol, and of proxies among themselves.
const PROTECTED_STARTS: [&str; 2] = ["mcp-", "outrigger-"];

/// Whether no operator may touch a field: the mesh or the protocol would not work as it does. Servers that make variables of names take `_`
/// for `-`, so it counts as one.
pub fn is_protected(name: &str) -> bool {
    let name = name.to_ascii_lowercase().replace('_', "-");
    PROTECTED.contains(&name.as_str()) || PROTECTED_STARTS.iter().any(|start| name.starts_with(start))
}

impl HeaderEdits {
    pub fn is_empty(&self) -> bool {
        self.remove.is_empty() && self.set.is_empty() && self.add.is_empty()
    }

    /// The name of every field that it touches.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        let written = self.set.iter().chain(&self.add).map(|(name, _)| name);
        self.remove.iter().chain(written).map(String::as_str)
    }

    /// The same for who only looks.
    #[must_use]
    pub fn without_values(&self) -> Self {
        let hide =
            |written: &[(String, String)]| written.iter().map(|(name, _)| (name.clone(), HIDDEN.to_owned())).collect();
        Self { remove: self.remove.clone(), set: hide(&self.set), add: hide(&self.add) }
    }
}

impl fmt::Debug for HeaderEdits {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = |written: &[(String, String)]| written.iter().map(|(name, _)| name.clone()).collect::<Vec<_>>();
        let mut told = out.debug_struct("HeaderEdits");
        told.field("remove", &self.remove).field("set", &names(&self.set)).field("add", &names(&self.add));
        told.finish_non_exhaustive()
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

#[cfg(test)]
mod tests;
