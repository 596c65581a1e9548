//! Whether a client that comes back may be answered by this control already.
//!
//! In: what the client reports, the newest edition, for how long control is up. Out: nothing, or why it has to come again.
//! Why: a control that lost its store, or has not caught up yet, knows less than its clients run. An answer would take away what
//! still works; without one they go on with it.

use std::time::Duration;

use outrigger_model::resource::Token;

use crate::stock::shelf::Edition;

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TooEarly {
    #[error("control has a new store and waits for its proxies to come back; go on with what you have")]
    Forgotten,
    #[error("you have a snapshot that is newer than the one here; try again")]
    Behind,
}

/// `grace`: within which every proxy that is there has come back.
pub fn check(reported: &[Token], newest: &Edition, up: Duration, grace: Duration) -> Result<(), TooEarly> {
    let is_of_another = |token: &Token| token.epoch != newest.epoch;
    if up < grace && !reported.is_empty() && reported.iter().all(is_of_another) {
        return Err(TooEarly::Forgotten);
    }
    let is_ahead = |token: &Token| token.epoch == newest.epoch && token.serial > newest.serial;
    if reported.iter().any(is_ahead) { Err(TooEarly::Behind) } else { Ok(()) }
}

#[cfg(test)]
mod tests;
