//! What is used of all limits, in a bounded number of accounts.
//!
//! In: meters, the moment, what a shared store granted. Out: taken, refused until then, or what to ask the store for.
//! Never here: clocks, stores.
//! How: accounts lie in shards, each under a lock that is held for one addition. Only calls with limits take one.
//! Invariant: never more than [`ACCOUNTS_MAX`] accounts and one more for each limit. Where a flood of callers or of tools fills them, who
//! comes after shares that one, until accounts that are as good as new have made room.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use outrigger_model::rate::Allowance;

use crate::limit::bucket::{Bucket, Pace};
use crate::limit::meter::{Key, Meter};
use crate::limit::window::{self, Share, Window};

/// Callers and tools that are counted one by one, over all limits.
pub const ACCOUNTS_MAX: usize = 16_384;
const SHARDS: usize = 64;
/// A full shard is looked through no more often.
const SWEEP_PAUSE: u64 = 1_000_000_000;

/// Now, by both clocks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Moment {
    /// Nanoseconds of a clock that only goes forward.
    pub nanoseconds: u64,
    /// Milliseconds since 1970.
    pub unix_ms: u64,
}

/// Whether a quota is counted here alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Counting {
    Alone,
    Shared,
}

/// What became of a call at one limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Take {
    Taken(Taken),
    /// There is something again after this time.
    Refused(Duration),
    Ask(Asking),
}

/// A token or a part of a quota, so that it can be put back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Taken {
    key: Key,
    what: What,
}

/// A share of a quota, to be asked of the store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Asking {
    pub key: Key,
    /// Of the whole quota.
    pub calls: u32,
    pub want: u32,
    /// When the window ends, in milliseconds since 1970.
    pub ends_ms: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum What {
    Token(Pace),
    Part { ends_ms: u64, counting: Counting },
}

/// All accounts.
#[derive(Debug)]
pub struct Ledger {
    shards: [Mutex<Shard>; SHARDS],
    shard_max: usize,
    crowded: AtomicU64,
}

#[derive(Debug, Default)]
struct Shard {
    accounts: HashMap<Key, Account>,
    /// When it may be looked through again.
    sweep_at: u64,
}

/// Of one limit, so only one of the two is ever used.
#[derive(Debug, Clone, Copy, Default)]
struct Account {
    bucket: Bucket,
    window: Window,
}

impl Default for Ledger {
    fn default() -> Self {
        Self::new(ACCOUNTS_MAX)
    }
}

impl Ledger {
    pub fn new(accounts_max: usize) -> Self {
        let shards = std::array::from_fn(|_| Mutex::default());
        Self { shards, shard_max: (accounts_max / SHARDS).max(1), crowded: AtomicU64::new(0) }
    }

    /// Takes what one call needs of one limit.
    pub fn take(&self, meter: &Meter<'_>, counting: Counting, now: Moment) -> Take {
        match meter.rate.allowance {
            Allowance::Bucket { calls, every, burst } => {
                let pace = Pace::new(calls, every, burst);
                let (key, taken) = self.with(meter, now, |account| account.bucket.take(pace, now.nanoseconds));
                match taken {
                    Ok(()) => Take::Taken(Taken { key, what: What::Token(pace) }),
                    Err(wait) => Take::Refused(wait),
                }
            }
            Allowance::Quota { calls, window } => {
                let ends_ms = window::end(window, now.unix_ms);
                let (key, share) = self.with(meter, now, |account| match counting {
                    Counting::Shared => account.window.take_shared(calls, ends_ms),
                    Counting::Alone if account.window.take_alone(calls, ends_ms) => Share::Taken,
                    Counting::Alone => Share::Spent,
                });
                match share {
                    Share::Taken => Take::Taken(Taken { key, what: What::Part { ends_ms, counting } }),
                    Share::Spent => Take::Refused(left(ends_ms, now)),
                    Share::Ask { want, ends_ms } => Take::Ask(Asking { key, calls, want, ends_ms }),
                }
            }
        }
    }

    /// The store's answer to the call that asked.
    pub fn granted(&self, asking: &Asking, granted: u32, now: Moment) -> Take {
        let Asking { key, ends_ms, .. } = *asking;
        let mut shard = self.shard(&key);
        let has = match shard.accounts.get_mut(&key) {
            Some(account) => account.window.granted(granted, ends_ms),
            None => granted > 0,
        };
        if has {
            return Take::Taken(Taken { key, what: What::Part { ends_ms, counting: Counting::Shared } });
        }
        Take::Refused(left(ends_ms, now))
    }

    /// The call is not made after all.
    pub fn put_back(&self, taken: Taken) {
        let Taken { key, what } = taken;
        let mut shard = self.shard(&key);
        let Some(account) = shard.accounts.get_mut(&key) else { return };
        match what {
            What::Token(pace) => account.bucket.put_back(pace),
            What::Part { ends_ms, counting } => account.window.put_back(ends_ms, counting == Counting::Shared),
        }
    }

    /// Calls so far for which there was no account of their own.
    pub fn crowded(&self) -> u64 {
        self.crowded.load(Ordering::Relaxed)
    }

    pub fn count(&self) -> usize {
        self.shards.iter().map(|shard| lock(shard).accounts.len()).sum()
    }

    fn with<T>(&self, meter: &Meter<'_>, now: Moment, change: impl FnOnce(&mut Account) -> T) -> (Key, T) {
        let key = meter.key();
        {
            let mut shard = self.shard(&key);
            if shard.has_room(&key, self.shard_max, now) {
                return (key, change(shard.accounts.entry(key).or_default()));
            }
        }
        self.crowded.fetch_add(1, Ordering::Relaxed);
        let rest = meter.rest();
        let changed = change(self.shard(&rest).accounts.entry(rest).or_default());
        (rest, changed)
    }

    fn shard(&self, key: &Key) -> MutexGuard<'_, Shard> {
        let [first, ..] = &self.shards;
        lock(self.shards.get(key.spread() % SHARDS).unwrap_or(first))
    }
}

impl Shard {
    fn has_room(&mut self, key: &Key, max: usize, now: Moment) -> bool {
        if self.accounts.len() < max || self.accounts.contains_key(key) {
            return true;
        }
        if now.nanoseconds >= self.sweep_at {
            self.sweep_at = now.nanoseconds.saturating_add(SWEEP_PAUSE);
            self.accounts.retain(|_, account| !account.is_as_new(now));
        }
        self.accounts.len() < max
    }
}

impl Account {
    const fn is_as_new(&self, now: Moment) -> bool {
        self.bucket.is_full(now.nanoseconds) && self.window.is_over(now.unix_ms)
    }
}

fn left(ends_ms: u64, now: Moment) -> Duration {
    Duration::from_millis(ends_ms.saturating_sub(now.unix_ms))
}

fn lock(shard: &Mutex<Shard>) -> MutexGuard<'_, Shard> {
    shard.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests;
