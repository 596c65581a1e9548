//! The set that is in use: what was last accepted, with the tokens to resume from.
//!
//! Invariant: never changed; a new one takes its place, and shares with it every kind that is the same.

use std::collections::HashMap;
use std::sync::Arc;

use outrigger_model::manifest::Manifest;
use outrigger_model::resource::ResourceKind;
use outrigger_model::snapshot::Snapshot;
use outrigger_wire::proto::discovery;

use crate::holding::Holding;

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
    pub held: Holding,
    /// What its watcher needed: serials are compared only within one view.
    pub view: Arc<str>,
    pub snapshot: Arc<Snapshot>,
}

impl Committed {
    /// Name → token of one kind, as a reconnecting watcher reports it.
    pub fn versions(&self, kind: ResourceKind) -> HashMap<String, String> {
        self.held.of_kind(kind).map(|held| (held.body.name.to_string(), held.token.to_string())).collect()
    }

    /// Everything in one message, for a file: the resources, then the manifest. `system_version_info` holds the view.
    pub fn message(&self) -> discovery::DeltaDiscoveryResponse {
        let resources = self.held.iter().map(|held| held.body.envelope(&held.token));
        let manifest = self.manifest.iter().map(|held| held.envelope.clone());
        discovery::DeltaDiscoveryResponse {
            resources: resources.chain(manifest).collect(),
            system_version_info: self.view.to_string(),
            ..discovery::DeltaDiscoveryResponse::default()
        }
    }
}
