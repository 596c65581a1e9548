//! Gives drafts their tokens: the next edition of a view, or the one before if nothing in it changed.
//!
//! In: drafts, the edition before, the ledger of tokens. Out: an [`Edition`] and what the store must remember.
//! The ledger has words for our own kinds; a standard resource is entered under the kind that it is made from.
//! Invariant: equal content keeps its token, also over a restart, and content that comes back gets a new one.

use std::sync::Arc;

use outrigger_control_core::snapshot::ledger::{Entry, Ledger, LedgerChange};
use outrigger_control_core::snapshot::scope::ViewKey;
use outrigger_model::digest::Digest;
use outrigger_model::resource::{Epoch, ResourceKind, Serial};

use crate::stock::kind::Kind;
use crate::stock::shelf::{Edition, Resource, Shelf};
use crate::stock::view::Draft;

/// The drafts are sorted by kind and name.
pub fn assemble(
    key: &ViewKey,
    drafts: Vec<Draft>,
    before: Option<&Arc<Edition>>,
    ledger: &mut Ledger,
    at: (Epoch, Serial),
) -> (Arc<Edition>, LedgerChange) {
    let (epoch, serial) = at;
    let digests: Vec<Digest> = drafts.iter().map(digest).collect();
    let mut content: Vec<_> =
        drafts.iter().zip(&digests).map(|(draft, digest)| (booked(draft.kind), &*draft.name, *digest)).collect();
    content.sort_by(|a, b| (a.0, a.1).cmp(&(b.0, b.1)));
    let change = ledger.advance(key, content, serial);
    if let Some(before) = before.filter(|_| change.is_empty()) {
        return (Arc::clone(before), change);
    }
    let entries = ledger.view(key).map(|view| &view.entries);
    let moved = |kind: Kind| {
        let booked = booked(kind);
        change.changed.keys().chain(&change.removed).any(|(kind, _)| *kind == booked)
    };
    let mut resources: Vec<(Kind, Arc<Resource>, Serial)> = Vec::with_capacity(drafts.len());
    for (draft, digest) in drafts.into_iter().zip(digests) {
        let known = entries.and_then(|entries| entries.get(&(booked(draft.kind), draft.name.to_string())));
        let entry = known.copied().unwrap_or(Entry { digest, serial });
        let Draft { kind, name, body, leads_to } = draft;
        resources.push((kind, Arc::new(Resource { name, token: entry.token(epoch), body, leads_to }), entry.serial));
    }
    let edition = Edition::new(epoch, change.serial, |kind| match before {
        Some(before) if !moved(kind) => Arc::clone(before.shelf(kind)),
        before => {
            let own = || resources.iter().filter(|(of, _, _)| *of == kind);
            // The first edition after a start knows when what is there last changed, and not when something went.
            let changed = if before.is_some() { serial } else { own().map(|(_, _, at)| *at).max().unwrap_or_default() };
            Arc::new(Shelf::new(epoch, changed, own().map(|(_, resource, _)| Arc::clone(resource))))
        }
    });
    (Arc::new(edition), change)
}

/// What a resource leads to follows from its body and needs no part in it.
fn digest(draft: &Draft) -> Digest {
    Digest::of_parts([draft.kind.as_str().as_bytes(), draft.body.as_ref()])
}

const fn booked(kind: Kind) -> ResourceKind {
    match kind {
        Kind::Cluster => ResourceKind::Pool,
        Kind::Endpoints => ResourceKind::Endpoints,
        Kind::Secret => ResourceKind::Keyring,
        Kind::Listener => ResourceKind::Settings,
        Kind::Route => ResourceKind::Route,
    }
}

#[cfg(test)]
mod tests;
