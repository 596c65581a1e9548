//! Keyring → protobuf.

use outrigger_model::secret::{Keyring, SealKey};

use super::field;
use crate::proto::snapshot as wire;

pub fn keyring(keyring: &Keyring) -> wire::Keyring {
    wire::Keyring { keys: keyring.keys.iter().map(key).collect() }
}

fn key(key: &SealKey) -> wire::keyring::Key {
    let (secret, made_at) = (key.secret.expose().to_vec(), Some(field::seconds(key.made)));
    wire::keyring::Key { id: key.id, secret, made_at }
}
