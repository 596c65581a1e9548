//! A control in small, for tests: made-up contents, the real ledger, and a store that survives its restarts.
//!
//! In: edits, restarts, backups. Out: the editions of one view.
//! Invariant: what the store may have lost in a crash is only what it may lose in earnest: the last change of the ledger.

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Bytes;
use outrigger_control_core::snapshot::ledger::{Ledger, LedgerChange, View};
use outrigger_control_core::snapshot::scope::ViewKey;
use outrigger_model::digest::Digest;
use outrigger_model::resource::{Epoch, ResourceKind, Serial, Token};

use crate::publish::edition::{Edition, Entry, SELF, Shelf, Topic};

/// What a store holds.
#[derive(Debug, Clone, Default)]
pub struct Stored {
    pub contents: BTreeMap<(ResourceKind, String), String>,
    serial: u64,
    ledger: Ledger,
}

#[derive(Debug)]
pub struct Desk {
    epoch: u32,
    pub now: Stored,
    /// Published, and not yet in the ledger of the store.
    unstored: Option<LedgerChange>,
    ledger_stored: Ledger,
    edition: Option<Arc<Edition>>,
    /// What the ledger knew of the view before this process made it.
    before: Option<View>,
}

impl Desk {
    /// One that has published nothing yet.
    pub fn open() -> Self {
        let (now, ledger_stored) = (Stored::default(), Ledger::default());
        let mut desk = Self { epoch: 1, now, unstored: None, ledger_stored, edition: None, before: None };
        desk.start();
        desk
    }

    pub fn put(&mut self, kind: ResourceKind, name: &str, content: &str) -> &mut Self {
        self.now.contents.insert((kind, name.to_owned()), content.to_owned());
        self
    }

    pub fn take(&mut self, kind: ResourceKind, name: &str) -> &mut Self {
        self.now.contents.remove(&(kind, name.to_owned()));
        self
    }

    pub fn newest(&self) -> Arc<Edition> {
        Arc::clone(self.edition.as_ref().unwrap())
    }

    pub fn before(&self) -> Option<&View> {
        self.before.as_ref()
    }

    /// The next snapshot, if there is anything new.
    pub fn publish(&mut self) -> Arc<Edition> {
        self.now.serial += 1;
        self.make();
        self.newest()
    }

    /// The process dies and comes back on the same store.
    pub fn restart(&mut self, loses_last_change: bool) {
        if !loses_last_change {
            self.store();
        }
        self.unstored = None;
        self.now.ledger = self.ledger_stored.clone();
        self.start();
    }

    pub fn backup(&self) -> Stored {
        Stored { ledger: self.ledger_stored.clone(), ..self.now.clone() }
    }

    /// The process comes back on what was kept aside.
    pub fn restore(&mut self, backup: &Stored) {
        self.epoch += 1;
        self.unstored = None;
        self.now = backup.clone();
        self.ledger_stored = backup.ledger.clone();
        self.start();
    }

    fn start(&mut self) {
        self.edition = None;
        self.before = self.now.ledger.view(&ViewKey::base()).cloned();
        self.make();
    }

    fn store(&mut self) {
        if let Some(change) = self.unstored.take() {
            self.ledger_stored.repeat(&change);
        }
    }

    fn make(&mut self) {
        self.store();
        let digests = self.now.contents.iter().map(|((kind, name), content)| {
            let content = format!("{}/{name}: {content}", kind.as_str());
            ((*kind, name.clone()), (Digest::of(content.as_bytes()), content))
        });
        let digests: BTreeMap<_, _> = digests.collect();
        let content = digests.iter().map(|((kind, name), (digest, _))| (*kind, name.as_str(), *digest));
        let (key, serial) = (ViewKey::base(), Serial(self.now.serial));
        let change = self.now.ledger.advance(&key, content, serial);
        let serial = change.serial;
        let is_same = change.is_empty() && self.edition.is_some();
        self.unstored = Some(change);
        if is_same {
            return;
        }
        let epoch = Epoch(self.epoch);
        let known = self.now.ledger.view(&key).unwrap();
        let shelf = |kind: ResourceKind| {
            let of_kind = digests.iter().filter(|((of, _), _)| *of == kind);
            let entries = of_kind.map(|((_, name), (digest, content))| {
                let token = known.entries[&(kind, name.clone())].token(epoch);
                (name.clone(), Entry { token, digest: *digest, body: Bytes::from(content.clone()) })
            });
            let entries: BTreeMap<_, _> = entries.collect();
            let before = self.edition.as_ref().map(|edition| edition.shelf(Topic::Resources(kind)));
            let same = before.filter(|before| before.entries == entries);
            same.cloned().unwrap_or_else(|| Arc::new(Shelf { changed: serial, entries }))
        };
        let all: Vec<u8> = digests.values().flat_map(|(digest, _)| *digest.as_bytes()).collect();
        let digest = Digest::of(&all);
        let manifest = Entry { token: Token::new(epoch, serial, &digest), digest, body: Bytes::from(all) };
        let manifest = Shelf { changed: serial, entries: BTreeMap::from([(SELF.to_owned(), manifest)]) };
        let edition = Edition {
            epoch,
            serial,
            digest,
            settings: shelf(ResourceKind::Settings),
            keyring: shelf(ResourceKind::Keyring),
            revocations: shelf(ResourceKind::Revocations),
            agents: shelf(ResourceKind::Agent),
            capabilities: shelf(ResourceKind::Capability),
            pools: shelf(ResourceKind::Pool),
            endpoints: shelf(ResourceKind::Endpoints),
            routes: shelf(ResourceKind::Route),
            wirings: shelf(ResourceKind::Wiring),
            manifest: Arc::new(manifest),
        };
        self.edition = Some(Arc::new(edition));
    }
}

/// Tells which seed it was when a test fails while it is there.
pub struct Seed(pub u64);

impl Drop for Seed {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("the failing seed is {}", self.0);
        }
    }
}

/// Seeds to run: as many as said, or as `OUTRIGGER_SEEDS` says.
pub fn seeds(count: u64) -> impl Iterator<Item = Seed> {
    let said = std::env::var("OUTRIGGER_SEEDS").ok().and_then(|text| text.parse().ok());
    (0..said.unwrap_or(count)).map(Seed)
}
