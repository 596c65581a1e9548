//! State that is found by a key of its own, through four proxies: handles in arguments, tasks, calls in several rounds.
//!
//! In: real servers in three replicas that share nothing. Out: counts of calls that went astray or failed; none may.

use anyhow::Result;
use outrigger_tests::desks::Desks;
use outrigger_tests::keys::{Handles, Rounds, Tasks};
use outrigger_tests::peers::Sdk;

use crate::crowds::must_be_clean;

const SESSIONS: usize = 200;

/// Three processes that share nothing, and a caller who names what a call belongs to.
#[tokio::test]
async fn a_handle_in_the_arguments_finds_its_count_through_any_proxy() -> Result<()> {
    let intent = "routes:
  - {name: carts, capability: weather, affinity: keys, keys: [{argument: session_id}]}
";
    let desks = Desks::start(Sdk::Handles, intent).await?;
    let mut crowd = desks.crowd(Handles, "carts", SESSIONS).await?;
    must_be_clean("handles", &crowd.run(3_000).await?);
    Ok(())
}

/// Nothing but the key holds these calls together: a caller's affinity is not asked for.
const BY_KEYS: &str = "routes:
  - {name: by-keys, capability: weather, affinity: keys}
";

#[tokio::test]
async fn a_task_is_known_through_any_proxy() -> Result<()> {
    let desks = Desks::start(Sdk::ConformanceRust, BY_KEYS).await?;
    let mut crowd = desks.crowd(Tasks, "by-keys", SESSIONS).await?;
    must_be_clean("tasks", &crowd.run(2_400).await?);
    Ok(())
}

async fn every_round_finds_the_process_that_asked(sdk: Sdk) -> Result<()> {
    let desks = Desks::start(sdk, BY_KEYS).await?;
    let mut crowd = desks.crowd(Rounds, "by-keys", 60).await?;
    must_be_clean(&format!("rounds of {sdk:?}"), &crowd.run(900).await?);
    Ok(())
}

#[tokio::test]
async fn every_round_of_a_python_call_finds_the_process_that_asked() -> Result<()> {
    every_round_finds_the_process_that_asked(Sdk::ConformancePython).await
}

#[tokio::test]
async fn every_round_of_a_typescript_call_finds_the_process_that_asked() -> Result<()> {
    every_round_finds_the_process_that_asked(Sdk::ConformanceTypeScript).await
}
