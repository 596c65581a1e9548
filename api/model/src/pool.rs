//! A pool: interchangeable endpoints of one agent, and how to choose among them.
//!
//! Invariant: all endpoints of a pool belong to one agent, so a list and a call that follow each other see the same tools.

use crate::endpoint::Endpoint;
use crate::name::{AgentName, PoolName};

/// How an endpoint is chosen when neither a binding nor affinity decides.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum Balance {
    /// Each in turn, by weight.
    RoundRobin,
    /// The one with the fewest calls in flight for its weight.
    #[default]
    LeastRequest,
}

/// A named set of endpoints. The set changes with the facts; name, agent and balance with intent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pool {
    pub name: PoolName,
    pub agent: AgentName,
    pub balance: Balance,
}

/// The endpoints of one pool: the only part of a snapshot that moves fast.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoints {
    pub pool: PoolName,
    /// Sorted by replica.
    pub endpoints: Vec<Endpoint>,
}

impl Balance {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::RoundRobin => "round_robin",
            Self::LeastRequest => "least_request",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        [Self::RoundRobin, Self::LeastRequest].into_iter().find(|balance| balance.as_str() == text)
    }
}
