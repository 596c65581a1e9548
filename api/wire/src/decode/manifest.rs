//! Protobuf → manifest.

use outrigger_model::manifest::{Manifest, Part};
use outrigger_model::resource::{Epoch, ResourceKind, Serial};

use super::field;
use crate::error::{DecodeError, Wrong, cut};
use crate::kind::{kind_of, type_url};
use crate::limit::FEATURES_MAX;
use crate::proto::snapshot as wire;

/// Every kind must be listed once, in the order of [`ResourceKind::ALL`]: a manifest that lists a kind we do not know
/// describes a snapshot that we cannot hold.
pub fn manifest(wire: wire::Manifest) -> Result<Manifest, DecodeError> {
    field::count("parts", wire.parts.len(), ResourceKind::ALL.len())?;
    field::count("needs", wire.needs.len(), FEATURES_MAX)?;
    let mut parts = Vec::with_capacity(ResourceKind::ALL.len());
    for (at, kind) in ResourceKind::ALL.into_iter().enumerate() {
        let wire = wire.parts.get(at).ok_or_else(|| DecodeError::item("parts", at, Wrong::Missing))?;
        parts.push(part(kind, wire).map_err(|bad| bad.inside_item("parts", at))?);
    }
    let wire::Origin { reason, lane } = wire.origin.unwrap_or_default();
    Ok(Manifest {
        epoch: Epoch(wire.epoch),
        serial: Serial(wire.serial),
        digest: field::digest("digest", &wire.digest)?,
        parts,
        needs: wire.needs,
        made_at: field::time("made_at", field::required("made_at", wire.made_at)?)?,
        reason,
        lane,
    })
}

fn part(kind: ResourceKind, wire: &wire::manifest::Part) -> Result<Part, DecodeError> {
    if kind_of(&wire.type_url).is_none() {
        return Err(DecodeError::field("type_url", Wrong::Type(cut(&wire.type_url))));
    }
    if wire.type_url != type_url(kind) {
        let wrong = Wrong::Other { found: wire.type_url.clone(), expected: type_url(kind).to_owned() };
        return Err(DecodeError::field("type_url", wrong));
    }
    Ok(Part { kind, count: wire.count, digest: field::digest("digest", &wire.digest)? })
}
