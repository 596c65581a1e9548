//! Which functions do not work, because something that they require is not there.
//!
//! In: facts. Out: for each such function the number of its first need that nobody meets.
//! Rules (measured on mcp-mesh): a required need is met by an offer that fits in every way, may be called and itself works. What
//! requires each other in a circle never works.
//! Cost: once per change of facts. Each need is put to each offer of its name at most twice, however long the chains are.

use std::collections::BTreeMap;

use outrigger_model::registration::FunctionNeed;
use outrigger_model::requirement::Requirement;

use crate::facts::{Facts, Unavailable};
use crate::offer::{self, Offer};

use super::ask::Ask;

/// The first need of an offer that nobody meets, if it does not work.
pub fn unmet<'a>(facts: &'a Facts, offer: &Offer<'a>) -> Option<&'a Requirement> {
    let function = offer.registered().filter(|function| function.needs.iter().any(|need| need.required))?;
    let unavailable = facts.unavailable(find);
    let at = unavailable.get(&(offer.standing.replica.id.clone(), offer.place))?;
    function.needs.get(*at).map(|need| &need.requirement)
}

/// Whether calls of an offer may go to it now.
pub fn is_callable(facts: &Facts, offer: &Offer<'_>) -> bool {
    offer.standing.is_callable() && unmet(facts, offer).is_none()
}

/// A function that requires others, and what it still waits for.
struct Waiting<'a> {
    offer: Offer<'a>,
    /// With the number of the need.
    open: BTreeMap<usize, Ask<'a>>,
}

fn find(facts: &Facts) -> Unavailable {
    let mut waiting: Vec<Waiting<'_>> = facts.demanding().flat_map(offer::all).filter_map(wait).collect();
    let mut asked: BTreeMap<&str, Vec<(usize, usize)>> = BTreeMap::new();
    for (index, one) in waiting.iter_mut().enumerate() {
        one.open.retain(|_, ask| !is_met_at_once(facts, ask));
        for (at, ask) in &one.open {
            asked.entry(ask.requirement.capability.as_str()).or_default().push((index, *at));
        }
    }
    let mut works: Vec<usize> =
        waiting.iter().enumerate().filter(|(_, one)| one.open.is_empty()).map(|(index, _)| index).collect();
    while let Some(offer) = works.pop().and_then(|index| waiting.get(index)).map(|one| one.offer) {
        if !offer.standing.is_callable() {
            continue;
        }
        let askers = asked.get(offer.name()).map(Vec::as_slice).unwrap_or_default();
        for (index, at) in askers {
            let Some(one) = waiting.get_mut(*index) else { continue };
            if one.open.get(at).is_some_and(|ask| ask.judge(&offer).is_ok()) {
                one.open.remove(at);
                if one.open.is_empty() {
                    works.push(*index);
                }
            }
        }
    }
    let unmet = waiting.into_iter().filter_map(|one| {
        let (at, _) = one.open.into_iter().next()?;
        Some(((one.offer.standing.replica.id.clone(), one.offer.place), at))
    });
    unmet.collect()
}

fn wait(offer: Offer<'_>) -> Option<Waiting<'_>> {
    let needs = offer.registered()?.needs.iter().enumerate().filter(|(_, need)| need.required);
    let open: BTreeMap<_, _> = needs.map(|(at, FunctionNeed { requirement, .. })| (at, Ask::of(requirement))).collect();
    (!open.is_empty()).then_some(Waiting { offer, open })
}

/// By an offer that requires nobody.
fn is_met_at_once(facts: &Facts, ask: &Ask<'_>) -> bool {
    let offers = facts.offers_in(ask.requirement.namespace(), &ask.requirement.capability);
    let mut free = offers.filter(|offer| {
        let requires = offer.registered().is_some_and(|function| function.needs.iter().any(|need| need.required));
        !requires && offer.is_function() && offer.standing.is_callable()
    });
    free.any(|offer| ask.judge(&offer).is_ok())
}

#[cfg(test)]
mod tests;
