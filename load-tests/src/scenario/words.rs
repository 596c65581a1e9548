//! The words of a scenario: which bench, which way, who, and which load.

use serde::{Deserialize, Serialize};

/// Which benches a scenario is part of; `full` includes `quick`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Suite {
    #[default]
    Quick,
    Full,
}

/// Which way calls go: through one proxy, or through two with mTLS between them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Way {
    OneHop,
    TwoHopsMtls,
}

/// Who carries the calls, and set up how.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PeerName {
    Direct,
    Nginx,
    Haproxy,
    Envoy,
    /// Reads each request with its MCP filter.
    EnvoyMcp,
    /// Keeps sessions on their replica.
    EnvoyStateful,
    Outrigger,
}

impl PeerName {
    pub const fn text(self) -> &'static str {
        match self {
            Self::Direct => "direct",
            Self::Nginx => "nginx",
            Self::Haproxy => "HAProxy",
            Self::Envoy => "Envoy",
            Self::EnvoyMcp => "Envoy, MCP filter",
            Self::EnvoyStateful => "Envoy, stateful_session",
            Self::Outrigger => "Outrigger",
        }
    }

    /// Whether it is set up without mTLS only.
    pub const fn is_one_hop(self) -> bool {
        matches!(self, Self::EnvoyMcp | Self::EnvoyStateful)
    }

    /// Whether it sends a session's calls to the replica that opened it.
    pub const fn knows_sessions(self) -> bool {
        matches!(self, Self::EnvoyStateful | Self::Outrigger)
    }
}

/// The plan of load.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Load {
    /// Closed loop, so many calls.
    Saturate { calls: u64 },
    /// Open loop.
    Rate { per_second: u64, calls: u64 },
    /// Sessions opened and closed, so many calls in each.
    Sessions { calls: u64, calls_each: u64 },
    /// Answers as streams of events.
    Streams { calls: u64 },
    /// Streams that callers hold open, so many each, and events on all of them.
    Feeds { streams: usize, events: u64, every_ms: u32 },
    /// No load: memory of open connections, open streams, open sessions, and after so many calls.
    Idle { streams: usize, sessions: u64, calls: u64 },
}
