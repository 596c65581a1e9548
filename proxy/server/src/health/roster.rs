//! The list of the own agents: who is on it, and who looks at each.
//!
//! In: the agents of the settings at the start; agents that join and leave by themselves. Out: a watch of [`LocalReplicas`].
//! Rules: an agent that joins anew under its id stays what it was where only its registration changed, and is another one
//! where its place did. Never here: who may join.
//! Invariant: this is the one owner of the list; each entry has one task, which ends before or with the entry.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use outrigger_model::name::ReplicaId;
use outrigger_model::replica::Generation;
use outrigger_upstream::heartbeat::Heartbeat;
use tokio::sync::watch;
use tokio_util::task::TaskTracker;
use tracing::info;

use super::local::{LocalReplica, LocalReplicas};
use super::probe::{Entry, Watcher, fresh_generation};
use crate::config::settings::AgentSettings;
use crate::lifecycle::drain::{Stop, Tasks};
use crate::telemetry::events::Events;

/// The agents behind this proxy, watched.
#[derive(Clone)]
pub struct LocalAgents(Arc<Roster>);

struct Roster {
    replicas: Arc<watch::Sender<LocalReplicas>>,
    events: Arc<Events>,
    stop: Stop,
    /// The tasks of those that joined.
    looking: TaskTracker,
    joined: Mutex<Joined>,
}

#[derive(Default)]
struct Joined {
    looking: HashMap<ReplicaId, Stop>,
    /// Of those that a process before saw serve until now; each counts once.
    known: HashMap<ReplicaId, Generation>,
}

impl LocalAgents {
    /// Starts one task per agent. `known` are those that a process before saw serve until now: they kept their memory.
    pub fn watch(
        agents: &[AgentSettings],
        known: &HashMap<ReplicaId, Generation>,
        events: &Arc<Events>,
        tasks: &mut Tasks,
    ) -> Self {
        let generation = fresh_generation(None);
        let unseen = |agent: &AgentSettings| {
            LocalReplica::unseen(agent, known.get(&agent.replica).copied().unwrap_or(generation))
        };
        let replicas = Arc::new(watch::Sender::new(agents.iter().map(unseen).collect()));
        let roster = Roster {
            replicas,
            events: Arc::clone(events),
            stop: tasks.token(),
            looking: TaskTracker::new(),
            joined: Mutex::new(Joined { known: known.clone(), ..Joined::default() }),
        };
        for agent in agents {
            tasks.spawn("probe", roster.watcher(agent).run(tasks.token()));
        }
        let (looking, stop) = (roster.looking.clone(), tasks.token());
        tasks.spawn("probes", async move {
            stop.cancelled().await;
            looking.close();
            looking.wait().await;
        });
        Self(Arc::new(roster))
    }

    /// Changes with every change of any of them.
    pub fn replicas(&self) -> watch::Receiver<LocalReplicas> {
        self.0.replicas.subscribe()
    }

    /// Takes in an agent that registered itself, or what it says now.
    pub fn join(&self, settings: &AgentSettings, heartbeat: &Arc<Heartbeat>) {
        let mut joined = self.0.joined.lock().unwrap_or_else(PoisonError::into_inner);
        if joined.looking.contains_key(&settings.replica) && self.update(settings, heartbeat) {
            return;
        }
        if let Some(looking) = joined.looking.remove(&settings.replica) {
            looking.cancel();
        }
        let generation = joined.known.remove(&settings.replica).unwrap_or_else(|| fresh_generation(None));
        let replica =
            LocalReplica { heartbeat: Some(Arc::clone(heartbeat)), ..LocalReplica::unseen(settings, generation) };
        info!(agent = %replica.agent, replica = %replica.id, url = %replica.url, "agent joins");
        self.0.replicas.send_modify(|replicas| {
            replicas.retain(|other| other.id != settings.replica);
            replicas.push(replica);
        });
        let stop = self.0.stop.child_token();
        self.0.looking.spawn(self.0.watcher(settings).run(stop.clone()));
        joined.looking.insert(settings.replica.clone(), stop);
    }

    /// Forgets an agent that joined.
    pub fn leave(&self, id: &ReplicaId) {
        let mut joined = self.0.joined.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(looking) = joined.looking.remove(id) else { return };
        looking.cancel();
        info!(replica = %id, "agent leaves");
        self.0.replicas.send_modify(|replicas| {
            if let Some(left) = replicas.iter().find(|replica| replica.id == *id) {
                self.0.events.agent_left(left.agent.as_str(), left.id.as_str());
            }
            replicas.retain(|replica| replica.id != *id);
        });
    }

    /// Whether it is the same agent at the same place, which is all that its task has to know.
    fn update(&self, settings: &AgentSettings, heartbeat: &Arc<Heartbeat>) -> bool {
        let mut is_same = false;
        self.0.replicas.send_if_modified(|replicas| {
            let Some(known) = replicas.iter_mut().find(|replica| replica.id == settings.replica) else { return false };
            is_same =
                known.url == settings.url && known.agent == settings.name && known.settings.probe == settings.probe;
            let changed = is_same && known.heartbeat.as_ref() != Some(heartbeat);
            if changed {
                known.settings = Arc::new(settings.clone());
                known.heartbeat = Some(Arc::clone(heartbeat));
            }
            changed
        });
        is_same
    }
}

impl Roster {
    fn watcher(&self, agent: &AgentSettings) -> Watcher {
        let (replicas, events) = (Arc::clone(&self.replicas), Arc::clone(&self.events));
        Watcher::new(agent, Entry { id: agent.replica.clone(), replicas, events })
    }
}

#[cfg(test)]
mod tests;
