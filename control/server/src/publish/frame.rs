//! One discovery response as bytes, without its nonce: what many streams send alike is encoded once.
//!
//! In: an edition, a topic, names to send and to take back. Out: [`Frame`]s of about 1 MiB at most.
//! Never here: what to send; the engine decides that.
//! Invariant: a frame with a nonce appended is a valid `DeltaDiscoveryResponse`, because the order of protobuf fields is free.

use bytes::Bytes;
use outrigger_wire::kind::{MANIFEST_TYPE_URL, type_url};
use outrigger_wire::proto::discovery::{ControlPlane, DeltaDiscoveryResponse, Resource};
use prost::Message;
use prost_types::{Any, Duration};

use crate::publish::edition::{Edition, Entry, Shelf, Topic};

/// Many gRPC stacks stop at 4 MiB; a resource larger than this travels alone.
pub const FRAME_BYTES_MAX: usize = 1 << 20;
/// How long a client may believe in a Manifest that is not refreshed.
pub const MANIFEST_TTL_SECONDS: i64 = 30;
// Envelope of one resource: type URL, token and field tags.
const ENVELOPE_BYTES: usize = 128;

/// The bytes of one response, without its nonce.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Frame(pub Bytes);

/// The frames that carry these names; at least one, even if there is nothing to carry.
pub fn frames(edition: &Edition, topic: Topic, changed: &[String], removed: &[String]) -> Vec<Frame> {
    let shelf = edition.shelf(topic);
    let mut frames = Vec::new();
    let mut response = blank(edition, topic);
    let mut room = FRAME_BYTES_MAX;
    for name in changed {
        let Some(entry) = shelf.entries.get(name) else { continue };
        let resource = body(topic, name, entry);
        let size = entry.body.len() + name.len() + ENVELOPE_BYTES;
        if size > room && !response.resources.is_empty() {
            frames.push(Frame(response.encode_to_vec().into()));
            response = blank(edition, topic);
            room = FRAME_BYTES_MAX;
        }
        response.resources.push(resource);
        room = room.saturating_sub(size);
    }
    for name in removed {
        if name.len() + 8 > room {
            frames.push(Frame(response.encode_to_vec().into()));
            response = blank(edition, topic);
            room = FRAME_BYTES_MAX;
        }
        response.removed_resources.push(name.clone());
        room = room.saturating_sub(name.len() + 8);
    }
    frames.push(Frame(response.encode_to_vec().into()));
    frames
}

/// A resource by name and token only: it stands, and so does its time to live.
pub fn still_true(edition: &Edition, topic: Topic) -> Frame {
    let mut response = blank(edition, topic);
    let shelf: &Shelf = edition.shelf(topic);
    response.resources = shelf
        .entries
        .iter()
        .map(|(name, entry)| Resource {
            version: entry.token.to_string(),
            name: name.clone(),
            ttl: ttl(topic),
            ..Resource::default()
        })
        .collect();
    Frame(response.encode_to_vec().into())
}

fn body(topic: Topic, name: &str, entry: &Entry) -> Resource {
    Resource {
        version: entry.token.to_string(),
        resource: Some(Any { type_url: url(topic).to_owned(), value: entry.body.to_vec() }),
        name: name.to_owned(),
        ttl: ttl(topic),
        ..Resource::default()
    }
}

fn ttl(topic: Topic) -> Option<Duration> {
    (topic == Topic::Manifest).then_some(Duration { seconds: MANIFEST_TTL_SECONDS, nanos: 0 })
}

fn blank(edition: &Edition, topic: Topic) -> DeltaDiscoveryResponse {
    DeltaDiscoveryResponse {
        system_version_info: format!("{}@{}", edition.serial, edition.digest.short()),
        type_url: url(topic).to_owned(),
        control_plane: Some(ControlPlane {
            identifier: format!("outrigger-{}/{}", env!("CARGO_PKG_VERSION"), edition.epoch),
        }),
        ..DeltaDiscoveryResponse::default()
    }
}

const fn url(topic: Topic) -> &'static str {
    match topic {
        Topic::Resources(kind) => type_url(kind),
        Topic::Manifest => MANIFEST_TYPE_URL,
    }
}

#[cfg(test)]
mod tests;
