//! `outrigger snapshot`: plans and publishes what operators declare, goes back to what was, has some proxies try it first, and shows the history.
//!
//! In: files and numbers. Out: what control says of them; a failure where it refuses.
//! Never here: what a document means; control decides that.
//! Invariant: nothing is published that its sender has not seen the number of: what runs is asked for before, or named with --expect.

mod document;
mod plan;
mod publish;
mod rollout;
mod history;
mod diff;

use serde_json::Value;

use crate::args::snapshot::Snapshot;
use crate::ask;
use crate::http::Origin;
use crate::problem::Problem;
use crate::render::cell::items;

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

/// The newest record of the history, which is the one that runs.
async fn newest(control: &Origin) -> Result<Value, Problem> {
    let page = ask::control(control, "/v1/history?limit=1").await?;
    let newest = items(&page, "items").first().cloned();
    newest.ok_or_else(|| Problem::failed("control has no intent yet").next("outrigger get events"))
}

fn number(record: &Value) -> u64 {
    record.get("number").and_then(Value::as_u64).unwrap_or_default()
}

#[cfg(test)]
mod tests;
