//! What a fault did to the calls around it: how many it cost or delayed, and when it was over.
//!
//! In: the calls of a run, when the fault came. Out: an [`Aftermath`].
//! Rule: a call was affected if it was due after the fault, or under way at it, and failed or took longer than a threshold:
//! what a wait on this fault takes at least, or twice what nearly all calls before the fault took.
//! Invariant: noise of the machine before the fault raises the threshold, so that it is not taken for the fault's doing.

use std::time::Duration;

use super::traffic::{Call, Fate};
use crate::generate::figures::Times;

/// How much longer than calls before the fault.
const FACTOR: u32 = 2;

#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Aftermath {
    /// From this on a call counts as one that waited.
    pub threshold: Duration,
    pub affected: usize,
    pub failed: usize,
    /// The longest of the affected calls.
    pub longest: Duration,
    /// From the fault until the last affected call was due: after it nobody begins to wait.
    pub last_due: Duration,
    /// From the fault until the last affected call ended.
    pub last_ended: Duration,
}

/// `wait_min`: less is no wait on this fault, however quiet the machine was before.
pub fn aftermath(calls: &[Call], fault: Duration, wait_min: Duration) -> Aftermath {
    let mut before = Times::default();
    for call in calls.iter().filter(|call| call.ended() < fault) {
        before.record(call.took);
    }
    let usual = Duration::from_secs_f64(before.quantile_us(0.999) / 1e6);
    let threshold = wait_min.max(usual * FACTOR);
    let mut found = Aftermath { threshold, ..Aftermath::default() };
    for call in calls.iter().filter(|call| call.ended() >= fault) {
        let has_failed = call.fate != Fate::Answered;
        if !has_failed && call.took < threshold {
            continue;
        }
        found.affected += 1;
        found.failed += usize::from(has_failed);
        found.longest = found.longest.max(call.took);
        found.last_due = found.last_due.max(call.due.saturating_sub(fault));
        found.last_ended = found.last_ended.max(call.ended().saturating_sub(fault));
    }
    found
}

#[cfg(test)]
mod tests;
