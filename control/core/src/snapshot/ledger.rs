//! When each resource of each view last changed: what tokens are made of.
//!
//! In: the content digests of a view and the serial of its snapshot. Out: a [`LedgerChange`]: what differs from before.
//! Never here: contents; a digest stands for each.
//! Invariant: equal content keeps its serial, also over a restart, so nothing unchanged is sent again.

use std::collections::BTreeMap;

use outrigger_model::digest::Digest;
use outrigger_model::resource::{Epoch, ResourceKind, Serial, Token};

use super::scope::ViewKey;

/// Most views that are remembered; beyond, the one that has been unchanged longest is dropped.
pub const VIEWS_MAX: usize = 1_000;

/// What a resource is called within a view.
pub type ResourceKey = (ResourceKind, String);

/// One resource of a view.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Entry {
    pub digest: Digest,
    /// The snapshot in which it last changed.
    pub serial: Serial,
}

/// One view: its resources, and the snapshot in which any of them last came, changed or went.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct View {
    pub serial: Serial,
    pub entries: BTreeMap<ResourceKey, Entry>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Ledger {
    views: BTreeMap<ViewKey, View>,
}

/// What one step changed in a ledger; the store repeats it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LedgerChange {
    pub view: ViewKey,
    /// The serial of the view after the step.
    pub serial: Serial,
    /// The view is of a new serial although its content may be what it was.
    pub is_stamped: bool,
    pub changed: BTreeMap<ResourceKey, Entry>,
    pub removed: Vec<ResourceKey>,
    /// Views that were forgotten to make room.
    pub dropped: Vec<ViewKey>,
}

impl Entry {
    pub fn token(&self, epoch: Epoch) -> Token {
        Token::new(epoch, self.serial, &self.digest)
    }
}

impl LedgerChange {
    /// Whether the content of the view is what it was.
    pub fn is_empty(&self) -> bool {
        self.changed.is_empty() && self.removed.is_empty()
    }

    /// Whether the view is what it was, by content and by number.
    pub fn is_nothing(&self) -> bool {
        self.is_empty() && !self.is_stamped
    }
}

impl View {
    /// Notes what of `content` is new or different, and what is no longer there.
    fn compare<'a>(
        &self,
        content: impl IntoIterator<Item = (ResourceKind, &'a str, Digest)>,
        serial: Serial,
        change: &mut LedgerChange,
    ) {
        let mut known = self.entries.iter().peekable();
        for (kind, name, digest) in content {
            let order = |key: &ResourceKey| (key.0, key.1.as_str()).cmp(&(kind, name));
            while let Some((gone, _)) = known.next_if(|(key, _)| order(key).is_lt()) {
                change.removed.push(gone.clone());
            }
            let held = known.next_if(|(key, _)| order(key).is_eq());
            if held.is_none_or(|(_, entry)| entry.digest != digest) {
                change.changed.insert((kind, name.to_owned()), Entry { digest, serial });
            }
        }
        change.removed.extend(known.map(|(gone, _)| gone.clone()));
    }
}

impl Ledger {
    /// Takes a stored view back.
    pub fn restore(&mut self, key: ViewKey, view: View) {
        self.views.insert(key, view);
    }

    /// A view as it was last advanced to.
    pub fn view(&self, key: &ViewKey) -> Option<&View> {
        self.views.get(key)
    }

    pub fn views(&self) -> impl Iterator<Item = (&ViewKey, &View)> {
        self.views.iter()
    }

    /// Brings a view to `content` as of `serial`. Content comes sorted by kind and name, each once, as encoded sets give it;
    /// both are walked side by side, because a view may hold tens of thousands of resources and hardly any of them changes.
    pub fn advance<'a>(
        &mut self,
        key: &ViewKey,
        content: impl IntoIterator<Item = (ResourceKind, &'a str, Digest)>,
        serial: Serial,
    ) -> LedgerChange {
        let is_new = !self.views.contains_key(key);
        let mut change = LedgerChange { view: key.clone(), ..LedgerChange::default() };
        if is_new && self.views.len() >= VIEWS_MAX {
            change.dropped.extend(self.drop_oldest());
        }
        let view = self.views.entry(key.clone()).or_default();
        view.compare(content, serial, &mut change);
        for key in &change.removed {
            view.entries.remove(key);
        }
        view.entries.extend(change.changed.iter().map(|(key, entry)| (key.clone(), *entry)));
        if is_new || !change.is_empty() {
            view.serial = serial;
        }
        change.serial = view.serial;
        change
    }

    /// Gives a view that was advanced just now the number of a newer snapshot: whoever comes from another view of the same needs goes by
    /// growing numbers, too. Resources keep their serials.
    pub fn stamp(&mut self, serial: Serial, change: &mut LedgerChange) {
        if let Some(view) = self.views.get_mut(&change.view) {
            change.is_stamped = view.serial != serial;
            view.serial = serial;
            change.serial = serial;
        }
    }

    /// Drops a view.
    pub fn forget(&mut self, key: &ViewKey) {
        self.views.remove(key);
    }

    /// Does once more what a change did.
    pub fn repeat(&mut self, change: &LedgerChange) {
        for view in &change.dropped {
            self.views.remove(view);
        }
        let view = self.views.entry(change.view.clone()).or_default();
        for key in &change.removed {
            view.entries.remove(key);
        }
        view.entries.extend(change.changed.iter().map(|(key, entry)| (key.clone(), *entry)));
        view.serial = change.serial;
    }

    fn drop_oldest(&mut self) -> Option<ViewKey> {
        let base = ViewKey::base();
        let others = self.views.iter().filter(|(key, _)| **key != base);
        let oldest = others.min_by_key(|(_, view)| view.serial).map(|(key, _)| key.clone())?;
        self.views.remove(&oldest);
        Some(oldest)
    }
}

#[cfg(test)]
mod tests;
