//! Keys made of the system's chance.
//!
//! In: the keys there are, the time. Out: what turned.
//! Invariant: where the system has no chance to give, no key is made, and it is asked again at the next turn.

use outrigger_control_core::keyring::{Keys, Turn};
use outrigger_control_core::moment::Now;
use outrigger_model::secret::Secret;
use ring::rand::{SecureRandom, SystemRandom};
use tracing::warn;

/// Everything that is due.
pub fn turn(keys: &mut Keys, now: Now) -> Vec<Turn> {
    let mut turns = keys.turn(now);
    if keys.is_due(now) {
        match secret() {
            Some(secret) => turns.extend(keys.add(secret, now)),
            None => warn!("the system has no chance to make a key of session ids of"),
        }
    }
    turns
}

pub fn secret() -> Option<Secret> {
    let mut bytes = [0; 32];
    SystemRandom::new().fill(&mut bytes).ok().map(|()| Secret::new(bytes))
}
