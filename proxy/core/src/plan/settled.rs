//! What is settled about a planned call before an endpoint is chosen.
//!
//! In: a plan. Out: the one endpoint that it can go to, or how one of a pool is chosen.

use std::sync::Arc;

use outrigger_model::pool::Balance;

use super::{Below, Plan};
use crate::balance::pick::By;
use crate::world::endpoint::{Endpoint, Pool};

impl Plan {
    /// How an endpoint of `pool` is chosen for it.
    pub(crate) fn by(&self, pool: &Pool) -> By<'_> {
        match self.below {
            Below::Agent => By::Caller(&self.aim.caller),
            _ if pool.balance == Balance::ConsistentHash => By::Caller(&self.aim.caller),
            _ => By::Balance,
        }
    }

    /// The endpoint that a key holds it at, or that its target names.
    pub(crate) fn only(&self) -> Option<&Arc<Endpoint>> {
        match (&self.held, &self.below) {
            (Some(held), _) => Some(&held.endpoint),
            (None, Below::Named(endpoint)) => Some(endpoint),
            (None, Below::Agent | Below::Balance) => None,
        }
    }
}
