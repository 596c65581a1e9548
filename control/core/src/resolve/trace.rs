//! How a requirement was resolved, stage by stage: what an audit keeps of it.
//!
//! In: facts and a requirement. Out: a [`Trace`]; equal facts make equal traces.
//! Stages and words are those of mcp-mesh: health, capability_match, tags, version, schema, tiebreaker. Before them stands `namespace`
//! where somebody of another one offers the name. Nothing is told of stages that nobody reached.
//! Invariant: the one that is chosen is the one that calls go to.

use std::cmp::Reverse;
use std::fmt;
use std::sync::Arc;

use outrigger_model::name::{AgentName, ReplicaId};
use outrigger_model::requirement::Requirement;

use crate::facts::Facts;
use crate::offer::Offer;

use super::ask::Ask;
use super::candidates::{self, Considered};
use super::eviction::{self, Eviction, Reason};
use super::score;
use super::winners;

/// Most offers that a stage tells one by one.
pub const TOLD_MAX: usize = 64;
/// By what the best is chosen: points of tags, then version, then the name that sorts first.
pub const TIE_BREAK: &str = "HighestScoreThenVersion";

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trace {
    pub requirement: Requirement,
    pub stages: Vec<StageTrace>,
    pub chosen: Option<OfferName>,
    /// Agents that are as good as the one that was chosen and take calls, too.
    pub ties: Vec<AgentName>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StageTrace {
    pub stage: Stage,
    /// At most [`TOLD_MAX`]; of the last stage the best first.
    pub kept: Vec<OfferName>,
    /// At most [`TOLD_MAX`].
    pub evicted: Vec<(OfferName, Eviction)>,
    /// How many came in.
    pub considered: usize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Stage {
    Namespace,
    Health,
    CapabilityMatch,
    Tags,
    Version,
    Schema,
    Tiebreaker,
}

/// Shown as `replica:function`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct OfferName {
    pub replica: ReplicaId,
    pub function: Arc<str>,
}

impl Stage {
    const ALL: [Self; 7] = [
        Self::Namespace,
        Self::Health,
        Self::CapabilityMatch,
        Self::Tags,
        Self::Version,
        Self::Schema,
        Self::Tiebreaker,
    ];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Namespace => "namespace",
            Self::Health => "health",
            Self::CapabilityMatch => "capability_match",
            Self::Tags => "tags",
            Self::Version => "version",
            Self::Schema => "schema",
            Self::Tiebreaker => "tiebreaker",
        }
    }

    const fn of(reason: Reason) -> Self {
        match reason {
            Reason::NamespaceMismatch => Self::Namespace,
            Reason::Unhealthy | Reason::Unavailable => Self::Health,
            Reason::MissingTag | Reason::ExtraTagDisallowed => Self::Tags,
            Reason::VersionConstraintFailed => Self::Version,
            Reason::SchemaIncompatible => Self::Schema,
        }
    }
}

impl Trace {
    /// Whether there was anything to decide: two or more came into some stage.
    pub fn is_interesting(&self) -> bool {
        self.stages.iter().any(|stage| stage.considered > 1)
    }
}

impl OfferName {
    fn of(offer: &Offer<'_>) -> Self {
        Self { replica: offer.standing.replica.id.clone(), function: offer.function().into() }
    }
}

impl fmt::Display for OfferName {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}:{}", self.replica, self.function)
    }
}

/// An offer, and what keeps it from being chosen.
struct Judged<'c, 'a, 'r> {
    considered: &'c Considered<'a, 'r>,
    eviction: Option<Eviction>,
}

pub fn trace(facts: &Facts, requirement: &Requirement) -> Trace {
    let ask = Ask::of(requirement);
    let candidates = candidates::everywhere(facts, &ask);
    let mut ranked: Vec<_> = candidates.iter().map(|candidate| (score::rank(candidate), candidate)).collect();
    ranked.sort_by_key(|(rank, _)| Reverse(*rank));
    let judged = |considered| {
        let loss = eviction::loss(&ask, considered);
        let eviction = match loss {
            // An agent of another namespace is nobody's business here, be it well or not.
            Some(loss) if loss.reason == Reason::NamespaceMismatch => Some(loss),
            loss => eviction::outage(facts, considered).or(loss),
        };
        Judged { considered, eviction }
    };
    let mut left = Vec::new();
    for (_, candidate) in &ranked {
        let mut offers: Vec<_> = candidate.offers.iter().collect();
        offers.sort_by_cached_key(|considered| Reverse(score::order(considered)));
        left.extend(offers.into_iter().map(judged));
    }
    let chosen = winners(facts, requirement);
    let ties = chosen.iter().skip(1).filter(|winner| winner.is_callable).map(|winner| winner.agent.clone()).collect();
    let chosen = chosen.first().filter(|winner| winner.is_callable).map(|winner| OfferName::of(&winner.best));
    Trace { requirement: requirement.clone(), stages: stages(left), chosen, ties }
}

fn stages(mut left: Vec<Judged<'_, '_, '_>>) -> Vec<StageTrace> {
    let mut stages = Vec::with_capacity(Stage::ALL.len());
    for stage in Stage::ALL {
        let considered = left.len();
        let is_evicted = |one: &Judged<'_, '_, '_>| {
            one.eviction.as_ref().is_some_and(|eviction| Stage::of(eviction.reason) == stage)
        };
        let (gone, stay): (Vec<_>, Vec<_>) = left.into_iter().partition(is_evicted);
        left = stay;
        if stage == Stage::Namespace && gone.is_empty() {
            continue;
        }
        let name = |one: &Judged<'_, '_, '_>| OfferName::of(&one.considered.offer);
        let evicted = gone.into_iter().filter_map(|one| Some((name(&one), one.eviction?)));
        let evicted = evicted.take(TOLD_MAX).collect();
        stages.push(StageTrace { stage, kept: left.iter().take(TOLD_MAX).map(name).collect(), evicted, considered });
        if left.is_empty() {
            break;
        }
    }
    stages
}

#[cfg(test)]
mod tests;
