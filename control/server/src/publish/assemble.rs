//! Makes the next edition of a view, which is the one before if nothing in it changed.
//!
//! In: a snapshot, the edition before it, the ledger of tokens. Out: an [`Edition`] and what the store must remember.
//! Invariant: equal content makes no edition, and a resource that did not change keeps its token, also over a restart.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::SystemTime;

use outrigger_control_core::rollout::lane::Lane;
use outrigger_control_core::snapshot::ledger::{self, Ledger, LedgerChange};
use outrigger_control_core::snapshot::scope::ViewKey;
use outrigger_model::manifest::Manifest;
use outrigger_model::resource::{Epoch, ResourceKind, Serial};
use outrigger_model::snapshot::Snapshot;
use outrigger_wire::body::Bodies;
use outrigger_wire::manifest;

use crate::publish::edition::{Edition, Entry, SELF, Shelf, Topic};

/// What a snapshot says of itself.
#[derive(Debug, Clone)]
pub struct Origin {
    pub epoch: Epoch,
    pub serial: Serial,
    pub made_at: SystemTime,
    /// For people: `replica weather-1 is healthy`.
    pub reason: String,
    pub lane: Lane,
    /// No edition has a smaller serial: one that would is given the new one, whatever changed, so that nobody who changes lanes or runs a later one is
    /// sent an older number.
    pub floor: Serial,
}

/// An edition, and how the ledger came there. An empty change means that it is the edition before.
#[derive(Debug)]
pub struct Assembled {
    pub edition: Arc<Edition>,
    pub change: LedgerChange,
}

pub fn assemble(
    key: &ViewKey,
    snapshot: &Snapshot,
    before: Option<&Arc<Edition>>,
    ledger: &mut Ledger,
    origin: &Origin,
) -> Assembled {
    let bodies = Bodies::of(snapshot.resources());
    let content = bodies.iter().map(|body| (body.kind, &*body.name, body.digest));
    // One that another replica made may not be what the ledger knows.
    let known = ledger.view(key).map(|view| view.serial);
    let before = before.filter(|before| before.epoch == origin.epoch && Some(before.serial) == known);
    let mut change = ledger.advance(key, content, origin.serial);
    if change.serial < origin.floor {
        ledger.stamp(origin.serial, &mut change);
    }
    if let Some(before) = before.filter(|before| change.is_empty() && before.serial == change.serial) {
        return Assembled { edition: Arc::clone(before), change };
    }
    let entries = ledger.view(key).map(|view| &view.entries);
    let before = before.map(Arc::as_ref);
    let moved = change.changed.keys().chain(&change.removed).map(|(kind, _)| *kind).collect();
    let shelves = Shelves { bodies: &bodies, entries, before, moved, epoch: origin.epoch, serial: change.serial };
    let manifest = manifest::of(&bodies, origin.epoch, change.serial, origin.made_at, &origin.reason);
    let manifest = Manifest { lane: origin.lane.as_str().to_owned(), ..manifest };
    let body = manifest::to_bytes(&manifest);
    let entry = Entry { token: manifest::token(&manifest), digest: manifest.digest, body: body.into() };
    let edition = Edition {
        epoch: origin.epoch,
        serial: change.serial,
        digest: manifest.digest,
        settings: shelves.of(ResourceKind::Settings),
        keyring: shelves.of(ResourceKind::Keyring),
        revocations: shelves.of(ResourceKind::Revocations),
        agents: shelves.of(ResourceKind::Agent),
        capabilities: shelves.of(ResourceKind::Capability),
        pools: shelves.of(ResourceKind::Pool),
        endpoints: shelves.of(ResourceKind::Endpoints),
        routes: shelves.of(ResourceKind::Route),
        wirings: shelves.of(ResourceKind::Wiring),
        manifest: Arc::new(Shelf { changed: change.serial, entries: BTreeMap::from([(SELF.to_owned(), entry)]) }),
    };
    Assembled { edition: Arc::new(edition), change }
}

struct Shelves<'a> {
    bodies: &'a Bodies,
    entries: Option<&'a BTreeMap<ledger::ResourceKey, ledger::Entry>>,
    before: Option<&'a Edition>,
    /// Kinds of which something came, changed or went.
    moved: BTreeSet<ResourceKind>,
    epoch: Epoch,
    serial: Serial,
}

impl Shelves<'_> {
    /// The shelf of one kind: the one before, if nothing on it changed.
    fn of(&self, kind: ResourceKind) -> Arc<Shelf> {
        if let Some(before) = self.before.filter(|_| !self.moved.contains(&kind)) {
            return Arc::clone(before.shelf(Topic::Resources(kind)));
        }
        let before = self.before.map(|before| before.shelf(Topic::Resources(kind)));
        let entries = self.bodies.of_kind(kind).map(|body| {
            let known = self.entries.and_then(|entries| entries.get(&(kind, body.name.to_string())));
            let known = known.copied().unwrap_or(ledger::Entry { digest: body.digest, serial: self.serial });
            let entry = Entry { token: known.token(self.epoch), digest: body.digest, body: body.bytes.clone() };
            // Editions that are kept share what they have in common.
            let same = before.and_then(|shelf| shelf.entries.get(&*body.name)).filter(|before| **before == entry);
            (body.name.to_string(), same.cloned().unwrap_or(entry))
        });
        Arc::new(Shelf { changed: self.serial, entries: entries.collect() })
    }
}

#[cfg(test)]
pub mod tests;
