//! What differs between two snapshots of one view, resource by resource.
//!
//! In: two editions, or an edition and what the ledger remembers of the one before it. Out: [`Touch`]es.
//! Invariant: a resource is touched once at most, and touches are sorted by kind and name.

use std::collections::BTreeMap;
use std::sync::Arc;

use outrigger_control_core::snapshot::ledger;
use outrigger_model::resource::{ResourceKind, Token};

use crate::publish::edition::{Edition, Topic};

/// What happened to a resource.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Op {
    Added,
    Changed,
    Removed,
}

/// One resource that differs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Touch {
    pub kind: ResourceKind,
    pub name: Arc<str>,
    pub op: Op,
    /// Its new version; of one that was removed, the last it had.
    pub token: Token,
}

impl Op {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Added => "added",
            Self::Changed => "changed",
            Self::Removed => "removed",
        }
    }
}

/// Everything there is, as from nothing.
pub fn whole(edition: &Edition) -> Vec<Touch> {
    differing(edition, |_, _| None, |_| Vec::new())
}

/// What leads from one edition to another; the same shelf is not looked at.
pub fn between(from: &Edition, to: &Edition) -> Vec<Touch> {
    let is_same = |kind| {
        let topic = Topic::Resources(kind);
        Arc::ptr_eq(from.shelf(topic), to.shelf(topic)) || from.shelf(topic).changed == to.shelf(topic).changed
    };
    let mut touches = Vec::new();
    for kind in ResourceKind::ALL.into_iter().filter(|kind| !is_same(*kind)) {
        let before = from.shelf(Topic::Resources(kind));
        let held = |_: ResourceKind, name: &str| before.token(name);
        let names = |_| before.entries.iter().map(|(name, entry)| (name.as_str(), entry.token)).collect();
        of_kind(to, kind, &held, &names, &mut touches);
    }
    touches
}

/// What leads from what the ledger remembers to an edition of the same store.
pub fn since_ledger(before: &ledger::View, to: &Edition) -> Vec<Touch> {
    let mut known: BTreeMap<ResourceKind, BTreeMap<&str, Token>> = BTreeMap::new();
    for ((kind, name), entry) in &before.entries {
        known.entry(*kind).or_default().insert(name, entry.token(to.epoch));
    }
    let held = |kind, name: &str| known.get(&kind)?.get(name).copied();
    let names = |kind| known.get(&kind).into_iter().flatten().map(|(name, token)| (*name, *token)).collect();
    differing(to, held, names)
}

fn differing<'a>(
    to: &Edition,
    held: impl Fn(ResourceKind, &str) -> Option<Token>,
    names: impl Fn(ResourceKind) -> Vec<(&'a str, Token)>,
) -> Vec<Touch> {
    let mut touches = Vec::new();
    for kind in ResourceKind::ALL {
        of_kind(to, kind, &held, &names, &mut touches);
    }
    touches
}

fn of_kind<'a>(
    to: &Edition,
    kind: ResourceKind,
    held: &impl Fn(ResourceKind, &str) -> Option<Token>,
    names: &impl Fn(ResourceKind) -> Vec<(&'a str, Token)>,
    touches: &mut Vec<Touch>,
) {
    let shelf = to.shelf(Topic::Resources(kind));
    let first = touches.len();
    for (name, entry) in &shelf.entries {
        let before = held(kind, name);
        if before != Some(entry.token) {
            let op = if before.is_some() { Op::Changed } else { Op::Added };
            touches.push(Touch { kind, name: Arc::from(name.as_str()), op, token: entry.token });
        }
    }
    for (name, token) in names(kind) {
        if !shelf.entries.contains_key(name) {
            touches.push(Touch { kind, name: Arc::from(name), op: Op::Removed, token });
        }
    }
    if let Some(of_kind) = touches.get_mut(first..) {
        of_kind.sort_by(|one, other| one.name.cmp(&other.name));
    }
}

/// Several steps, one after the other, as one. What came and went in between was never there.
pub fn merged<'a>(steps: impl IntoIterator<Item = &'a [Touch]>) -> Vec<Touch> {
    // Of each resource, whether it was there at first, and what happened last.
    let mut all: BTreeMap<(ResourceKind, Arc<str>), (bool, Touch)> = BTreeMap::new();
    for touch in steps.into_iter().flatten() {
        let key = (touch.kind, Arc::clone(&touch.name));
        let was_there = all.get(&key).map_or(touch.op != Op::Added, |(was_there, _)| *was_there);
        all.insert(key, (was_there, touch.clone()));
    }
    let ends = all.into_values().filter_map(|(was_there, touch)| {
        let op = match (was_there, touch.op) {
            (false, Op::Removed) => return None,
            (true, Op::Removed) => Op::Removed,
            (false, _) => Op::Added,
            (true, _) => Op::Changed,
        };
        Some(Touch { op, ..touch })
    });
    ends.collect()
}

#[cfg(test)]
mod tests;
