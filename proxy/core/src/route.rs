//! What a route does with its calls beside sending them to its pool: other pools for some of them, copies, faults.
//!
//! In: a compiled route, the facts of a call, its [`Lot`]. Out: the pool that the call goes to; whether it is copied; how it fails.
//! Never here: chance of our own, header edits (the head is written in `forward`), where a session lives, which decides before all of this.
//! Invariant: what is drawn for a call is drawn once, so that its retries go to the same pool and a fault hits it once.

pub mod matcher;
pub mod split;
pub mod fault;
pub mod mirror;

use std::sync::Arc;
use std::time::Instant;

use outrigger_model::name::AgentName;

use crate::mcp::facts::CallFacts;
use crate::mcp::table::{Row, Stick};
use crate::world::endpoint::{Branch, Pool, Route};

/// What was drawn for one call, and when.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lot {
    /// Any number is as likely as any other.
    pub chance: u64,
    pub now: Instant,
}

/// The pool that a call goes to if nothing holds it elsewhere; none is the route's own.
pub fn pool(route: &Route, facts: &CallFacts<'_>, row: &Row, lot: Lot) -> Option<Arc<Pool>> {
    let branch = branch(route, facts)?;
    let point = match stays_with_caller(route, row) {
        true => split::place(route.name.as_str(), facts.caller.as_str()),
        false => split::mix(lot.chance),
    };
    split::choose(&branch.shares, point, lot.now).map(|share| Arc::clone(&share.pool))
}

/// The branch that shares the call; none where its route has none for it.
pub fn branch<'r>(route: &'r Route, facts: &CallFacts<'_>) -> Option<&'r Branch> {
    let branches = &route.shaping.as_ref()?.branches;
    branches.iter().find(|branch| matcher::fits(&branch.when, facts.fields, &facts.caller))
}

/// One caller sees one version, as it sees one replica.
pub fn stays_with_caller(route: &Route, row: &Row) -> bool {
    route.policy.affinity.follows_agent() && row.stick != Stick::Nowhere
}

/// A pool of each further agent whose replicas a call of the route may be held by.
pub fn elsewhere(route: &Route, chosen: &AgentName) -> Vec<Arc<Pool>> {
    let shares = route.shaping.iter().flat_map(|shaping| &shaping.branches).flat_map(|branch| &branch.shares);
    let mut found: Vec<Arc<Pool>> = Vec::new();
    for pool in shares.map(|share| &share.pool).chain([&route.pool]) {
        if pool.agent != *chosen && found.iter().all(|other| other.agent != pool.agent) {
            found.push(Arc::clone(pool));
        }
    }
    found
}

#[cfg(test)]
mod tests;
