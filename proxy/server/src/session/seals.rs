//! The keys that session ids are sealed with and opened: those that control shares, else one that only this proxy has.
//!
//! In: a world. Out: rings of keys, and chance for a seal.
//! Never here: what is in an id; the core knows.
//! Invariant: a mesh without shared keys seals, too. Its ids are of use at the proxy that made them, and only until it ends.

use std::sync::atomic::{AtomicBool, Ordering};

use outrigger_model::secret::{Keyring, SealKey, Secret};
use outrigger_proxy_core::session::seal::Chance;
use outrigger_proxy_core::world::table::World;
use ring::rand::{SecureRandom, SystemRandom};
use tracing::warn;

/// Control counts from one.
const OWN_KEY: u32 = 0;

pub struct Seals {
    own: Keyring,
    /// Whether it was said that control shares no keys.
    told: AtomicBool,
}

impl Seals {
    pub fn new() -> Self {
        let key = random().map(|bytes| SealKey { id: OWN_KEY, secret: Secret::new(bytes), made: 0 });
        Self { own: Keyring { keys: key.into_iter().collect() }, told: AtomicBool::new(false) }
    }

    /// What a new id is sealed with.
    pub fn sealing<'a>(&'a self, world: &'a World) -> &'a Keyring {
        let shared = world.keyring();
        if shared.sealing().is_some() {
            self.told.store(false, Ordering::Relaxed);
            return shared;
        }
        if !self.told.swap(true, Ordering::Relaxed) {
            warn!("control shares no keys; session ids are sealed with one of this proxy and end with it");
        }
        &self.own
    }

    /// What an id may have been sealed with.
    pub fn opening<'a>(&'a self, world: &'a World) -> [&'a Keyring; 2] {
        [world.keyring(), &self.own]
    }
}

impl Default for Seals {
    fn default() -> Self {
        Self::new()
    }
}

/// For one seal; none if the system has none to give.
pub fn chance() -> Option<Chance> {
    random()
}

fn random<const N: usize>() -> Option<[u8; N]> {
    let mut bytes = [0; N];
    SystemRandom::new().fill(&mut bytes).ok().map(|()| bytes)
}
