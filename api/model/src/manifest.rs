//! The manifest: what a watcher must hold, exactly, before it may apply a snapshot.
//!
//! In: the names and content digests of all resources of one view. Out: one [`Part`] per kind and a digest over all.
//! Invariant: two sides that hold the same resources compute the same digest, in whatever order they got them.

use std::time::SystemTime;

use crate::digest::Digest;
use crate::resource::{Epoch, ResourceKind, Serial};

/// Features that a reader of this build obeys. A manifest that needs another one is refused, never half-obeyed.
pub const FEATURES: [&str; 0] = [];

/// Sent last; acknowledged means applied.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Manifest {
    pub epoch: Epoch,
    pub serial: Serial,
    pub digest: Digest,
    /// One per kind, in the order of [`ResourceKind::ALL`].
    pub parts: Vec<Part>,
    pub needs: Vec<String>,
    pub made_at: SystemTime,
    /// Why this snapshot exists, for people: `replica weather-1 is healthy`.
    pub reason: String,
    /// `canary` for those that try a candidate intent; empty for everybody else.
    pub lane: String,
}

/// How many resources of one kind there are, and a digest over their sorted names and contents.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    pub kind: ResourceKind,
    pub count: u32,
    pub digest: Digest,
}

/// The part of one kind. `resources` are (name, digest of the content), sorted by name.
pub fn part<'a>(kind: ResourceKind, resources: impl IntoIterator<Item = (&'a str, &'a Digest)>) -> Part {
    let mut fields: Vec<&[u8]> = Vec::new();
    let mut count = 0;
    for (name, content) in resources {
        fields.push(name.as_bytes());
        fields.push(content.as_bytes());
        count += 1;
    }
    Part { kind, count, digest: Digest::of_parts(fields) }
}

/// The digest of a whole snapshot, over its parts.
pub fn digest(parts: &[Part]) -> Digest {
    Digest::of_parts(parts.iter().flat_map(|part| [part.kind.as_str().as_bytes(), part.digest.as_bytes().as_slice()]))
}
