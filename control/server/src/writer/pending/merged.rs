//! Ledger changes that wait, those of one view merged into one.
//!
//! In: changes in the order in which they happened. Out: changes that lead to the same ledger, one per view.
//! Invariant: never more than the views themselves, however long they wait.

use std::collections::{BTreeMap, BTreeSet};

use outrigger_control_core::snapshot::ledger::{LedgerChange, ResourceKey};
use outrigger_control_core::snapshot::scope::ViewKey;

#[derive(Debug, Default)]
pub struct Merged {
    views: BTreeMap<ViewKey, LedgerChange>,
    /// Forgotten before anything of `views` happened to them.
    dropped: BTreeSet<ViewKey>,
}

impl Merged {
    pub fn is_empty(&self) -> bool {
        self.views.is_empty() && self.dropped.is_empty()
    }

    pub fn add(&mut self, change: LedgerChange) {
        for view in change.dropped {
            self.views.remove(&view);
            self.dropped.insert(view);
        }
        let view = &change.view;
        let waiting = self
            .views
            .entry(view.clone())
            .or_insert_with(|| LedgerChange { view: view.clone(), ..LedgerChange::default() });
        waiting.serial = change.serial;
        waiting.is_stamped |= change.is_stamped;
        for key in change.removed {
            waiting.changed.remove(&key);
            waiting.removed.push(key);
        }
        waiting.removed.sort_unstable();
        waiting.removed.dedup();
        waiting.removed.retain(|key| !change.changed.contains_key(key));
        waiting.changed.extend(change.changed);
    }

    /// Of one view, what it has no more.
    pub fn removed(&self, view: &ViewKey) -> impl Iterator<Item = &ResourceKey> {
        self.views.get(view).into_iter().flat_map(|change| change.removed.iter())
    }

    pub fn changes(&self) -> Vec<LedgerChange> {
        let mut changes: Vec<LedgerChange> = self.views.values().cloned().collect();
        // Whatever is dropped is dropped first: what comes back is in the changes.
        if let Some(first) = changes.first_mut() {
            first.dropped = self.dropped.iter().cloned().collect();
        }
        changes
    }
}

#[cfg(test)]
mod tests;
