//! What an agent of mcp-mesh is told of a dependency: who provides it, and by which function.
//!
//! In: facts, the route of a requirement, the requirement. Out: a [`Wiring`].
//! Rules: one provider where calls go to one agent or to all that tie; where everything that fits is asked for, each function of each
//! agent, the best first. Replicas of one agent are one provider.
//! Invariant: what happens to others changes nothing in it: equal facts about the providers make an equal wiring.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::sync::Arc;

use outrigger_model::name::{AgentName, RouteName};
use outrigger_model::requirement::Requirement;
use outrigger_model::requirement::also::Reach;
use outrigger_model::wiring::{PROVIDERS_MAX, Provider, Wiring};

use crate::facts::Facts;
use crate::offer::Offer;

use super::ask::Ask;
use super::candidates::{self, Considered};
use super::score::{self, Precedence};
use super::winners;

pub fn wiring(facts: &Facts, route: &RouteName, requirement: &Requirement) -> Wiring {
    let providers = match requirement.also.reach {
        Reach::One | Reach::Ties => {
            let winners = winners(facts, requirement);
            winners.first().and_then(|winner| provider(winner.best, winner.is_callable)).into_iter().collect()
        }
        Reach::All | Reach::Every => all(facts, requirement),
    };
    Wiring { route: route.clone(), providers }
}

/// Callable ones first, then points of tags, version, agent, function.
fn all(facts: &Facts, requirement: &Requirement) -> Vec<Provider> {
    let candidates = candidates::of(facts, &Ask::of(requirement));
    let mut best: BTreeMap<(&AgentName, &str, &str), &Considered<'_, '_>> = BTreeMap::new();
    for candidate in &candidates {
        for considered in candidate.fitting() {
            let key = (candidate.agent, considered.offer.name(), considered.offer.function());
            let held = best.entry(key).or_insert(considered);
            if score::order(considered) > score::order(held) {
                *held = considered;
            }
        }
    }
    let mut found: Vec<_> = best.into_iter().collect();
    found.sort_by_key(|(_, considered)| {
        Reverse((considered.is_callable, considered.score(), Precedence(considered.offer.version())))
    });
    found.truncate(PROVIDERS_MAX);
    found.into_iter().filter_map(|(_, one)| provider(one.offer, one.is_callable)).collect()
}

fn provider(offer: Offer<'_>, callable: bool) -> Option<Provider> {
    let replica = &offer.standing.replica;
    let none = || Arc::from("");
    let registered = offer.registered();
    Some(Provider {
        agent: replica.agent.clone(),
        replica: replica.id.clone(),
        capability: offer.capability()?,
        function: offer.function().into(),
        version: offer.version().clone(),
        tags: offer.tags().clone(),
        description: registered.map_or_else(none, |function| Arc::clone(&function.description)),
        kwargs: registered.map_or_else(none, |function| Arc::clone(&function.kwargs)),
        input_schema: registered.map_or_else(none, |function| Arc::clone(&function.input_schema)),
        callable,
    })
}

#[cfg(test)]
mod tests;
