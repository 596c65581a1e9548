//! The keys that proxies seal with: which there are, which of them seals, when there is a new one, when one goes.
//!
//! In: secrets made elsewhere, the time, how long a session may live. Out: the [`Keyring`] to share; what turned, for the event log.
//! A new key is shared first and seals [`SHARED_FIRST`] later: by then every proxy that hears control can open what it seals.
//! Never here: chance, the store.
//! Invariant: a key stays for as long as a session may live that was sealed with it; there is always one that seals.

use std::time::{Duration, UNIX_EPOCH};

use outrigger_model::secret::{KEYS_HELD_MAX, Keyring, SealKey, Secret};

use crate::moment::{Moment, Now};

/// How long a new key is known to proxies before any of them seals with it.
pub const SHARED_FIRST: Duration = Duration::from_secs(10);

/// One key, and since when it seals.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HeldKey {
    pub key: SealKey,
    /// In seconds since 1970; none while it is only shared.
    pub seals_since: Option<u64>,
}

/// What keys go by.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct KeyRules {
    /// After how long a key is followed by a new one; none is never.
    pub every: Option<Duration>,
    /// How long a session may live.
    pub lifetime: Duration,
}

/// All keys, the newest first.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Keys {
    held: Vec<HeldKey>,
    rules: KeyRules,
}

/// What happened to a key, by its number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Turn {
    Made(u32),
    Seals(u32),
    Dropped(u32),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NoNewKey {
    #[error("the newest key is shared and does not seal yet")]
    Turning,
    #[error("{KEYS_HELD_MAX} keys are held, and sessions may be alive that the oldest of them sealed")]
    Full,
}

impl Keys {
    /// Takes what a store held, the newest first.
    pub fn restore(held: Vec<HeldKey>, rules: KeyRules) -> Self {
        Self { held, rules }
    }

    /// What they go by from the next turn on.
    pub fn go_by(&mut self, rules: KeyRules) {
        self.rules = rules;
    }

    pub fn held(&self) -> &[HeldKey] {
        &self.held
    }

    /// As proxies get it: first the key that seals.
    pub fn ring(&self) -> Keyring {
        let sealing = self.held.iter().position(|held| held.seals_since.is_some()).unwrap_or(0);
        let first = self.held.get(sealing);
        let rest = self.held.iter().enumerate().filter(|(at, _)| *at != sealing).map(|(_, held)| held);
        Keyring { keys: first.into_iter().chain(rest).map(|held| held.key.clone()).collect() }
    }

    /// Whether a new key should be made: there is none, or the newest has grown old and there is room.
    pub fn is_due(&self, now: Now) -> bool {
        let Some(newest) = self.held.first() else { return true };
        let old = |every: Duration| unix(now) >= newest.key.made.saturating_add(every.as_secs());
        self.rules.every.is_some_and(old) && self.may_add().is_ok()
    }

    /// Adds a key that was made of chance. The first of all seals at once: nobody has another.
    pub fn add(&mut self, secret: Secret, now: Now) -> Result<Turn, NoNewKey> {
        self.may_add()?;
        let id = self.held.first().map_or(1, |newest| newest.key.id.saturating_add(1));
        let seals_since = self.held.is_empty().then(|| unix(now));
        self.held.insert(0, HeldKey { key: SealKey { id, secret, made: unix(now) }, seals_since });
        Ok(Turn::Made(id))
    }

    /// What time does: a key that was shared long enough seals, one of which nothing can be left goes.
    pub fn turn(&mut self, now: Now) -> Vec<Turn> {
        let mut turns = Vec::new();
        // After a restart, too: control may have ended before it had shared the key.
        let was_up = now.moment.since(Moment::START) >= SHARED_FIRST;
        if let Some(newest) = self.held.first_mut()
            && newest.seals_since.is_none()
            && was_up
            && unix(now) >= newest.key.made.saturating_add(SHARED_FIRST.as_secs())
        {
            newest.seals_since = Some(unix(now));
            turns.push(Turn::Seals(newest.key.id));
        }
        while let [.., successor, oldest] = self.held.as_slice()
            && let Some(since) = successor.seals_since
            && unix(now) > since.saturating_add(self.rules.lifetime.as_secs()).saturating_add(SHARED_FIRST.as_secs())
        {
            turns.push(Turn::Dropped(oldest.key.id));
            self.held.pop();
        }
        turns
    }

    fn may_add(&self) -> Result<(), NoNewKey> {
        match self.held.first() {
            Some(newest) if newest.seals_since.is_none() => Err(NoNewKey::Turning),
            _ if self.held.len() >= KEYS_HELD_MAX => Err(NoNewKey::Full),
            _ => Ok(()),
        }
    }
}

impl Turn {
    pub const fn id(self) -> u32 {
        match self {
            Self::Made(id) | Self::Seals(id) | Self::Dropped(id) => id,
        }
    }

    /// For people.
    pub const fn detail(self) -> &'static str {
        match self {
            Self::Made(_) => "made and shared; it seals in a moment",
            Self::Seals(_) => "new session ids are sealed with it",
            Self::Dropped(_) => "dropped, as no session can be left that it sealed",
        }
    }
}

fn unix(now: Now) -> u64 {
    now.time.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs()
}

#[cfg(test)]
mod tests;
