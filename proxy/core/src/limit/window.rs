//! What one proxy has used of a quota in the window that is open.
//!
//! In: the window by its end, in milliseconds of Unix time, so that all proxies mean the same one; what a shared store granted.
//! Out: taken, spent, or how much to ask the store for.
//! How: a proxy asks for a share of the quota at a time and gives calls out of it, so that hardly any call waits for the store.
//! Invariants: a window gives no more than the whole quota here, whoever granted it; what was granted in one window is not used in another.

use std::time::Duration;

/// A store is asked for so much of a quota at a time. What is left of a share at the end of a window is lost.
const SHARES: u32 = 64;

/// A new one is before all windows.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Window {
    ends_ms: u64,
    /// Calls let through here.
    taken: u32,
    /// Granted by the store and not used yet.
    granted: u32,
    /// The store has nothing left.
    spent: bool,
    /// A call is on its way to the store for a share; who comes meanwhile asks for itself only.
    asking: bool,
}

/// What becomes of a call that needs a part of a shared quota.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Share {
    Taken,
    Spent,
    /// To be asked for, in the window that ends then.
    Ask {
        want: u32,
        ends_ms: u64,
    },
}

/// When the window ends that is open at `unix_ms`.
pub fn end(window: Duration, unix_ms: u64) -> u64 {
    let length = u64::try_from(window.as_millis()).unwrap_or(u64::MAX).max(1);
    (unix_ms / length).saturating_add(1).saturating_mul(length)
}

impl Window {
    /// Counted here alone. Whether there was one left.
    pub fn take_alone(&mut self, calls: u32, ends_ms: u64) -> bool {
        self.roll(ends_ms);
        self.asking = false;
        let is_left = self.taken < calls;
        self.taken += u32::from(is_left);
        is_left
    }

    /// Counted together with all that share the store.
    pub fn take_shared(&mut self, calls: u32, ends_ms: u64) -> Share {
        self.roll(ends_ms);
        if self.taken >= calls {
            return Share::Spent;
        }
        if self.granted > 0 {
            self.granted -= 1;
            self.taken += 1;
            return Share::Taken;
        }
        if self.spent {
            return Share::Spent;
        }
        let want = if self.asking { 1 } else { (calls / SHARES).max(1) };
        self.asking = true;
        Share::Ask { want, ends_ms: self.ends_ms }
    }

    /// The store answered the call that asked. Whether that call has its part.
    pub fn granted(&mut self, granted: u32, ends_ms: u64) -> bool {
        // An answer that comes after the end of its window is good for the call that waited for it.
        if self.ends_ms == ends_ms {
            self.asking = false;
            self.spent |= granted == 0;
            self.granted = self.granted.saturating_add(granted.saturating_sub(1));
            self.taken = self.taken.saturating_add(granted.min(1));
        }
        granted > 0
    }

    /// The call that took a part is not made after all. `shared`: the part came from the store.
    pub fn put_back(&mut self, ends_ms: u64, shared: bool) {
        if self.ends_ms == ends_ms {
            self.taken = self.taken.saturating_sub(1);
            self.granted = self.granted.saturating_add(u32::from(shared));
        }
    }

    pub const fn is_over(&self, unix_ms: u64) -> bool {
        self.ends_ms <= unix_ms
    }

    fn roll(&mut self, ends_ms: u64) {
        // A clock that is set back does not open a window again.
        if ends_ms > self.ends_ms {
            *self = Self { ends_ms, ..Self::default() };
        }
    }
}

#[cfg(test)]
mod tests;
