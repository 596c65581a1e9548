//! Seals bytes so that only who has the key can read, change or move them.
//!
//! In: a ring of keys, what the bytes are for, where they belong, chance. Out: a text `<key>.<sealed>` in base64url; or the bytes again.
//! How: AES-256-GCM under a key of its own for each seal, HMAC-SHA-256 of the ring's key over purpose and half of the chance. So much
//! chance never comes twice, however many proxies seal with one key for however long.
//! Never here: where chance comes from.
//! Invariant: a text that opens was sealed with a key of the ring, for the same purpose and place, and is the same to the last bit.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use outrigger_model::secret::{Keyring, SealKey};
use ring::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use ring::hmac;

/// For the key of the seal, and its nonce; it travels with the seal.
pub type Chance = [u8; CHANCE_BYTES];

const CHANCE_BYTES: usize = 24;
const TAG_BYTES: usize = 16;
/// Longest text that is opened. Beyond, nothing of ours can be in it.
const TEXT_BYTES_MAX: usize = 24 * 1024;

/// What is sealed; a seal of one kind is none of the other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// Session ids that clients hold.
    Id,
    /// Bindings in a store that we do not trust.
    Value,
}

impl Purpose {
    const fn label(self) -> &'static [u8] {
        match self {
            Self::Id => b"outrigger 1 session id ",
            Self::Value => b"outrigger 1 store value ",
        }
    }
}

/// Seals with the first key of the ring; none if it has none. `place` is not in the text, and must be the same to open it.
pub fn seal(ring: &Keyring, purpose: Purpose, place: &[u8], plain: &[u8], chance: Chance) -> Option<String> {
    let key = ring.sealing()?;
    let mut sealed = plain.to_vec();
    cipher(key, purpose, &chance)?.seal_in_place_append_tag(nonce(&chance)?, Aad::from(place), &mut sealed).ok()?;
    let mut bytes = Vec::with_capacity(CHANCE_BYTES + sealed.len());
    bytes.extend_from_slice(&chance);
    bytes.extend_from_slice(&sealed);
    let mut text = key_name(key);
    text.push('.');
    URL_SAFE_NO_PAD.encode_string(&bytes, &mut text);
    Some(text)
}

/// What was sealed; none for whatever is no seal of ours.
pub fn open(ring: &Keyring, purpose: Purpose, place: &[u8], text: &[u8]) -> Option<Vec<u8>> {
    if text.len() > TEXT_BYTES_MAX {
        return None;
    }
    let dot = memchr::memchr(b'.', text)?;
    let (name, sealed) = (text.get(..dot)?, text.get(dot + 1..)?);
    let key = ring.keys.iter().find(|key| key_name(key).as_bytes() == name)?;
    let mut bytes = URL_SAFE_NO_PAD.decode(sealed).ok()?;
    let (chance, sealed) = bytes.split_first_chunk_mut::<CHANCE_BYTES>()?;
    let plain = cipher(key, purpose, chance)?.open_in_place(nonce(chance)?, Aad::from(place), sealed).ok()?;
    Some(plain.to_vec())
}

/// How long the text of so many bytes is, under the first key of the ring.
pub fn text_len(ring: &Keyring, plain_len: usize) -> Option<usize> {
    let bytes = plain_len.checked_add(CHANCE_BYTES + TAG_BYTES)?;
    base64::encoded_len(bytes, false)?.checked_add(key_name(ring.sealing()?).len() + 1)
}

fn key_name(key: &SealKey) -> String {
    format!("{:x}", key.id)
}

fn cipher(key: &SealKey, purpose: Purpose, chance: &Chance) -> Option<LessSafeKey> {
    let (of_key, _) = chance.split_at(CHANCE_BYTES / 2);
    let mut context = hmac::Context::with_key(&hmac::Key::new(hmac::HMAC_SHA256, key.secret.expose()));
    context.update(purpose.label());
    context.update(of_key);
    UnboundKey::new(&AES_256_GCM, context.sign().as_ref()).ok().map(LessSafeKey::new)
}

fn nonce(chance: &Chance) -> Option<Nonce> {
    let (_, of_nonce) = chance.split_at(CHANCE_BYTES / 2);
    Nonce::try_assume_unique_for_key(of_nonce).ok()
}

#[cfg(test)]
mod tests;
