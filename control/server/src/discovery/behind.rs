//! What is done about a watcher that runs a later snapshot than this control knows.
//!
//! In: the token of what it runs. Out: nothing, once the view is not behind that any more; or a refusal, so that it tries another control.
//! Invariant: nobody is offered a snapshot older than the one it runs. A follower waits for the leader; a leader, whose store never got
//! what the watcher runs, publishes the same content under a later serial.

use std::time::Duration;

use outrigger_model::resource::{Serial, Token};
use tonic::Status;

use crate::publish::edition::{Edition, SELF};
use crate::publish::view::View;
use crate::writer::Writer;

/// How long a control that is behind waits before it refuses.
const CAUGHT_UP_WITHIN: Duration = Duration::from_secs(5);
/// What an outage of the store can leave behind; a watcher that is further ahead than this is not believed.
const AHEAD_MAX: u64 = 1_000_000;

pub async fn catch_up(view: &View, writer: &Writer, runs: Token) -> Result<(), Status> {
    let mut editions = view.follow();
    if !is_behind(&editions.borrow_and_update().edition, runs) {
        return Ok(());
    }
    let newest = view.newest().edition.serial.0;
    if writer.leads().is_ok() {
        if runs.serial.0.saturating_sub(newest) > AHEAD_MAX {
            let text = "the snapshot that this watcher says it runs is none that was ever made";
            return Err(Status::invalid_argument(text));
        }
        let floor = Serial(runs.serial.0.saturating_add(1));
        writer.overtake(floor).await.map_err(|_| Status::unavailable("control is stopping"))?;
    }
    let caught_up = editions.wait_for(|published| !is_behind(&published.edition, runs));
    match tokio::time::timeout(CAUGHT_UP_WITHIN, caught_up).await {
        Ok(Ok(_)) => Ok(()),
        Ok(Err(_)) => Err(Status::unavailable("control is stopping")),
        Err(_) => {
            let runs = runs.serial;
            Err(Status::unavailable(format!(
                "this control is at {newest}, behind the {runs} that runs here; try another"
            )))
        }
    }
}

/// Whether the edition is older than what runs, or of the same serial and other content. Another epoch says nothing of this one.
fn is_behind(edition: &Edition, runs: Token) -> bool {
    if edition.epoch != runs.epoch {
        return false;
    }
    edition.serial < runs.serial || (edition.serial == runs.serial && edition.manifest.token(SELF) != Some(runs))
}

#[cfg(test)]
mod tests;
