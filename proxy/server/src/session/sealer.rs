//! Seals what a shared store keeps: who runs the store can lose values, and neither read, change nor swap them.
//!
//! In: a value as [`redis`](super::redis) writes it, the name it is kept under. Out: the value as it lies in the store, and back.
//! What decides which of two values counts (form, moves, replica, generation, mark of the id, last use) stays readable for the store, and cannot be changed: it is
//! part of the seal, as the name is.
//! Invariant: where keys are shared, a value that is not sealed with one of them for this very name is no value.

use std::borrow::Cow;
use std::sync::Arc;

use outrigger_proxy_core::session::seal::{self, Purpose};

use super::seals;
use super::store::StoreError;
use crate::snapshot::worlds::Worlds;

/// Before what is sealed; nothing that is not begins with it.
const MARK: u8 = b'~';
/// Form, moves, replica, generation, mark of the id, last use.
const WORDS_OPEN: usize = 6;

/// Seals with the keys of the world in use; without a world, with none.
#[derive(Clone, Default)]
pub struct Sealer(Option<Arc<Worlds>>);

impl Sealer {
    pub fn of(worlds: Arc<Worlds>) -> Self {
        Self(Some(worlds))
    }

    /// As it is to lie in the store. Without keys it lies there as it is.
    pub fn close(&self, name: &str, value: Vec<u8>) -> Result<Vec<u8>, StoreError> {
        let Some(world) = self.0.as_ref().map(|worlds| worlds.current()) else { return Ok(value) };
        if world.keyring().sealing().is_none() {
            return Ok(value);
        }
        let (open, rest) = split(&value).ok_or(StoreError::Seal)?;
        let chance = seals::chance().ok_or(StoreError::Seal)?;
        let sealed = seal::seal(world.keyring(), Purpose::Value, &place(name, open), rest, chance);
        Ok([open, &[MARK], sealed.ok_or(StoreError::Seal)?.as_bytes()].concat())
    }

    /// As it was before it was closed; none for what nobody closed so.
    pub fn open<'v>(&self, name: &str, value: &'v [u8]) -> Option<Cow<'v, [u8]>> {
        let world = self.0.as_ref().map(|worlds| worlds.current());
        let ring = world.as_ref().map(|world| world.keyring()).filter(|ring| ring.sealing().is_some());
        let Some(ring) = ring else { return Some(Cow::Borrowed(value)) };
        let (open, rest) = split(value)?;
        let sealed = rest.strip_prefix(&[MARK])?;
        let rest = seal::open(ring, Purpose::Value, &place(name, open), sealed)?;
        Some(Cow::Owned([open, &rest].concat()))
    }
}

fn place(name: &str, open: &[u8]) -> Vec<u8> {
    // No name holds a zero byte.
    [name.as_bytes(), b"\0", open].concat()
}

fn split(value: &[u8]) -> Option<(&[u8], &[u8])> {
    let at = memchr::memchr_iter(b' ', value).nth(WORDS_OPEN - 1)?;
    value.split_at_checked(at + 1)
}

#[cfg(test)]
mod tests;
