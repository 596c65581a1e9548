//! All resources of a watcher as they were received, kind by kind, each kind with its part of the manifest.
//!
//! In: edits of one kind at a time. Out: bodies and tokens, and the parts to hold against a manifest.
//! A part is by definition one hash over all sorted names and digests of its kind, so it is made anew for a kind that
//! changed, and for no other.
//! Invariant: the part of a kind is always that of the resources beside it.

use std::collections::BTreeMap;
use std::sync::Arc;

use outrigger_model::manifest::{Part, part};
use outrigger_model::resource::{ResourceKind, Token};
use outrigger_model::snapshot::shared::Shared;
use outrigger_wire::body::Body;

/// One resource as it was received.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Held {
    pub token: Token,
    pub body: Body,
}

/// Resources of one kind by name.
pub type HeldKind = Shared<Arc<str>, Held>;

/// Resources of all kinds. A copy shares every kind until it is edited.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Holding(BTreeMap<ResourceKind, (HeldKind, Part)>);

impl Holding {
    pub fn get(&self, kind: ResourceKind, name: &str) -> Option<&Held> {
        self.0.get(&kind)?.0.get(name)
    }

    pub fn of_kind(&self, kind: ResourceKind) -> impl Iterator<Item = &Held> {
        self.0.get(&kind).into_iter().flat_map(|(held, _)| held.values())
    }

    /// All of them, kind by kind in sending order, sorted by name.
    pub fn iter(&self) -> impl Iterator<Item = &Held> {
        self.0.values().flat_map(|(held, _)| held.values())
    }

    /// The manifest's parts of all kinds, in order.
    pub fn parts(&self) -> Vec<Part> {
        let part_of = |kind| self.0.get(&kind).map_or_else(|| part(kind, []), |(_, part)| part.clone());
        ResourceKind::ALL.into_iter().map(part_of).collect()
    }

    /// Changes one kind, and makes its part anew if that put or took anything.
    pub fn edit(&mut self, kind: ResourceKind, edit: impl FnOnce(&mut HeldKind)) {
        let (held, part_held) = self.0.entry(kind).or_insert_with(|| (HeldKind::default(), part(kind, [])));
        let before = held.clone();
        edit(held);
        if !held.is_same(&before) {
            *part_held = part(kind, held.values().map(|held| (&*held.body.name, &held.body.digest)));
        }
    }
}

#[cfg(test)]
mod tests;
