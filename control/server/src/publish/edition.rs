//! A snapshot as one view gets it: every resource encoded, with its token, by topic and name.
//!
//! In: encoded resources. Out: shelves that streams compare and send from.
//! Invariant: nothing changes an edition; one that follows shares the shelves that did not change.

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Bytes;
use outrigger_model::digest::Digest;
use outrigger_model::resource::{Epoch, ResourceKind, Serial, Token};

/// The name of resources of which a view has exactly one.
pub const SELF: &str = "self";

/// What one subscription is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Topic {
    Resources(ResourceKind),
    /// Sent last: it says what the others must add up to.
    Manifest,
}

/// One resource, ready to send.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    pub token: Token,
    pub digest: Digest,
    /// The protobuf of the resource, without its envelope.
    pub body: Bytes,
}

/// All resources of one topic.
#[derive(Debug, PartialEq, Eq)]
pub struct Shelf {
    /// The snapshot in which anything on it last changed; within one view it names the content.
    pub changed: Serial,
    pub entries: BTreeMap<String, Entry>,
}

/// All shelves of one view at one serial.
#[derive(Debug)]
pub struct Edition {
    pub epoch: Epoch,
    pub serial: Serial,
    /// Of the whole snapshot, as its Manifest says.
    pub digest: Digest,
    pub settings: Arc<Shelf>,
    pub keyring: Arc<Shelf>,
    pub revocations: Arc<Shelf>,
    pub agents: Arc<Shelf>,
    pub capabilities: Arc<Shelf>,
    pub pools: Arc<Shelf>,
    pub endpoints: Arc<Shelf>,
    pub routes: Arc<Shelf>,
    pub wirings: Arc<Shelf>,
    pub manifest: Arc<Shelf>,
}

impl Topic {
    /// In the order in which they are sent.
    pub const ALL: [Self; 10] = [
        Self::Resources(ResourceKind::Settings),
        Self::Resources(ResourceKind::Keyring),
        Self::Resources(ResourceKind::Revocations),
        Self::Resources(ResourceKind::Agent),
        Self::Resources(ResourceKind::Capability),
        Self::Resources(ResourceKind::Pool),
        Self::Resources(ResourceKind::Endpoints),
        Self::Resources(ResourceKind::Route),
        Self::Resources(ResourceKind::Wiring),
        Self::Manifest,
    ];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Resources(kind) => kind.as_str(),
            Self::Manifest => "Manifest",
        }
    }
}

impl Shelf {
    pub fn token(&self, name: &str) -> Option<Token> {
        self.entries.get(name).map(|entry| entry.token)
    }
}

impl Edition {
    pub fn shelf(&self, topic: Topic) -> &Arc<Shelf> {
        match topic {
            Topic::Resources(ResourceKind::Settings) => &self.settings,
            Topic::Resources(ResourceKind::Keyring) => &self.keyring,
            Topic::Resources(ResourceKind::Revocations) => &self.revocations,
            Topic::Resources(ResourceKind::Agent) => &self.agents,
            Topic::Resources(ResourceKind::Capability) => &self.capabilities,
            Topic::Resources(ResourceKind::Pool) => &self.pools,
            Topic::Resources(ResourceKind::Endpoints) => &self.endpoints,
            Topic::Resources(ResourceKind::Route) => &self.routes,
            Topic::Resources(ResourceKind::Wiring) => &self.wirings,
            Topic::Manifest => &self.manifest,
        }
    }
}
