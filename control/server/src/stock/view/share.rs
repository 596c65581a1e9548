//! Who shares the calls of a row: pools of one agent by weight in one row, those of several agents in a row for each.
//!
//! In: shares of a branch. Out: [`Portion`]s, in the order in which they are tried.
//! Why: a request names the agent that it is for in its path, and Envoy writes one path per row.
//! Invariant: the portions of a branch take all of its calls, each its part.

use std::collections::BTreeMap;

use outrigger_model::name::{AgentName, PoolName};
use outrigger_model::traffic::Share;

use super::table::Table;

const WHOLE: u64 = 1_000_000;

/// Pools of one agent, and which part of what comes to this row is theirs.
#[derive(Debug, PartialEq, Eq)]
pub struct Portion<'s> {
    pub agent: &'s AgentName,
    /// Each with a weight above zero.
    pub pools: Vec<(&'s PoolName, u32)>,
    /// Of a million; none: all that is left.
    pub chance: Option<u32>,
}

/// Nothing if no share has any weight, or none leads anywhere.
pub fn portions<'s>(table: &Table<'s>, shares: &'s [Share]) -> Vec<Portion<'s>> {
    let mut agents: BTreeMap<&AgentName, BTreeMap<&PoolName, u32>> = BTreeMap::new();
    for share in shares.iter().filter(|share| share.weight > 0) {
        let Some(pool) = table.pool(&share.pool) else { continue };
        *agents.entry(&pool.agent).or_default().entry(&share.pool).or_default() += u32::from(share.weight);
    }
    let mut left: u64 = agents.values().flat_map(BTreeMap::values).map(|weight| u64::from(*weight)).sum();
    let count = agents.len();
    let portion = |(at, (agent, pools)): (usize, (&'s AgentName, BTreeMap<&'s PoolName, u32>))| {
        let weight: u64 = pools.values().map(|weight| u64::from(*weight)).sum();
        let chance = u32::try_from(WHOLE * weight / left.max(1)).unwrap_or(u32::MAX);
        left = left.saturating_sub(weight);
        Portion { agent, pools: pools.into_iter().collect(), chance: (at + 1 < count).then_some(chance) }
    };
    agents.into_iter().enumerate().map(portion).collect()
}

/// The same for one pool that gets everything.
pub fn whole<'s>(table: &Table<'s>, pool: &'s PoolName) -> Vec<Portion<'s>> {
    let found = table.pool(pool);
    found.map(|found| Portion { agent: &found.agent, pools: vec![(pool, 1)], chance: None }).into_iter().collect()
}
