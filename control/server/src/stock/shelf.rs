//! Standard resources ready to send, by kind and name, as all clients of one view are told them.
//!
//! Invariant: nothing changes an edition; equal content keeps its token, and a token of one content is never that of another.

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Bytes;
use outrigger_model::digest::Digest;
use outrigger_model::resource::{Epoch, Serial, Token};

use crate::stock::kind::Kind;

/// One resource.
#[derive(Debug, PartialEq, Eq)]
pub struct Resource {
    pub name: Arc<str>,
    pub token: Token,
    /// The protobuf, without its envelope.
    pub body: Bytes,
    /// The clusters that it sends calls to.
    pub leads_to: Vec<Arc<str>>,
}

/// All resources of one kind.
#[derive(Debug, PartialEq, Eq)]
pub struct Shelf {
    /// Of the last change on it: what state-of-the-world clients know it by.
    pub version: Token,
    pub resources: BTreeMap<Arc<str>, Arc<Resource>>,
}

/// All shelves of one view at one serial.
#[derive(Debug)]
pub struct Edition {
    pub epoch: Epoch,
    pub serial: Serial,
    shelves: [Arc<Shelf>; Kind::ALL.len()],
}

impl Edition {
    /// `shelf` is asked once for each kind.
    pub fn new(epoch: Epoch, serial: Serial, shelf: impl FnMut(Kind) -> Arc<Shelf>) -> Self {
        Self { epoch, serial, shelves: Kind::ALL.map(shelf) }
    }

    pub fn shelf(&self, kind: Kind) -> &Arc<Shelf> {
        let [clusters, endpoints, secrets, listeners, routes] = &self.shelves;
        match kind {
            Kind::Cluster => clusters,
            Kind::Endpoints => endpoints,
            Kind::Secret => secrets,
            Kind::Listener => listeners,
            Kind::Route => routes,
        }
    }
}

impl Shelf {
    pub fn new(epoch: Epoch, serial: Serial, resources: impl IntoIterator<Item = Arc<Resource>>) -> Self {
        let resources: BTreeMap<_, _> = resources.into_iter().map(|it| (Arc::clone(&it.name), it)).collect();
        let parts = resources.values().flat_map(|it| [it.name.as_bytes(), it.body.as_ref()]);
        let digest = Digest::of_parts(parts);
        Self { version: Token::new(epoch, serial, &digest), resources }
    }

    pub fn get(&self, name: &str) -> Option<&Arc<Resource>> {
        self.resources.get(name)
    }
}
