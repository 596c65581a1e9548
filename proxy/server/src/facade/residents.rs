//! Who is here: the members, as own agents of the proxy and in the file.
//!
//! In: heartbeats that are to be taken in, ids that go. Out: members, or why one may not join; what all of them need.
//! Invariant: whoever is a member and listens somewhere is an own agent; whoever is not a member is none.

use std::sync::Arc;
use std::time::Instant;

use outrigger_model::digest::Digest;
use outrigger_model::name::ReplicaId;
use outrigger_model::requirement::Dependency;
use outrigger_upstream::heartbeat::Heartbeat;
use outrigger_upstream::needs;
use outrigger_wire::limit::NEEDS_MAX;

use super::admit::{House, NotHere, admit};
use super::kept::Kept;
use super::members::Members;
use crate::config::Settings;
use crate::health::roster::LocalAgents;

/// Most of all registrations together: control takes reports of 16 MiB.
const BYTES_MAX: usize = 12 << 20;

/// All of them.
pub struct Residents {
    settings: Arc<Settings>,
    /// Of the proxy itself.
    ports: Vec<u16>,
    agents: LocalAgents,
    pub(super) members: Members,
    kept: Option<Kept>,
    /// Of what the file holds.
    written: Option<Digest>,
}

impl Residents {
    /// Those that were here when the process before ended, if that is known.
    pub fn back(settings: &Arc<Settings>, ports: Vec<u16>, agents: &LocalAgents) -> Self {
        let (settings, agents) = (Arc::clone(settings), agents.clone());
        let kept = settings.snapshot_file.as_deref().filter(|_| settings.facade.is_some()).map(Kept::beside);
        let most = settings.facade.as_ref().map_or(0, |rules| rules.agents_max);
        let known = kept.as_ref().map(|kept| kept.read(most)).unwrap_or_default();
        let mut residents = Self { settings, ports, agents, members: Members::default(), kept, written: None };
        for heartbeat in known {
            // The rules may have become stricter; who is refused hears of it when it registers again.
            let _ = residents.take_in(&Arc::new(heartbeat));
        }
        residents.written = Some(residents.digest());
        residents
    }

    /// Whether any agent may be here.
    pub(super) fn may_join(&self) -> bool {
        self.settings.facade.is_some()
    }

    /// Those that fell silent, and at whose port nobody listens.
    pub(super) fn gone(&self, now: Instant) -> Vec<ReplicaId> {
        let locals = self.agents.replicas();
        let locals = locals.borrow();
        let is_gone = |id: &ReplicaId| locals.iter().find(|local| local.id == *id).is_none_or(|local| local.gone);
        let silent = self.members.silent(now).into_iter().map(|member| member.heartbeat.id.clone());
        silent.filter(is_gone).collect()
    }

    /// Everything that the agents of this proxy depend on.
    pub fn needs(&self) -> Vec<Dependency> {
        self.members.needs(&self.settings.needs)
    }

    /// What it needs itself, and whether it was not here before.
    pub(super) fn take_in(&mut self, heartbeat: &Arc<Heartbeat>) -> Result<(Vec<Dependency>, bool), NotHere> {
        let Some(rules) = &self.settings.facade else { return Err(NotHere::Off) };
        let Settings { agents: fixed, zone, needs: anyway, .. } = self.settings.as_ref();
        let place = admit(&House { rules, fixed, ports: &self.ports, zone }, heartbeat)?;
        let needs = needs::of(&heartbeat.registration)?;
        let agents_max = rules.agents_max;
        let all = self.members.needs(&[anyway.as_slice(), needs.as_slice()].concat()).len();
        if all > NEEDS_MAX {
            return Err(NotHere::Needs(all, NEEDS_MAX));
        }
        for other in self.members.displaced(heartbeat) {
            self.forget(&other);
        }
        let others = self.members.heartbeats().into_iter().filter(|other| other.id != heartbeat.id);
        let bytes = others.map(|other| other.registration.raw.len()).sum::<usize>() + heartbeat.registration.raw.len();
        if bytes > BYTES_MAX {
            return Err(NotHere::Large(bytes, BYTES_MAX));
        }
        let count = self.members.count();
        if self.members.get(heartbeat.id.as_str()).is_none() && count >= agents_max {
            return Err(NotHere::Many(count));
        }
        let is_new = self.members.register(Arc::clone(heartbeat), needs.clone(), place.is_some(), Instant::now());
        match &place {
            Some(settings) => self.agents.join(settings, heartbeat),
            None => self.agents.leave(&heartbeat.id),
        }
        Ok((needs, is_new))
    }

    pub(super) fn forget(&mut self, id: &ReplicaId) {
        self.members.remove(id.as_str());
        self.agents.leave(id);
    }

    /// What is to be written where, if the file does not hold it yet.
    pub(super) fn unwritten(&mut self) -> Option<(Kept, Vec<Arc<Heartbeat>>)> {
        let (kept, digest) = (self.kept.clone()?, self.digest());
        (self.written.replace(digest) != Some(digest)).then(|| (kept, self.members.heartbeats()))
    }

    fn digest(&self) -> Digest {
        let heartbeats = self.members.heartbeats();
        Digest::of_parts(heartbeats.iter().map(|heartbeat| heartbeat.registration.raw.as_bytes()))
    }
}
