//! One proxy, as the registry sees it.
//!
//! Invariant: only messages of its current stream count; those of a stream it left behind are ignored.

use std::collections::BTreeSet;

use outrigger_model::identity::SpiffeId;
use outrigger_model::name::ReplicaId;
use outrigger_model::replica::ReplicaState;
use outrigger_model::tally::Tally;

use crate::agent::Refusal;
use crate::facts::Standing;
use crate::lease::Lease;
use crate::moment::Moment;

use super::command::StreamId;

#[derive(Debug)]
pub struct Node {
    /// None from the start of control until the proxy comes back.
    pub stream: Option<StreamId>,
    pub identity: Option<SpiffeId>,
    pub lease: Lease,
    pub is_draining: bool,
    /// When it was last heard since control started.
    pub heard: Option<Moment>,
    /// How its calls went since it started, as it last said.
    pub tally: Option<Tally>,
    pub replicas: BTreeSet<ReplicaId>,
    /// What of its last report was refused; the same refusals are logged once.
    pub refused: Vec<Refusal>,
}

impl Node {
    pub fn new(lease: Lease) -> Self {
        Self {
            stream: None,
            identity: None,
            lease,
            is_draining: false,
            heard: None,
            tally: None,
            replicas: BTreeSet::new(),
            refused: Vec::new(),
        }
    }

    /// A node that the store knew.
    pub fn found(lease: Lease) -> Self {
        Self::new(lease)
    }

    pub fn found_replica(&mut self, standing: &Standing) {
        self.identity = self.identity.take().or_else(|| standing.replica.identity.clone());
        self.is_draining |= standing.state == ReplicaState::Draining;
        if standing.state == ReplicaState::Unknown {
            self.lease = self.lease.suspected();
        }
        if standing.replica.is_direct() {
            self.stream = Some(StreamId::DIRECT);
        }
        self.replicas.insert(standing.replica.id.clone());
    }

    /// The state of a replica of this node that does, or does not, serve.
    pub fn state_of(&self, is_serving: bool) -> ReplicaState {
        match self.lease {
            Lease::Gone { .. } => ReplicaState::Unhealthy,
            _ if !is_serving => ReplicaState::Unhealthy,
            _ if self.is_draining => ReplicaState::Draining,
            Lease::Suspect { .. } => ReplicaState::Unknown,
            Lease::Live { .. } => ReplicaState::Healthy,
        }
    }
}
