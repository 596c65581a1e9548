//! Manifest → protobuf.

use outrigger_model::manifest::{Manifest, Part};

use super::field;
use crate::kind::type_url;
use crate::limit::REASON_CHARS_MAX;
use crate::proto::snapshot as wire;

pub fn manifest(manifest: &Manifest) -> wire::Manifest {
    wire::Manifest {
        epoch: manifest.epoch.0,
        serial: manifest.serial.0,
        digest: manifest.digest.as_bytes().to_vec(),
        parts: manifest.parts.iter().map(part).collect(),
        origin: Some(wire::Origin {
            reason: manifest.reason.chars().take(REASON_CHARS_MAX).collect(),
            lane: manifest.lane.clone(),
        }),
        needs: manifest.needs.clone(),
        made_at: Some(field::time(manifest.made_at)),
    }
}

fn part(part: &Part) -> wire::manifest::Part {
    wire::manifest::Part {
        type_url: type_url(part.kind).to_owned(),
        count: part.count,
        digest: part.digest.as_bytes().to_vec(),
    }
}
