//! The endpoints that a call has tried.
//!
//! Invariant: holds at most [`ATTEMPTS_MAX`]; a call that has tried so many stops.

use outrigger_model::name::ReplicaId;

/// Most attempts of one call, the first included.
pub const ATTEMPTS_MAX: usize = 3;

/// Up to [`ATTEMPTS_MAX`] replicas, without allocating.
#[derive(Debug, Clone, Default)]
pub struct Tried {
    replicas: [Option<ReplicaId>; ATTEMPTS_MAX],
}

impl Tried {
    /// Notes an attempt. More than the limit are not noted, and [`Tried::is_full`] stays true.
    pub fn add(&mut self, replica: &ReplicaId) {
        if let Some(free) = self.replicas.iter_mut().find(|place| place.is_none()) {
            *free = Some(replica.clone());
        }
    }

    pub fn has(&self, replica: &ReplicaId) -> bool {
        self.replicas.iter().flatten().any(|tried| tried == replica)
    }

    pub fn count(&self) -> usize {
        self.replicas.iter().flatten().count()
    }

    pub fn is_full(&self) -> bool {
        self.count() >= ATTEMPTS_MAX
    }
}
