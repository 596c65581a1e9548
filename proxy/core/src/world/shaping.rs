//! Finds the pools that the traffic of a route names.
//!
//! In: [`Traffic`] as control wrote it, the pools of the same snapshot. Out: [`Shaping`], or nothing where calls only go to the route's pool.
//! Invariant: a pool that is not there is left out; a snapshot is assembled only if all are.

use std::collections::HashMap;
use std::sync::Arc;

use outrigger_model::name::PoolName;
use outrigger_model::traffic::{self, Traffic};

use crate::world::endpoint::{Branch, Mirror, Pool, Shaping, Share};

type Pools = HashMap<PoolName, Arc<Pool>>;

pub(super) fn compile(traffic: &Traffic, pools: &Pools) -> Option<Box<Shaping>> {
    let Traffic { branches, mirror, faults, headers, priority: _ } = traffic;
    if branches.is_empty() && mirror.is_none() && faults.is_none() && headers.is_empty() {
        return None;
    }
    let mirror = mirror
        .as_ref()
        .and_then(|mirror| Some(Mirror { pool: Arc::clone(pools.get(&mirror.pool)?), percent: mirror.percent }));
    Some(Box::new(Shaping {
        branches: branches.iter().map(|branch| self::branch(branch, pools)).collect(),
        mirror,
        faults: *faults,
        edits: (!headers.is_empty()).then(|| Arc::new(headers.clone())),
    }))
}

fn branch(branch: &traffic::Branch, pools: &Pools) -> Branch {
    let share =
        |share: &traffic::Share| Some(Share { pool: Arc::clone(pools.get(&share.pool)?), weight: share.weight });
    Branch { when: branch.when.clone(), shares: branch.shares.iter().filter_map(share).collect() }
}
