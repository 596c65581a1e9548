//! The set that is in use: what was last accepted, with the tokens to resume from.
//!
//! Invariant: never changed; a new one takes its place.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use outrigger_model::manifest::{Manifest, Part, part};
use outrigger_model::resource::{ResourceKind, Token};
use outrigger_model::snapshot::Snapshot;
use outrigger_wire::body::Body;
use outrigger_wire::proto::discovery;

/// Kind and name of a resource.
pub type Key = (ResourceKind, Arc<str>);

/// One resource as it was received.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Held {
    pub token: Token,
    pub body: Body,
}

/// A manifest as it was received.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HeldManifest {
    pub manifest: Manifest,
    /// The envelope, so that a file holds what control sent.
    pub envelope: discovery::Resource,
}

/// An accepted snapshot; empty before the first.
#[derive(Debug, Clone, Default)]
pub struct Committed {
    pub manifest: Option<HeldManifest>,
    pub held: BTreeMap<Key, Held>,
    /// What its watcher needed: serials are compared only within one view.
    pub view: Arc<str>,
    pub snapshot: Arc<Snapshot>,
}

impl Committed {
    /// Name → token of one kind, as a reconnecting watcher reports it.
    pub fn versions(&self, kind: ResourceKind) -> HashMap<String, String> {
        self.of_kind(kind).map(|held| (held.body.name.to_string(), held.token.to_string())).collect()
    }

    /// The manifest's parts for this set.
    pub fn parts(&self) -> Vec<Part> {
        let part_of = |kind| part(kind, self.of_kind(kind).map(|held| (&*held.body.name, &held.body.digest)));
        ResourceKind::ALL.into_iter().map(part_of).collect()
    }

    /// Everything in one message, for a file: the resources, then the manifest. `system_version_info` holds the view.
    pub fn message(&self) -> discovery::DeltaDiscoveryResponse {
        let resources = self.held.values().map(|held| held.body.envelope(&held.token));
        let manifest = self.manifest.iter().map(|held| held.envelope.clone());
        discovery::DeltaDiscoveryResponse {
            resources: resources.chain(manifest).collect(),
            system_version_info: self.view.to_string(),
            ..discovery::DeltaDiscoveryResponse::default()
        }
    }

    fn of_kind(&self, kind: ResourceKind) -> impl Iterator<Item = &Held> {
        let first: Key = (kind, Arc::from(""));
        self.held.range(first..).map(|(_, held)| held).take_while(move |held| held.body.kind == kind)
    }
}
