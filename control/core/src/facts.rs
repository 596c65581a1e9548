//! Who is there, and in which state: what snapshots and resolutions are computed from.
//!
//! In: standings, one per replica, from the registry or the store. Out: the same, found by replica, agent or capability.
//! Never here: leases and clocks; a standing holds their verdict.
//! Invariant: both indexes hold exactly the replicas whose standings are held.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use outrigger_model::capability::Capability;
use outrigger_model::name::{AgentName, CapabilityName, ReplicaId};
use outrigger_model::replica::{Replica, ReplicaState};

/// One replica and what control believes of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Standing {
    pub replica: Arc<Replica>,
    pub state: ReplicaState,
    /// Why it does not serve, for people; empty if nothing is known.
    pub trouble: Arc<str>,
}

/// All standings. Cloning shares everything but the outermost maps.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Facts {
    standings: BTreeMap<ReplicaId, Standing>,
    agents: BTreeMap<AgentName, Arc<BTreeSet<ReplicaId>>>,
    offers: BTreeMap<CapabilityName, Arc<BTreeSet<(AgentName, ReplicaId)>>>,
}

impl Standing {
    /// Whether a call may go there at all.
    pub fn is_callable(&self) -> bool {
        self.state != ReplicaState::Unhealthy
    }

    /// What the replica offers under a name.
    pub fn capability(&self, name: &CapabilityName) -> Option<&Capability> {
        let capabilities = &self.replica.capabilities;
        let place = capabilities.binary_search_by(|capability| capability.name.cmp(name)).ok()?;
        capabilities.get(place)
    }
}

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

    /// All names that something is offered under, sorted.
    pub fn capabilities(&self) -> impl Iterator<Item = &CapabilityName> {
        self.offers.keys()
    }

    /// The replicas that offer something under a name, sorted by agent, then by id.
    pub fn offering(&self, name: &CapabilityName) -> impl Iterator<Item = &Standing> {
        self.offers.get(name).into_iter().flat_map(|offers| offers.iter()).filter_map(|(_, id)| self.standings.get(id))
    }

    /// Takes a standing in, in place of an earlier one of the same replica.
    pub fn put(&mut self, standing: Standing) {
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
        let gone = self.standings.remove(id)?;
        self.unindex(&gone.replica);
        Some(gone)
    }

    fn index(&mut self, replica: &Replica) {
        Arc::make_mut(self.agents.entry(replica.agent.clone()).or_default()).insert(replica.id.clone());
        for capability in &replica.capabilities {
            Arc::make_mut(self.offers.entry(capability.name.clone()).or_default())
                .insert((replica.agent.clone(), replica.id.clone()));
        }
    }

    fn unindex(&mut self, replica: &Replica) {
        if let Some(ids) = self.agents.get_mut(&replica.agent) {
            let ids = Arc::make_mut(ids);
            ids.remove(&replica.id);
            if ids.is_empty() {
                self.agents.remove(&replica.agent);
            }
        }
        let offer = (replica.agent.clone(), replica.id.clone());
        for capability in &replica.capabilities {
            if let Some(offers) = self.offers.get_mut(&capability.name) {
                let offers = Arc::make_mut(offers);
                offers.remove(&offer);
                if offers.is_empty() {
                    self.offers.remove(&capability.name);
                }
            }
        }
    }
}

/// Whether two records of one replica are found by the same names.
fn same_names(old: &Replica, new: &Replica) -> bool {
    let names =
        |replica: &Replica| replica.capabilities.iter().map(|capability| capability.name.clone()).collect::<Vec<_>>();
    old.agent == new.agent && (old.capabilities == new.capabilities || names(old) == names(new))
}

#[cfg(test)]
mod tests;
