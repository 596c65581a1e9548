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
    /// With so many routes of the operator.
    #[serde(rename = "outrigger_1_route")]
    OutriggerOneRoute,
    #[serde(rename = "outrigger_100_routes")]
    OutriggerHundredRoutes,
    #[serde(rename = "outrigger_10000_routes")]
    OutriggerTenThousandRoutes,
    /// While the world it holds changes.
    OutriggerChanging,
    #[serde(rename = "outrigger_10000_routes_changing")]
    OutriggerTenThousandRoutesChanging,
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
            Self::OutriggerOneRoute => "Outrigger, 1 route",
            Self::OutriggerHundredRoutes => "Outrigger, 100 routes",
            Self::OutriggerTenThousandRoutes => "Outrigger, 10,000 routes",
            Self::OutriggerChanging => "Outrigger, changing",
            Self::OutriggerTenThousandRoutesChanging => "Outrigger, 10,000 routes, changing",
        }
    }

    /// Whether it is set up without mTLS only.
    pub const fn is_one_hop(self) -> bool {
        matches!(self, Self::EnvoyMcp | Self::EnvoyStateful)
    }

    /// Whether it sends a session's calls to the replica that opened it.
    pub const fn knows_sessions(self) -> bool {
        matches!(self, Self::EnvoyStateful) || self.routes().is_some()
    }

    /// For Outrigger: how many routes its operator gives it.
    pub const fn routes(self) -> Option<usize> {
        match self {
            Self::Outrigger | Self::OutriggerChanging => Some(0),
            Self::OutriggerOneRoute => Some(1),
            Self::OutriggerHundredRoutes => Some(100),
            Self::OutriggerTenThousandRoutes | Self::OutriggerTenThousandRoutesChanging => Some(10_000),
            Self::Direct | Self::Nginx | Self::Haproxy | Self::Envoy | Self::EnvoyMcp | Self::EnvoyStateful => None,
        }
    }

    pub const fn is_changing(self) -> bool {
        matches!(self, Self::OutriggerChanging | Self::OutriggerTenThousandRoutesChanging)
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
