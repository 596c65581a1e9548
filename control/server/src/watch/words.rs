//! What readers write and read, whatever form it comes in.

use std::collections::BTreeSet;
use std::time::SystemTime;

use outrigger_model::resource::ResourceKind;
use outrigger_wire::error::DecodeError;
use outrigger_wire::manifest;

use crate::publish::edition::{Edition, SELF};

/// A type that there is none of.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is no type of resource; there are Settings, Keyring, Revocations, Agent, Capability, Pool, Endpoints and Route"
)]
pub struct UnknownType(String);

/// Names of types, each perhaps several with commas between them.
pub fn kinds<T: AsRef<str>>(lists: impl IntoIterator<Item = T>) -> Result<BTreeSet<ResourceKind>, UnknownType> {
    let mut kinds = BTreeSet::new();
    for list in lists {
        for name in list.as_ref().split(',').map(str::trim).filter(|name| !name.is_empty()) {
            let unknown = || UnknownType(name.chars().take(64).collect());
            kinds.insert(ResourceKind::parse(name).ok_or_else(unknown)?);
        }
    }
    Ok(kinds)
}

/// Why an edition was made, and when.
pub fn origin(edition: &Edition) -> Result<(String, SystemTime), DecodeError> {
    let body = edition.manifest.entries.get(SELF).map(|entry| &entry.body);
    let manifest = manifest::from_bytes(body.map_or(&[][..], |body| body))?;
    Ok((manifest.reason, manifest.made_at))
}
