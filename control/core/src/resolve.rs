//! Who provides what is asked for: one agent, or nobody, and why.
//!
//! In: facts and a requirement. Out: a [`Winner`]: one agent and those of its replicas that fit.
//! Order: exact name, then tags, then version range, then callable, then preferred tags, version, agent name.
//! Invariant: a winner is a single agent, so that a list and a call that follow each other see the same tools.

pub mod version;
pub mod tags;
pub mod candidates;
pub mod score;
pub mod explain;

use outrigger_model::name::{AgentName, ReplicaId};
use outrigger_model::requirement::Requirement;

use crate::facts::{Facts, Standing};

/// The agent that a requirement leads to.
#[derive(Debug, Clone)]
pub struct Winner<'a> {
    pub agent: &'a AgentName,
    /// Those that fit, in whatever state, sorted by id.
    pub replicas: Vec<&'a Standing>,
    /// Whether every replica of the agent fits.
    pub is_whole_agent: bool,
    /// Whether any of them may be called now.
    pub is_callable: bool,
}

impl Winner<'_> {
    pub fn ids(&self) -> impl Iterator<Item = &ReplicaId> {
        self.replicas.iter().map(|standing| &standing.replica.id)
    }
}

/// Finds the provider of a requirement. One without a callable replica is returned only if there is no other.
pub fn resolve<'a>(facts: &'a Facts, requirement: &Requirement) -> Option<Winner<'a>> {
    let best = candidates::of(facts, requirement)
        .into_iter()
        .filter_map(|candidate| score::rank(&candidate).map(|rank| (rank, candidate)))
        .max_by(|(a, _), (b, _)| a.cmp(b));
    let (rank, candidate) = best?;
    let replicas = candidate.fitting().map(|considered| considered.standing).collect::<Vec<_>>();
    Some(Winner {
        is_whole_agent: facts.replicas_of(candidate.agent).count() == replicas.len(),
        agent: candidate.agent,
        replicas,
        is_callable: rank.is_callable(),
    })
}

#[cfg(test)]
mod tests;
