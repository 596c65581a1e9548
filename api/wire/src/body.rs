//! Encoded resources: what a publisher sends and a watcher holds, digest by digest the same on both sides.

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Bytes;
use outrigger_model::digest::Digest;
use outrigger_model::manifest::{Part, part};
use outrigger_model::resource::{ResourceKind, Token};
use outrigger_model::snapshot::Kinds;

use crate::error::DecodeError;
use crate::kind::type_url;
use crate::proto::discovery;
use crate::resource::{Resource, all};

/// One resource as bytes. Cloning shares them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Body {
    pub kind: ResourceKind,
    pub name: Arc<str>,
    pub bytes: Bytes,
    /// Over `bytes`.
    pub digest: Digest,
}

/// A set of bodies by kind and name.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Bodies(BTreeMap<(ResourceKind, Arc<str>), Body>);

/// A body under the name of its type.
pub fn any(kind: ResourceKind, bytes: &Bytes) -> prost_types::Any {
    prost_types::Any { type_url: type_url(kind).to_owned(), value: bytes.to_vec() }
}

impl Body {
    /// Bytes as they came from a peer or a file; they are not read here.
    pub fn from_bytes(kind: ResourceKind, name: &str, bytes: Bytes) -> Self {
        let digest = Digest::of(&bytes);
        Self { kind, name: Arc::from(name), bytes, digest }
    }

    pub fn decode(&self) -> Result<Resource, DecodeError> {
        Resource::decode(self.kind, &self.name, &self.bytes)
    }

    /// The envelope in which it travels, under the token that its publisher gave it.
    pub fn envelope(&self, token: &Token) -> discovery::Resource {
        discovery::Resource {
            version: token.to_string(),
            name: self.name.to_string(),
            resource: Some(any(self.kind, &self.bytes)),
            ..discovery::Resource::default()
        }
    }
}

impl From<&Resource> for Body {
    fn from(resource: &Resource) -> Self {
        Self::from_bytes(resource.kind(), resource.name(), resource.encode().into())
    }
}

impl Bodies {
    /// Encodes a whole set.
    pub fn of(resources: impl Into<Kinds>) -> Self {
        all(&resources.into()).map(|resource| Body::from(&resource)).collect()
    }

    pub fn insert(&mut self, body: Body) -> Option<Body> {
        self.0.insert((body.kind, body.name.clone()), body)
    }

    pub fn remove(&mut self, kind: ResourceKind, name: &str) -> Option<Body> {
        self.0.remove(&(kind, Arc::from(name)))
    }

    pub fn get(&self, kind: ResourceKind, name: &str) -> Option<&Body> {
        self.0.get(&(kind, Arc::from(name)))
    }

    /// All of them, kind by kind in sending order, sorted by name.
    pub fn iter(&self) -> impl Iterator<Item = &Body> {
        self.0.values()
    }

    pub fn of_kind(&self, kind: ResourceKind) -> impl Iterator<Item = &Body> {
        let first = (kind, Arc::from(""));
        self.0.range(first..).map(|(_, body)| body).take_while(move |body| body.kind == kind)
    }

    pub fn len(&self) -> usize {
        self.0.len()
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The manifest's part of one kind.
    pub fn part(&self, kind: ResourceKind) -> Part {
        part(kind, self.of_kind(kind).map(|body| (&*body.name, &body.digest)))
    }

    /// The manifest's parts of all kinds, in order.
    pub fn parts(&self) -> Vec<Part> {
        ResourceKind::ALL.into_iter().map(|kind| self.part(kind)).collect()
    }

    /// Reads every body.
    pub fn decode(&self) -> Result<Kinds, DecodeError> {
        let mut resources = Kinds::default();
        for body in self.iter() {
            body.decode()?.put(&mut resources);
        }
        Ok(resources)
    }
}

impl FromIterator<Body> for Bodies {
    fn from_iter<I: IntoIterator<Item = Body>>(bodies: I) -> Self {
        Self(bodies.into_iter().map(|body| ((body.kind, body.name.clone()), body)).collect())
    }
}
