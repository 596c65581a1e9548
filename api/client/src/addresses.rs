//! Where control is reached, when there are several replicas of it: in an order of chance, one for as long as it serves.
//!
//! In: the addresses, and which of them failed or was named. Out: the one to use.
//! Never here: sockets.
//! Invariant: every address is tried before one is tried again, and only addresses of the list are ever used.

use std::sync::Arc;

#[derive(Debug, Clone)]
pub struct Addresses {
    all: Arc<[String]>,
    at: usize,
}

impl Addresses {
    /// None: there is no address.
    pub fn new(mut all: Vec<String>, chance: &mut fastrand::Rng) -> Option<Self> {
        chance.shuffle(&mut all);
        (!all.is_empty()).then(|| Self { all: all.into(), at: 0 })
    }

    /// The one to use.
    pub fn current(&self) -> &str {
        self.all.get(self.at).map_or("", String::as_str)
    }

    /// It failed, or its control sent us away.
    pub fn next(&mut self) {
        self.at = (self.at + 1) % self.all.len().max(1);
    }

    /// Uses this one, if it is of the list; else the next.
    pub fn go_to(&mut self, address: &str) {
        match self.all.iter().position(|known| known == address) {
            Some(at) => self.at = at,
            None => self.next(),
        }
    }
}

#[cfg(test)]
mod tests;
