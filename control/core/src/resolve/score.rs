//! Which of two candidates that fit is the better one.
//!
//! In: candidates. Out: a [`Rank`]; the greatest wins.
//! Order: a healthy replica, any callable replica, points of tags, version, and at last the agent name that sorts first.

use std::cmp::{Ordering, Reverse};
use std::fmt;

use outrigger_model::name::{AgentName, ReplicaId};
use outrigger_model::replica::ReplicaState;
use semver::Version;

use super::candidates::{Candidate, Considered};

/// How good the best fitting offer of a candidate is. Fields are compared in order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Rank<'a> {
    pub health: Health,
    pub tag_score: u32,
    pub version: Precedence<'a>,
    agent: Reverse<&'a AgentName>,
}

/// Versions as semver orders them: what they were built from does not count.
#[derive(Debug, Clone, Copy)]
pub struct Precedence<'a>(pub &'a Version);

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Health {
    /// Nothing that fits may be called.
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
        self.health > Health::None
    }

    /// Whether nothing but the name tells them apart.
    pub fn ties_with(&self, other: &Self) -> bool {
        self.edge_over(other) == Edge::Name
    }

    /// Why this rank is before `other`.
    pub fn edge_over(&self, other: &Self) -> Edge {
        if self.health != other.health {
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

impl Ord for Precedence<'_> {
    fn cmp(&self, other: &Self) -> Ordering {
        self.0.cmp_precedence(other.0)
    }
}

impl PartialOrd for Precedence<'_> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Precedence<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Precedence<'_> {}

impl fmt::Display for Precedence<'_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(out)
    }
}

/// The rank of a candidate; none if no offer of it fits.
pub fn rank<'a>(candidate: &Candidate<'a, '_>) -> Option<Rank<'a>> {
    candidate.fitting().filter_map(|considered| rank_of(candidate.agent, considered)).max()
}

fn rank_of<'a>(agent: &'a AgentName, considered: &Considered<'a, '_>) -> Option<Rank<'a>> {
    let health = match considered.offer.standing.state {
        _ if !considered.is_callable => Health::None,
        ReplicaState::Healthy => Health::Healthy,
        ReplicaState::Unknown | ReplicaState::Draining | ReplicaState::Unhealthy => Health::Weak,
    };
    let tag_score = considered.score()?;
    Some(Rank { health, tag_score, version: Precedence(considered.offer.version()), agent: Reverse(agent) })
}

/// Within one agent: what names it to others. Whether a replica is unknown or healthy does not matter, so that the name stays while one flaps.
pub fn order<'a>(considered: &Considered<'a, '_>) -> impl Ord + use<'a> {
    let offer = &considered.offer;
    let name: (Reverse<&'a str>, Reverse<&'a ReplicaId>) =
        (Reverse(offer.function()), Reverse(&offer.standing.replica.id));
    (considered.is_callable, considered.score(), Precedence(offer.version()), name, Reverse(offer.place))
}
