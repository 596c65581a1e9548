//! Which of two candidates that fit is the better one.
//!
//! In: candidates. Out: a [`Rank`]; the greatest wins.
//! Order: a healthy replica, any callable replica, preferred tags, version, and at last the agent name that sorts first.

use std::cmp::Reverse;

use outrigger_model::name::AgentName;
use outrigger_model::replica::ReplicaState;
use semver::Version;

use super::candidates::{Candidate, Considered};

/// How good the best fitting replica of a candidate is. Fields are compared in order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Rank<'a> {
    pub standing: Reach,
    pub tag_score: usize,
    pub version: &'a Version,
    agent: Reverse<&'a AgentName>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reach {
    /// No replica that fits may be called.
    None,
    /// Only replicas that are unknown or draining.
    Weak,
    Healthy,
}

/// What put one candidate before another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Edge {
    Standing,
    Tags,
    Version,
    Name,
}

impl Rank<'_> {
    pub fn is_callable(&self) -> bool {
        self.standing > Reach::None
    }

    /// Why this rank is before `other`.
    pub fn edge_over(&self, other: &Self) -> Edge {
        if self.standing != other.standing {
            Edge::Standing
        } else if self.tag_score != other.tag_score {
            Edge::Tags
        } else if self.version != other.version {
            Edge::Version
        } else {
            Edge::Name
        }
    }
}

/// The rank of a candidate; none if no replica of it fits.
pub fn rank<'a>(candidate: &Candidate<'a, '_>) -> Option<Rank<'a>> {
    candidate.fitting().filter_map(|considered| rank_of(candidate.agent, considered)).max()
}

fn rank_of<'a>(agent: &'a AgentName, considered: &Considered<'a, '_>) -> Option<Rank<'a>> {
    let standing = match considered.standing.state {
        ReplicaState::Healthy => Reach::Healthy,
        ReplicaState::Unknown | ReplicaState::Draining => Reach::Weak,
        ReplicaState::Unhealthy => Reach::None,
    };
    let tag_score = *considered.verdict.as_ref().ok()?;
    Some(Rank { standing, tag_score, version: &considered.capability.version, agent: Reverse(agent) })
}
