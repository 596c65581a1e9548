//! What snapshots are made of, at one moment.

use std::sync::Arc;
use std::time::SystemTime;

use outrigger_control_core::changes::{self, Change};
use outrigger_control_core::facts::Facts;
use outrigger_control_core::intent::Intent;
use outrigger_control_core::revocation::Book;
use outrigger_control_core::rollout::lane::{Lane, Membership};
use outrigger_control_core::snapshot::scope::Scope;
use outrigger_model::resource::{Epoch, Serial};
use outrigger_model::secret::Keyring;

/// An intent that runs, and its number in the history; 0 for one that is only tried.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Head {
    pub number: u64,
    pub intent: Arc<Intent>,
}

/// The part of new facts that proxies send calls to. It is the same object where that is all of them.
pub fn mesh(last: &Picture, facts: &Arc<Facts>) -> Arc<Facts> {
    let changes = changes::between(&last.facts, facts);
    let is_whole = Arc::ptr_eq(&last.facts, &last.mesh);
    let comes_direct = changes.iter().any(|change| match change {
        Change::Came(is) | Change::Turned { is, .. } => is.replica.is_direct(),
        Change::Went(_) => false,
    });
    if is_whole && !comes_direct {
        return Arc::clone(facts);
    }
    let mut mesh = Facts::clone(&last.mesh);
    changes::follow(&mut mesh, &changes, |replica| !replica.is_direct());
    if mesh.len() == facts.len() { Arc::clone(facts) } else { Arc::new(mesh) }
}

/// The same of facts that were stored.
pub fn mesh_of(facts: &Arc<Facts>) -> Arc<Facts> {
    if !facts.standings().any(|standing| standing.replica.is_direct()) {
        return Arc::clone(facts);
    }
    let mut mesh = Facts::clone(facts);
    let direct = facts.standings().filter(|standing| standing.replica.is_direct());
    direct.for_each(|standing| drop(mesh.remove(&standing.replica.id)));
    Arc::new(mesh)
}

/// Facts, intent, keys, and the number of the snapshot that they make.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Picture {
    pub epoch: Epoch,
    /// Already in the store. A view whose content did not change keeps the serial of its last change.
    pub serial: Serial,
    /// Watchers run snapshots below this one that no store has.
    pub overtaken: Serial,
    pub facts: Arc<Facts>,
    /// Those of them that proxies send calls to: replicas that a proxy stands beside.
    pub mesh: Arc<Facts>,
    pub main: Head,
    /// What some proxies try instead.
    pub trial: Option<Arc<Trial>>,
    /// The snapshot with which the last lane began, changed or ended: nobody is sent an older number from then on.
    pub lanes_since: Serial,
    /// What operators revoked.
    pub book: Arc<Book>,
    /// For proxies only; its `Debug` shows no key.
    pub keyring: Arc<Keyring>,
    /// Why it was made, for people: `replica weather-1: replica_registered`.
    pub reason: String,
    pub made_at: SystemTime,
}

/// A candidate, and who tries it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trial {
    /// Without a number; it has one when everybody gets it.
    pub head: Head,
    pub membership: Membership,
}

impl Picture {
    /// What a view of this scope goes by: the one place that decides it.
    pub fn head(&self, scope: &Scope) -> &Head {
        match (&self.trial, scope.lane()) {
            (Some(trial), Lane::Canary) => &trial.head,
            (None, _) | (_, Lane::Main) => &self.main,
        }
    }

    /// The smallest serial that an edition may have now. While there is a lane every picture gives all views its number, so that those of
    /// both lanes have the same one.
    pub fn floor(&self) -> Serial {
        let of_lanes = if self.trial.is_some() { self.serial } else { self.lanes_since };
        of_lanes.max(self.overtaken)
    }

    pub fn membership(&self) -> Membership {
        self.trial.as_ref().map(|trial| trial.membership.clone()).unwrap_or_default()
    }
}
