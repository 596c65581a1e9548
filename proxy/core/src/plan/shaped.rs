//! What a planned call is due of the traffic rules of its route.
//!
//! In: a plan, what was drawn for its call. Out: the fault that hits it, the pool that gets a copy of it.
//! Invariant: a call whose route has no such rules pays one look at whether there are any.

use std::sync::Arc;

use super::Plan;
use crate::route::fault::{self, Fault};
use crate::route::mirror;
use crate::world::endpoint::{Pool, Shaping};

impl Plan {
    fn shaping(&self) -> Option<&Shaping> {
        self.aim.dest.shaping()
    }

    /// How it fails on purpose.
    pub fn fault(&self, chance: u64) -> Option<Fault> {
        fault::fault(self.shaping()?, chance)
    }

    /// Who gets a copy of it.
    pub fn copy(&self, chance: u64) -> Option<&Arc<Pool>> {
        let shaping = self.shaping().filter(|_| self.aim.keys.is_empty() && !self.aim.in_session)?;
        mirror::copy(shaping, self.aim.row, chance)
    }
}
