//! What operators revoke, and what time does to it.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crate::event::{EventKind, one_line};
use crate::revocation::{REASON_BYTES_MAX, Revoked, Target};

use super::command::Answer;
use super::state::{State, Step};

/// Ends what `target` names and began until now.
pub fn revoke(state: &mut State, target: Target, reason: &str, mut step: Step<'_>) {
    let at = unix_seconds(step.now.time);
    let reason = one_line(reason, REASON_BYTES_MAX);
    let revoked = Revoked { target: target.clone(), at, reason: reason.clone() };
    step.applied.answer = match state.book_mut().add(revoked) {
        Err(full) => Answer::NotRevoked(full),
        Ok(is_new) => {
            if is_new {
                step.tell(EventKind::SessionsRevoked, &target.to_string(), &reason);
                step.applied.revoked = Some(target);
                step.applied.is_relevant = true;
            }
            Answer::Revoked { at }
        }
    };
}

/// Drops what no session can be old enough for.
pub fn release(state: &mut State, kept: Duration, step: &mut Step<'_>) {
    if state.book.revocations().is_empty() {
        return;
    }
    let before = unix_seconds(step.now.time).saturating_sub(kept.as_secs());
    if state.book.iter().any(|(_, at, _)| at < before) {
        step.applied.released = state.book_mut().forget_before(before);
        step.applied.released_before = before;
        step.applied.is_relevant = true;
    }
}

fn unix_seconds(time: SystemTime) -> u64 {
    time.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs()
}

#[cfg(test)]
mod tests;
