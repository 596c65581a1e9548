//! Puts together what another replica made: the edition of a view as the store holds it.
//!
//! In: the edition held so far, what the store has that is newer. Out: the next edition, byte for byte the one that the leader sends.
//! Invariant: an edition is served only if it adds up to what its manifest lists.

use std::collections::BTreeMap;
use std::sync::Arc;

use outrigger_control_core::snapshot::ledger;
use outrigger_model::manifest::{Part, part};
use outrigger_model::resource::{Epoch, ResourceKind, Serial};
use outrigger_wire::error::DecodeError;
use outrigger_wire::manifest;

use crate::publish::edition::{Edition, Entry, SELF, Shelf, Topic};
use crate::store::Served;

#[derive(Debug, thiserror::Error)]
pub enum Unsound {
    #[error("its manifest is of epoch {0} and serial {1}, and the store says otherwise")]
    Other(Epoch, Serial),
    #[error("it does not add up")]
    Sum(#[from] DecodeError),
}

pub fn edition(before: Option<&Edition>, served: Served) -> Result<Edition, Unsound> {
    let Served { view: _, epoch, serial, manifest: bytes, is_whole, changed, names } = served;
    let listed = manifest::from_bytes(&bytes)?;
    if (listed.epoch, listed.serial) != (epoch, serial) {
        return Err(Unsound::Other(listed.epoch, listed.serial));
    }
    let mut kinds: BTreeMap<ResourceKind, BTreeMap<String, Entry>> = BTreeMap::new();
    for ((kind, name), (ledger::Entry { digest, serial }, body)) in changed {
        let token = ledger::Entry { digest, serial }.token(epoch);
        kinds.entry(kind).or_default().insert(name, Entry { token, digest, body: body.into() });
    }
    let names = names.map(by_kind);
    let before = before.filter(|_| !is_whole);
    let shelf = |kind: ResourceKind| {
        let old = before.map(|before| before.shelf(Topic::Resources(kind)));
        let new = kinds.get(&kind);
        let names = names.as_ref().map(|names| names.get(&kind).cloned().unwrap_or_default());
        next(old, new, names.as_deref(), serial)
    };
    let token = manifest::token(&listed);
    let own = Entry { token, digest: listed.digest, body: bytes.into() };
    let edition = Edition {
        epoch,
        serial,
        digest: listed.digest,
        settings: shelf(ResourceKind::Settings),
        keyring: shelf(ResourceKind::Keyring),
        revocations: shelf(ResourceKind::Revocations),
        agents: shelf(ResourceKind::Agent),
        capabilities: shelf(ResourceKind::Capability),
        pools: shelf(ResourceKind::Pool),
        endpoints: shelf(ResourceKind::Endpoints),
        routes: shelf(ResourceKind::Route),
        wirings: shelf(ResourceKind::Wiring),
        manifest: Arc::new(Shelf { changed: serial, entries: BTreeMap::from([(SELF.to_owned(), own)]) }),
    };
    manifest::verify(&listed, &parts(&edition))?;
    Ok(edition)
}

/// Sorted, so that they can be searched.
fn by_kind(names: Vec<ledger::ResourceKey>) -> BTreeMap<ResourceKind, Vec<String>> {
    let mut kinds: BTreeMap<ResourceKind, Vec<String>> = BTreeMap::new();
    for (kind, name) in names {
        kinds.entry(kind).or_default().push(name);
    }
    kinds.values_mut().for_each(|names| names.sort_unstable());
    kinds
}

/// The shelf of one kind: the one before, if nothing on it changed.
fn next(
    old: Option<&Arc<Shelf>>,
    new: Option<&BTreeMap<String, Entry>>,
    names: Option<&[String]>,
    serial: Serial,
) -> Arc<Shelf> {
    let is_gone = |name: &String| names.is_some_and(|names| names.binary_search(name).is_err());
    if let Some(old) = old.filter(|old| new.is_none() && !old.entries.keys().any(is_gone)) {
        return Arc::clone(old);
    }
    let mut entries = old.map(|old| old.entries.clone()).unwrap_or_default();
    entries.retain(|name, _| !is_gone(name));
    entries.extend(new.into_iter().flatten().map(|(name, entry)| (name.clone(), entry.clone())));
    Arc::new(Shelf { changed: serial, entries })
}

fn parts(edition: &Edition) -> Vec<Part> {
    let of = |kind| {
        let shelf = edition.shelf(Topic::Resources(kind));
        part(kind, shelf.entries.iter().map(|(name, entry)| (name.as_str(), &entry.digest)))
    };
    ResourceKind::ALL.into_iter().map(of).collect()
}

#[cfg(test)]
mod tests;
