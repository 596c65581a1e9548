//! The agents that offer something under the name that is asked for, each offer judged.
//!
//! In: facts and a requirement. Out: one [`Candidate`] per agent and namespace, sorted by namespace and agent name.
//! Cost: one look-up by name, then one judgement per offer under it; other capabilities cost nothing.

use outrigger_model::name::AgentName;
use outrigger_model::requirement::also::Reach;

use crate::facts::Facts;
use crate::offer::{self, Offer};

use super::ask::{Ask, Loss};
use super::availability;

/// One agent that offers the name.
#[derive(Debug)]
pub struct Candidate<'a, 'r> {
    pub agent: &'a AgentName,
    /// Sorted by replica; never empty.
    pub offers: Vec<Considered<'a, 'r>>,
}

/// One offer of a candidate.
#[derive(Debug, Clone)]
pub struct Considered<'a, 'r> {
    pub offer: Offer<'a>,
    /// The points of its tags, or what rules the offer out.
    pub verdict: Result<u32, Loss<'r>>,
    /// Whether calls may go there now: its replica answers, and it has what it requires.
    pub is_callable: bool,
}

impl<'a, 'r> Candidate<'a, 'r> {
    pub fn fitting(&self) -> impl Iterator<Item = &Considered<'a, 'r>> {
        self.offers.iter().filter(|considered| considered.verdict.is_ok())
    }
}

impl Considered<'_, '_> {
    pub fn score(&self) -> Option<u32> {
        self.verdict.as_ref().ok().copied()
    }
}

/// Those of the namespace that is asked for.
pub fn of<'a, 'r>(facts: &'a Facts, ask: &Ask<'r>) -> Vec<Candidate<'a, 'r>> {
    let (namespace, name) = (ask.requirement.namespace(), &ask.requirement.capability);
    match ask.requirement.also.reach {
        Reach::One => grouped(facts, ask, facts.offers_in(namespace, name)),
        Reach::Ties | Reach::All => grouped(facts, ask, facts.offers_in(namespace, name).filter(Offer::is_function)),
        Reach::Every => {
            let replicas = facts.agents().flat_map(|agent| facts.replicas_in(namespace, agent));
            grouped(facts, ask, replicas.flat_map(offer::all))
        }
    }
}

/// Those of every namespace, for who asks why.
pub fn everywhere<'a, 'r>(facts: &'a Facts, ask: &Ask<'r>) -> Vec<Candidate<'a, 'r>> {
    match ask.requirement.also.reach {
        Reach::One => grouped(facts, ask, facts.offers(&ask.requirement.capability)),
        Reach::Ties | Reach::All => {
            grouped(facts, ask, facts.offers(&ask.requirement.capability).filter(Offer::is_function))
        }
        Reach::Every => of(facts, ask),
    }
}

fn grouped<'a, 'r>(facts: &'a Facts, ask: &Ask<'r>, offers: impl Iterator<Item = Offer<'a>>) -> Vec<Candidate<'a, 'r>> {
    let mut candidates: Vec<Candidate<'a, 'r>> = Vec::new();
    for offer in offers {
        let replica = &offer.standing.replica;
        let considered =
            Considered { offer, verdict: ask.judge(&offer), is_callable: availability::is_callable(facts, &offer) };
        let same = |candidate: &&mut Candidate<'a, 'r>| {
            let first = candidate.offers.first().map(|one| &one.offer.standing.replica.namespace);
            *candidate.agent == replica.agent && first == Some(&replica.namespace)
        };
        match candidates.last_mut().filter(same) {
            Some(candidate) => candidate.offers.push(considered),
            None => candidates.push(Candidate { agent: &replica.agent, offers: vec![considered] }),
        }
    }
    candidates
}
