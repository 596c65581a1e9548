//! One replica and what control believes of it.
//!
//! In: the replica as its proxy reports it, and the verdict of its lease. Out: a [`Standing`].
//! Never here: leases and clocks.

use std::sync::Arc;

use outrigger_model::capability::Capability;
use outrigger_model::name::CapabilityName;
use outrigger_model::replica::{Replica, ReplicaState};

/// One replica and what control believes of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Standing {
    pub replica: Arc<Replica>,
    pub state: ReplicaState,
    /// Why it does not serve, for people; empty if nothing is known.
    pub trouble: Arc<str>,
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
