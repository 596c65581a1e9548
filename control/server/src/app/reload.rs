//! What of a changed configuration a running control can go by, and what takes a restart.
//!
//! In: the settings it runs with, and those of the file as it is now. Out: nothing, or the first key that cannot change.
//! Invariant: a file is taken as a whole or not at all.

use crate::config::settings::Settings;
use crate::writer::{Declared, NotPublished};

/// Why everything stays as it was.
#[derive(Debug, thiserror::Error)]
pub enum ReloadError {
    #[error("`{0}` changes with a restart only; nothing of the file was taken")]
    Fixed(&'static str),
    #[error(transparent)]
    NotPublished(#[from] NotPublished),
}

/// Whether all that differs may change now.
pub fn check(now: &Settings, wanted: &Settings) -> Result<(), ReloadError> {
    let identity = |settings: &Settings| settings.material.as_ref().map(|material| material.id().clone());
    let fixed = [
        ("listen.grpc", now.grpc == wanted.grpc),
        ("listen.http", now.http == wanted.http),
        ("store", now.store == wanted.store),
        ("identity", identity(now) == identity(wanted)),
        ("insecure", now.is_insecure == wanted.is_insecure),
        ("relay", now.is_relaying == wanted.is_relaying),
        ("lease", now.rules.lease == wanted.rules.lease),
        ("log.format", now.log.format == wanted.log.format),
    ];
    match fixed.iter().find(|(_, is_same)| !is_same) {
        Some((key, _)) => Err(ReloadError::Fixed(key)),
        None => Ok(()),
    }
}

impl From<&Settings> for Declared {
    fn from(settings: &Settings) -> Self {
        Self { document: settings.declared.clone(), rules: settings.rules.clone() }
    }
}
