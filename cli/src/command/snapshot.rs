//! `outrigger snapshot`: plans and publishes what operators declare, goes back to what was, has some proxies try it first, and shows the history.
//!
//! In: files and numbers. Out: what control says of them; a failure where it refuses.
//! Never here: what a document means; control decides that.
//! Invariant: nothing is published that its sender has not seen the number of: what runs is asked for before, or named with --expect.

mod newest;
mod document;
mod plan;
mod publish;
mod rollout;
mod history;
mod diff;

use crate::args::snapshot::Snapshot;
use crate::problem::Problem;

pub async fn run(snapshot: Snapshot) -> Result<(), Problem> {
    match snapshot {
        Snapshot::Plan(plan) => plan::run(plan).await,
        Snapshot::Publish(publish) => publish::publish(publish).await,
        Snapshot::Rollback(back) => publish::roll_back(back).await,
        Snapshot::Rollout(rollout) => rollout::run(rollout).await,
        Snapshot::Diff(diff) => diff::run(diff).await,
        Snapshot::History(history) => history::list(history).await,
        Snapshot::Show(show) => history::show(show).await,
    }
}

#[cfg(test)]
mod tests;
