//! Which resources differ between two snapshots.
//!
//! In: a snapshot as it is published and one as it would be. Out: names by kind.
//! Never here: what of a resource differs.

use std::fmt;

use outrigger_model::resource::ResourceKind;
use outrigger_model::snapshot::Snapshot;
use outrigger_model::snapshot::shared::Shared;

/// The name of a resource of which there is exactly one.
const SELF: &str = "self";

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ChangeKind {
    Added,
    Changed,
    Removed,
}

/// One resource that is not what it was.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Change {
    pub kind: ResourceKind,
    pub name: String,
    pub change: ChangeKind,
}

impl ChangeKind {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Added => "added",
            Self::Changed => "changed",
            Self::Removed => "removed",
        }
    }
}

/// In the order in which resources are sent.
pub fn changes(before: &Snapshot, after: &Snapshot) -> Vec<Change> {
    let (before, after) = (before.resources(), after.resources());
    let mut changes = Vec::new();
    for (kind, is_same) in [
        (ResourceKind::Settings, before.settings == after.settings),
        (ResourceKind::Keyring, before.keyring == after.keyring),
        (ResourceKind::Revocations, before.revocations == after.revocations),
    ] {
        if !is_same {
            changes.push(Change { kind, name: SELF.to_owned(), change: ChangeKind::Changed });
        }
    }
    compare(ResourceKind::Agent, &before.agents, &after.agents, &mut changes);
    compare(ResourceKind::Capability, &before.capabilities, &after.capabilities, &mut changes);
    compare(ResourceKind::Pool, &before.pools, &after.pools, &mut changes);
    compare(ResourceKind::Endpoints, &before.endpoints, &after.endpoints, &mut changes);
    compare(ResourceKind::Route, &before.routes, &after.routes, &mut changes);
    changes
}

fn compare<K: Ord + fmt::Display, V: PartialEq>(
    kind: ResourceKind,
    before: &Shared<K, V>,
    after: &Shared<K, V>,
    changes: &mut Vec<Change>,
) {
    let mut note = |name: &K, change| changes.push(Change { kind, name: name.to_string(), change });
    for (name, value) in after {
        match before.get(name) {
            None => note(name, ChangeKind::Added),
            Some(was) if was != value => note(name, ChangeKind::Changed),
            Some(_) => {}
        }
    }
    for name in before.keys().filter(|name| !after.contains_key(*name)) {
        note(name, ChangeKind::Removed);
    }
}

#[cfg(test)]
mod tests;
