//! Keys that all proxies of a mesh share, for sealing what they hand to clients and to stores.
//!
//! In: random bytes, made by control. Out: a [`Keyring`], the key that seals first.
//! Invariant: no text of any kind, `Debug` included, shows the bytes of a key.

use std::fmt;

/// Most keys of a ring: the one in use, and those whose seals are still about.
pub const KEYS_HELD_MAX: usize = 8;

/// 256 bits.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret([u8; 32]);

/// One key, and the number by which a seal names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SealKey {
    /// Unique in the ring; never reused in one mesh.
    pub id: u32,
    pub secret: Secret,
    /// When it was made, in seconds since 1970.
    pub made: u64,
}

/// The first seals, all open. A new key is shared before it comes first, so that whoever meets a seal of it can open it. Empty where control
/// shares none.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Keyring {
    pub keys: Vec<SealKey>,
}

impl Secret {
    pub const fn new(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    pub const fn expose(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("(secret)")
    }
}

impl Keyring {
    /// The key that seals.
    pub fn sealing(&self) -> Option<&SealKey> {
        self.keys.first()
    }

    pub fn key(&self, id: u32) -> Option<&SealKey> {
        self.keys.iter().find(|key| key.id == id)
    }
}
