//! Tells many deaths from one blindness: when too many leases end at once it is more likely that control lost sight.
//!
//! In: how many leases are due, how many nodes are alive. Out: whether they may end.
//! Invariant: within one lease period, at most a fifth of all nodes (or three) lose their lease.

use std::collections::VecDeque;
use std::time::Duration;

use crate::moment::Moment;

/// This many may always end.
const ALWAYS_ALLOWED: usize = 3;
/// One in this many may end within a lease period.
const SHARE: usize = 5;

#[derive(Debug, Default)]
pub struct Guard {
    /// When leases ended, and how many; nothing older than one lease period.
    ended: VecDeque<(Moment, usize)>,
    is_holding: bool,
}

/// What is to be done with the leases that are due.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Judgement {
    End,
    /// Keep them; `is_news` if the sweep before did not.
    Hold {
        is_news: bool,
    },
}

impl Guard {
    pub fn is_holding(&self) -> bool {
        self.is_holding
    }

    /// Ends a hold; true if there was one.
    pub fn release(&mut self) -> bool {
        std::mem::take(&mut self.is_holding)
    }

    /// `alive` counts nodes whose lease has not ended, those that are due among them.
    pub fn judge(&mut self, due: usize, alive: usize, period: Duration, now: Moment) -> Judgement {
        self.ended.retain(|(at, _)| now.since(*at) < period);
        let ended: usize = self.ended.iter().map(|(_, count)| count).sum();
        let total = ended + due;
        if total > ALWAYS_ALLOWED && total * SHARE > alive + ended {
            return Judgement::Hold { is_news: !std::mem::replace(&mut self.is_holding, true) };
        }
        if due > 0 {
            self.ended.push_back((now, due));
        }
        Judgement::End
    }
}
