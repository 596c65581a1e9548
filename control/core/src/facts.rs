//! Who is there, and in which state: what snapshots and resolutions are computed from.
//!
//! In: standings, one per replica, from the registry or the store. Out: the same, found by replica, agent or what is offered.
//! Never here: leases and clocks; a standing holds their verdict.
//! Invariant: the indexes hold exactly the replicas whose standings are held; what was worked out of them is forgotten when one changes.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, OnceLock};

use outrigger_model::name::{AgentName, CapabilityName, Namespace, ReplicaId};
use outrigger_model::replica::Replica;

use crate::offer::{self, Offer, Place};
pub use crate::standing::Standing;

/// All standings. Cloning shares everything but the outermost maps.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Facts {
    standings: BTreeMap<ReplicaId, Standing>,
    agents: BTreeMap<AgentName, Arc<BTreeSet<ReplicaId>>>,
    offers: BTreeMap<Namespace, BTreeMap<CapabilityName, Arc<BTreeSet<OfferKey>>>>,
    /// Those with a function that does not work without somebody else.
    demanding: BTreeSet<ReplicaId>,
    unavailable: Memo,
}

/// Offers of one agent stand together, and of it those of one replica.
type OfferKey = (AgentName, ReplicaId, Place);

/// Functions that are offered and do not work, because something that they require is not there: the number of the first such need.
pub type Unavailable = BTreeMap<(ReplicaId, Place), usize>;

/// Worked out once, by whoever asks first. It follows from the rest, so it is no part of what makes facts equal.
#[derive(Debug, Clone, Default)]
struct Memo(OnceLock<Arc<Unavailable>>);

impl PartialEq for Memo {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Eq for Memo {}

impl Facts {
    pub fn get(&self, id: &ReplicaId) -> Option<&Standing> {
        self.standings.get(id)
    }

    pub fn len(&self) -> usize {
        self.standings.len()
    }

    pub fn is_empty(&self) -> bool {
        self.standings.is_empty()
    }

    /// All standings, sorted by replica.
    pub fn standings(&self) -> impl Iterator<Item = &Standing> {
        self.standings.values()
    }

    /// All agents, sorted by name.
    pub fn agents(&self) -> impl Iterator<Item = &AgentName> {
        self.agents.keys()
    }

    pub fn has_agent(&self, name: &str) -> bool {
        self.agents.contains_key(name)
    }

    /// The replicas of one agent, sorted by id.
    pub fn replicas_of(&self, agent: &AgentName) -> impl Iterator<Item = &Standing> {
        self.agents.get(agent).into_iter().flat_map(|ids| ids.iter()).filter_map(|id| self.standings.get(id))
    }

    /// Its replicas in one namespace, sorted by id.
    pub fn replicas_in(&self, namespace: &str, agent: &AgentName) -> impl Iterator<Item = &Standing> {
        self.replicas_of(agent).filter(move |standing| standing.replica.namespace.as_str() == namespace)
    }

    /// All names that something is offered under, sorted.
    pub fn capabilities(&self) -> impl Iterator<Item = &CapabilityName> {
        self.offers.values().flat_map(BTreeMap::keys).collect::<BTreeSet<_>>().into_iter()
    }

    /// The same of one namespace.
    pub fn capabilities_in(&self, namespace: &str) -> impl Iterator<Item = &CapabilityName> {
        self.offers.get(namespace).into_iter().flat_map(BTreeMap::keys)
    }

    /// What is offered under a name, sorted by namespace, agent, replica and place.
    pub fn offers(&self, name: &CapabilityName) -> impl Iterator<Item = Offer<'_>> {
        self.offers.values().flat_map(move |offers| self.listed(offers, name))
    }

    /// The same in one namespace.
    pub fn offers_in(&self, namespace: &str, name: &CapabilityName) -> impl Iterator<Item = Offer<'_>> {
        self.offers.get(namespace).into_iter().flat_map(move |offers| self.listed(offers, name))
    }

    /// The replicas that offer something under a name, sorted by namespace, agent and id.
    pub fn offering(&self, name: &CapabilityName) -> impl Iterator<Item = &Standing> {
        let mut standings: Vec<&Standing> = self.offers(name).map(|offer| offer.standing).collect();
        standings.dedup_by(|a, b| a.replica.id == b.replica.id);
        standings.into_iter()
    }

    /// The replicas with a function that does not work without somebody else, sorted by id.
    pub fn demanding(&self) -> impl Iterator<Item = &Standing> {
        self.demanding.iter().filter_map(|id| self.standings.get(id))
    }

    /// What does not work, as `find` worked it out of these facts when it was first asked for.
    pub fn unavailable(&self, find: impl FnOnce(&Self) -> Unavailable) -> &Unavailable {
        self.unavailable.0.get_or_init(|| Arc::new(find(self)))
    }

    /// Takes a standing in, in place of an earlier one of the same replica.
    pub fn put(&mut self, standing: Standing) {
        self.unavailable = Memo::default();
        let id = standing.replica.id.clone();
        let new = standing.replica.clone();
        match self.standings.insert(id, standing) {
            Some(old) if same_names(&old.replica, &new) => {}
            Some(old) => {
                self.unindex(&old.replica);
                self.index(&new);
            }
            None => self.index(&new),
        }
    }

    pub fn remove(&mut self, id: &ReplicaId) -> Option<Standing> {
        self.unavailable = Memo::default();
        let gone = self.standings.remove(id)?;
        self.unindex(&gone.replica);
        Some(gone)
    }

    fn listed(
        &self,
        offers: &BTreeMap<CapabilityName, Arc<BTreeSet<OfferKey>>>,
        name: &CapabilityName,
    ) -> Vec<Offer<'_>> {
        let keys = offers.get(name).into_iter().flat_map(|keys| keys.iter());
        keys.filter_map(|(_, id, place)| Offer::at(self.standings.get(id)?, name, *place)).collect()
    }

    fn index(&mut self, replica: &Replica) {
        Arc::make_mut(self.agents.entry(replica.agent.clone()).or_default()).insert(replica.id.clone());
        let offers = self.offers.entry(replica.namespace.clone()).or_default();
        for (name, place) in offer::of(replica) {
            Arc::make_mut(offers.entry(name).or_default()).insert(key(replica, place));
        }
        if is_demanding(replica) {
            self.demanding.insert(replica.id.clone());
        }
    }

    fn unindex(&mut self, replica: &Replica) {
        self.demanding.remove(&replica.id);
        if let Some(ids) = self.agents.get_mut(&replica.agent) {
            let ids = Arc::make_mut(ids);
            ids.remove(&replica.id);
            if ids.is_empty() {
                self.agents.remove(&replica.agent);
            }
        }
        let Some(names) = self.offers.get_mut(&replica.namespace) else { return };
        for (name, place) in offer::of(replica) {
            if let Some(offers) = names.get_mut(&name) {
                let offers = Arc::make_mut(offers);
                offers.remove(&key(replica, place));
                if offers.is_empty() {
                    names.remove(&name);
                }
            }
        }
        if names.is_empty() {
            self.offers.remove(&replica.namespace);
        }
    }
}

fn key(replica: &Replica, place: Place) -> OfferKey {
    (replica.agent.clone(), replica.id.clone(), place)
}

fn is_demanding(replica: &Replica) -> bool {
    let functions = replica.registration.iter().flat_map(|registration| &registration.functions);
    functions.flat_map(|function| &function.needs).any(|need| need.required)
}

/// Whether two records of one replica are found by the same names.
fn same_names(old: &Replica, new: &Replica) -> bool {
    let same = || old.capabilities == new.capabilities && old.registration == new.registration;
    let same_offers = || offer::of(old) == offer::of(new) && is_demanding(old) == is_demanding(new);
    old.agent == new.agent && old.namespace == new.namespace && (same() || same_offers())
}

#[cfg(test)]
mod tests;
