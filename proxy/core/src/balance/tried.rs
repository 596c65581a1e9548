//! The endpoints that a call has tried.
//!
//! Invariant: it holds what was tried up to [`SEARCHED_MAX`], where even a call stops that searches for its session, because nothing of it
//! ran where it was. All others stop where their route says so.

use outrigger_model::name::ReplicaId;

/// Attempts of one call where nobody says how many, the first included.
pub const ATTEMPTS_MAX: usize = 3;
/// Most replicas that are asked for a session nobody knows.
pub const SEARCHED_MAX: usize = 32;

/// Up to [`SEARCHED_MAX`] replicas, the first [`ATTEMPTS_MAX`] without allocating.
#[derive(Debug, Clone, Default)]
pub struct Tried {
    replicas: [Option<ReplicaId>; ATTEMPTS_MAX],
    more: Vec<ReplicaId>,
}

impl Tried {
    /// Notes an attempt. More than the limit are not noted, and the call has no attempts left.
    pub fn add(&mut self, replica: &ReplicaId) {
        if let Some(free) = self.replicas.iter_mut().find(|place| place.is_none()) {
            *free = Some(replica.clone());
        } else if !self.is_exhausted() {
            self.more.push(replica.clone());
        }
    }

    pub fn has(&self, replica: &ReplicaId) -> bool {
        self.replicas.iter().flatten().chain(&self.more).any(|tried| tried == replica)
    }

    pub fn count(&self) -> usize {
        self.replicas.iter().flatten().count() + self.more.len()
    }

    /// Whether not even a search goes on.
    pub fn is_exhausted(&self) -> bool {
        self.count() >= SEARCHED_MAX
    }
}
