//! The agents that joined: what each needs, when it was heard last, what it was told.
//!
//! In: heartbeats, and `now`. Out: who is here, who fell silent, everything that is needed.
//! Never here: clocks, probes.
//! Invariant: at most as many as the settings allow; of two agents at one port the later one is here.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::{Duration, Instant};

use outrigger_model::digest::Digest;
use outrigger_model::name::{ReplicaId, RouteName};
use outrigger_model::requirement::Dependency;
use outrigger_upstream::heartbeat::Heartbeat;

/// How long an agent may be silent of which nothing else is known.
const SILENCE_USUAL: Duration = Duration::from_secs(20);
/// The same of one whose signals were counted: so many of them, within these.
const SIGNALS_MISSED: u32 = 4;
const SILENCE_RANGE: (Duration, Duration) = (Duration::from_secs(4), Duration::from_secs(600));

/// One agent.
#[derive(Debug, Clone)]
pub(super) struct Member {
    pub heartbeat: Arc<Heartbeat>,
    pub needs: Vec<Dependency>,
    /// Whether its port is looked at.
    pub probed: bool,
    /// Of the last answer that it was given.
    pub told: Option<Digest>,
    heard: Instant,
    /// Its last light signal, and how long after the one before that was.
    light: Option<Instant>,
    every: Option<Duration>,
}

#[derive(Debug, Default)]
pub(super) struct Members(BTreeMap<ReplicaId, Member>);

impl Members {
    pub fn get(&self, id: &str) -> Option<&Member> {
        self.0.get(id)
    }

    pub fn heartbeats(&self) -> Vec<Arc<Heartbeat>> {
        self.0.values().map(|member| Arc::clone(&member.heartbeat)).collect()
    }

    pub fn count(&self) -> usize {
        self.0.len()
    }

    /// Takes an agent in, or what it says now. Whether it was not here before.
    pub fn register(&mut self, heartbeat: Arc<Heartbeat>, needs: Vec<Dependency>, probed: bool, now: Instant) -> bool {
        let id = heartbeat.id.clone();
        match self.0.get_mut(&id) {
            Some(member) => {
                (member.heartbeat, member.needs, member.probed, member.heard) = (heartbeat, needs, probed, now);
                false
            }
            None => {
                let member = Member { heartbeat, needs, probed, told: None, heard: now, light: None, every: None };
                self.0.insert(id, member);
                true
            }
        }
    }

    /// The agents that were at the place where `heartbeat` is now.
    pub fn displaced(&self, heartbeat: &Heartbeat) -> Vec<ReplicaId> {
        let place = |it: &Heartbeat| (it.registration.host.clone(), it.registration.port);
        let others = self.0.values().filter(|member| member.heartbeat.id != heartbeat.id && member.probed);
        others
            .filter(|member| place(&member.heartbeat) == place(heartbeat))
            .map(|member| member.heartbeat.id.clone())
            .collect()
    }

    /// A light signal; whether its agent is here.
    pub fn hear(&mut self, id: &str, now: Instant) -> bool {
        let Some(member) = self.0.get_mut(id) else { return false };
        member.every = member.light.map(|before| now.saturating_duration_since(before)).or(member.every);
        (member.heard, member.light) = (now, Some(now));
        true
    }

    pub fn tell(&mut self, id: &str, told: Digest) {
        if let Some(member) = self.0.get_mut(id) {
            member.told = Some(told);
        }
    }

    pub fn remove(&mut self, id: &str) -> Option<Member> {
        self.0.remove(id)
    }

    /// Those that have said nothing for so long that they may be gone.
    pub fn silent(&self, now: Instant) -> Vec<&Member> {
        self.0.values().filter(|member| now.saturating_duration_since(member.heard) > member.patience()).collect()
    }

    /// What all of them need, with what is needed anyway; each route once.
    pub fn needs(&self, anyway: &[Dependency]) -> Vec<Dependency> {
        let mut needs = anyway.to_vec();
        let mut seen: BTreeSet<RouteName> = needs.iter().map(|need| need.alias.clone()).collect();
        let all = self.0.values().flat_map(|member| &member.needs);
        needs.extend(all.filter(|need| seen.insert(need.alias.clone())).cloned());
        needs
    }
}

impl Member {
    fn patience(&self) -> Duration {
        let counted = self.every.map(|every| (every * SIGNALS_MISSED).clamp(SILENCE_RANGE.0, SILENCE_RANGE.1));
        counted.unwrap_or(SILENCE_USUAL)
    }
}

#[cfg(test)]
mod tests;
