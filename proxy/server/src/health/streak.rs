//! How many looks in a row went well or badly, and whether that is enough.
//!
//! In: what came of each look. Out: whether the agent is to serve, or to be withdrawn.
//! Invariant: one look of the other kind begins anew.

/// What the last looks were.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Streak {
    unhealthy_after: u32,
    healthy_after: u32,
    well: u32,
    ill: u32,
}

impl Streak {
    pub(super) const fn new(unhealthy_after: u32, healthy_after: u32) -> Self {
        Self { unhealthy_after, healthy_after, well: 0, ill: 0 }
    }

    /// Counts a good look; whether there were enough to serve.
    pub(super) const fn well(&mut self) -> bool {
        self.ill = 0;
        self.well = self.well.saturating_add(1);
        self.well >= self.healthy_after
    }

    /// Counts a bad look; whether there were enough to be withdrawn.
    pub(super) const fn ill(&mut self) -> bool {
        self.well = 0;
        self.ill = self.ill.saturating_add(1);
        self.ill >= self.unhealthy_after
    }

    /// The process is gone; what it was like says nothing of the next.
    pub(super) const fn forget(&mut self) {
        self.well = 0;
        self.ill = 0;
    }
}

#[cfg(test)]
mod tests;
