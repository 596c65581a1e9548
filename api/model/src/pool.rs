//! A pool: interchangeable endpoints of one agent, and how to choose among them.
//!
//! Invariant: all endpoints of a pool belong to one agent, so a list and a call that follow each other see the same tools. The pool of
//! a dependency of mcp-mesh may hold those of several: its calls name one function, and an endpoint says what that is named there.

pub mod policy;

use crate::endpoint::Endpoint;
use crate::name::{AgentName, PoolName};
use policy::PoolPolicy;

/// How an endpoint is chosen when neither a binding nor affinity decides.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum Balance {
    /// Each in turn, by weight.
    RoundRobin,
    /// The one with the fewest calls in flight for its weight.
    #[default]
    LeastRequest,
    /// One of them by chance, by weight.
    Random,
    /// The same for each caller while it lives and is not overloaded; few callers move when the set changes.
    ConsistentHash,
    /// The better of two taken by chance: by how long its answers take, with the calls in flight.
    PeakEwma,
}

/// A named set of endpoints. The set changes with the facts; name, agent and balance with intent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pool {
    pub name: PoolName,
    pub agent: AgentName,
    pub balance: Balance,
    pub policy: PoolPolicy,
}

/// The endpoints of one pool: the only part of a snapshot that moves fast.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoints {
    pub pool: PoolName,
    /// Sorted by replica.
    pub endpoints: Vec<Endpoint>,
}

impl Balance {
    pub const ALL: [Self; 5] =
        [Self::RoundRobin, Self::LeastRequest, Self::Random, Self::ConsistentHash, Self::PeakEwma];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::RoundRobin => "round_robin",
            Self::LeastRequest => "least_request",
            Self::Random => "random",
            Self::ConsistentHash => "consistent_hash",
            Self::PeakEwma => "peak_ewma",
        }
    }

    /// Also the spellings of `mcp_services:` files.
    pub fn parse(text: &str) -> Option<Self> {
        match text {
            "ROUND_ROBIN" | "WEIGHTED" | "weighted" => Some(Self::RoundRobin),
            "LEAST_CONNECTIONS" => Some(Self::LeastRequest),
            "RANDOM" => Some(Self::Random),
            "IP_HASH" => Some(Self::ConsistentHash),
            text => Self::ALL.into_iter().find(|balance| balance.as_str() == text),
        }
    }
}
