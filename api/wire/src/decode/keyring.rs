//! Protobuf → keyring.

use outrigger_model::secret::{KEYS_HELD_MAX, Keyring, SealKey, Secret};

use super::field;
use crate::error::{DecodeError, Wrong};
use crate::proto::snapshot as wire;

pub fn keyring(wire: wire::Keyring) -> Result<Keyring, DecodeError> {
    field::count("keys", wire.keys.len(), KEYS_HELD_MAX)?;
    let mut keys: Vec<SealKey> = Vec::with_capacity(wire.keys.len());
    for (at, wire) in wire.keys.into_iter().enumerate() {
        let key = key(wire).map_err(|bad| bad.inside_item("keys", at))?;
        if keys.iter().any(|other| other.id == key.id) {
            return Err(DecodeError::item("keys", at, Wrong::Twice(key.id.to_string())));
        }
        keys.push(key);
    }
    Ok(Keyring { keys })
}

fn key(wire: wire::keyring::Key) -> Result<SealKey, DecodeError> {
    // The bytes themselves are in no error.
    let secret = <[u8; 32]>::try_from(wire.secret.as_slice())
        .map_err(|_| DecodeError::field("secret", Wrong::Secret(wire.secret.len())))?;
    let made = field::seconds("made_at", wire.made_at)?;
    Ok(SealKey { id: wire.id, secret: Secret::new(secret), made })
}
