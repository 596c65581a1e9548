//! The manifest of a set of bodies: made by the publisher, held against the own set by the watcher.

use std::time::SystemTime;

use outrigger_model::manifest::{FEATURES, Manifest, Part, digest};
use outrigger_model::resource::{Epoch, Serial, Token};
use prost::Message;

use crate::body::Bodies;
use crate::error::{DecodeError, Wrong, cut};
use crate::kind::{MANIFEST, MANIFEST_TYPE_URL, SELF};
use crate::limit::BODY_BYTES_MAX;
use crate::proto::{discovery, snapshot};
use crate::{decode, encode};

/// The manifest of a snapshot that consists of exactly `bodies`.
pub fn of(bodies: &Bodies, epoch: Epoch, serial: Serial, made_at: SystemTime, reason: &str) -> Manifest {
    let parts = bodies.parts();
    let (needs, reason, lane) = (Vec::new(), reason.to_owned(), String::new());
    Manifest { epoch, serial, digest: digest(&parts), parts, needs, made_at, reason, lane }
}

/// The bytes of a manifest.
pub fn to_bytes(manifest: &Manifest) -> Vec<u8> {
    encode::manifest::manifest(manifest).encode_to_vec()
}

/// The token under which a manifest travels: its serial is its own, its hash that of the whole snapshot.
pub fn token(manifest: &Manifest) -> Token {
    Token::new(manifest.epoch, manifest.serial, &manifest.digest)
}

/// The envelope of a manifest.
pub fn envelope(manifest: &Manifest) -> discovery::Resource {
    discovery::Resource {
        version: token(manifest).to_string(),
        name: SELF.to_owned(),
        resource: Some(prost_types::Any { type_url: MANIFEST_TYPE_URL.to_owned(), value: to_bytes(manifest) }),
        ..discovery::Resource::default()
    }
}

/// Reads a manifest. Error paths start at `Manifest/self`.
pub fn from_bytes(bytes: &[u8]) -> Result<Manifest, DecodeError> {
    let read = || {
        if bytes.len() > BODY_BYTES_MAX {
            return Err(DecodeError::here(Wrong::Large { bytes: bytes.len(), max: BODY_BYTES_MAX }));
        }
        let wire = snapshot::Manifest::decode(bytes).map_err(|bad| DecodeError::here(Wrong::Bytes(bad)))?;
        decode::manifest::manifest(wire)
    };
    read().map_err(inside_manifest)
}

/// Whether a set with these parts is exactly what the manifest lists, and whether this build can obey it.
pub fn verify(manifest: &Manifest, held: &[Part]) -> Result<(), DecodeError> {
    check(manifest, held).map_err(inside_manifest)
}

fn check(manifest: &Manifest, held: &[Part]) -> Result<(), DecodeError> {
    if let Some((at, need)) = manifest.needs.iter().enumerate().find(|(_, need)| !FEATURES.contains(&need.as_str())) {
        return Err(DecodeError::item("needs", at, Wrong::Feature(cut(need))));
    }
    for (at, listed) in manifest.parts.iter().enumerate() {
        match held.get(at) {
            Some(held) if held == listed => {}
            Some(held) => {
                let text = format!(
                    "{} {} with digest {} are listed, {} with digest {} are held",
                    listed.count,
                    listed.kind,
                    listed.digest.short(),
                    held.count,
                    held.digest.short()
                );
                return Err(DecodeError::item("parts", at, Wrong::Mismatch(text)));
            }
            None => {
                return Err(DecodeError::item("parts", at, Wrong::Mismatch(format!("no {} are held", listed.kind))));
            }
        }
    }
    let whole = digest(held);
    if whole != manifest.digest {
        let text = format!("{} is listed, {} is held", manifest.digest.short(), whole.short());
        return Err(DecodeError::field("digest", Wrong::Mismatch(text)));
    }
    Ok(())
}

fn inside_manifest(bad: DecodeError) -> DecodeError {
    bad.inside_resource(MANIFEST, SELF)
}

#[cfg(test)]
mod tests;
