//! Who provides what is asked for: one agent, all that are as good, or nobody, and why.
//!
//! In: facts and a requirement. Out: [`Winner`]s: agents, and of each the offers that fit.
//! Order: exact name and namespace, then tags, version range, schema, then callable, then points of tags, version, agent name.
//! Invariant: without a word about its reach a requirement leads to a single agent, so that a list and a call that follow each other
//! see the same tools.

pub mod range;
pub mod tags;
pub mod schema;
pub mod ask;
pub mod availability;
pub mod cycle;
pub mod candidates;
pub mod score;
pub mod eviction;
pub mod wiring;
pub mod trace;
pub mod explain;

use outrigger_model::name::{AgentName, Namespace, ReplicaId};
use outrigger_model::requirement::Requirement;
use outrigger_model::requirement::also::Reach;

use crate::facts::{Facts, Standing};
use crate::offer::Offer;

use self::ask::Ask;
use self::candidates::{Candidate, Considered};
use self::score::Rank;

/// An agent that a requirement leads to.
#[derive(Debug, Clone)]
pub struct Winner<'a> {
    pub agent: &'a AgentName,
    /// The best of each replica that fits, in whatever state it is, sorted by replica.
    pub offers: Vec<Offer<'a>>,
    /// The one that names it to others.
    pub best: Offer<'a>,
    /// Whether every replica of the agent fits.
    pub is_whole_agent: bool,
    /// Whether any of them may be called now.
    pub is_callable: bool,
}

impl<'a> Winner<'a> {
    pub fn replicas(&self) -> impl DoubleEndedIterator<Item = &'a Standing> {
        self.offers.iter().map(|offer| offer.standing)
    }

    pub fn namespace(&self) -> &'a Namespace {
        &self.best.standing.replica.namespace
    }

    pub fn ids(&self) -> impl Iterator<Item = &'a ReplicaId> {
        self.replicas().map(|standing| &standing.replica.id)
    }

    fn of(facts: &Facts, rank: &Rank<'_>, candidate: &Candidate<'a, '_>) -> Option<Self> {
        let best = candidate.fitting().max_by(|a, b| score::order(a).cmp(&score::order(b)))?.offer;
        let mut offers: Vec<&Considered<'a, '_>> = Vec::new();
        // A replica that is well and whose function does not work would answer every call with an error.
        let works = |one: &&Considered<'a, '_>| one.is_callable || !one.offer.standing.is_callable();
        for considered in candidate.fitting().filter(|one| !rank.is_callable() || works(one)) {
            let id = |considered: &Considered<'a, '_>| &considered.offer.standing.replica.id;
            match offers.last_mut().filter(|last| id(last) == id(considered)) {
                Some(last) if score::order(considered) > score::order(last) => *last = considered,
                Some(_) => {}
                None => offers.push(considered),
            }
        }
        let namespace = best.standing.replica.namespace.as_str();
        Some(Self {
            is_whole_agent: facts.replicas_in(namespace, candidate.agent).count() == offers.len(),
            agent: candidate.agent,
            offers: offers.into_iter().map(|considered| considered.offer).collect(),
            best,
            is_callable: rank.is_callable(),
        })
    }
}

/// Finds the provider of a requirement. One without a callable replica is returned only if there is no other.
pub fn resolve<'a>(facts: &'a Facts, requirement: &Requirement) -> Option<Winner<'a>> {
    let candidates = candidates::of(facts, &Ask::of(requirement));
    let ranked = candidates.iter().filter_map(|candidate| score::rank(candidate).map(|rank| (rank, candidate)));
    let (rank, candidate) = ranked.max_by(|(a, _), (b, _)| a.cmp(b))?;
    Winner::of(facts, &rank, candidate)
}

/// All that calls of a requirement may go to, the one that callers name first.
pub fn winners<'a>(facts: &'a Facts, requirement: &Requirement) -> Vec<Winner<'a>> {
    if requirement.also.reach != Reach::Ties {
        return resolve(facts, requirement).into_iter().collect();
    }
    let candidates = candidates::of(facts, &Ask::of(requirement));
    let mut ranked: Vec<_> =
        candidates.iter().filter_map(|candidate| score::rank(candidate).map(|rank| (rank, candidate))).collect();
    ranked.sort_by(|(a, _), (b, _)| b.cmp(a));
    let Some((best, _)) = ranked.first() else { return Vec::new() };
    let ties = ranked.iter().take_while(|(rank, _)| rank.ties_with(best));
    ties.filter_map(|(rank, candidate)| Winner::of(facts, rank, candidate)).collect()
}

#[cfg(test)]
mod model;
#[cfg(test)]
mod tests;
