//! Server scenarios: servers on the official SDKs, asked by the suite itself and through one, two and three replicas.
//!
//! In: servers with the defaults of their SDKs, so that sessions, streams, tasks and sealed state belong to one process.
//! Never here: a list of differences that are allowed; there is none.
//! Invariant: the run that all others are compared with has passed, and has as many checks as the suite is known to make.

mod agent;
mod replicas;
mod suite;

use std::time::Instant;

use anyhow::{Result, ensure};
use outrigger_tests::conformance::{Status, count, differences};

use agent::Sdk;
use replicas::Replicas;
use suite::{Run, Suite, run};

/// One server and one release of the suite: direct, then through one, two and three replicas.
async fn nothing_differs(sdk: Sdk, suite: Suite) -> Result<()> {
    let mut replicas = Replicas::first(sdk, "").await?;
    let direct = run(suite, &replicas.direct_url()?, replicas.folder(), "direct").await?;
    ensure!(direct.passed, "{sdk:?} fails a scored scenario of {suite:?} direct:\n{}", direct.log);
    let all = direct.checks.len();
    ensure!(all >= suite.checks_min(), "{sdk:?} {suite:?}: only {all} checks:\n{}", direct.log);
    tell(sdk, suite, "direct", &direct);

    let mut trouble = vec![];
    for count in 1..=replicas::MOST {
        replicas.grow_to(count).await?;
        let name = format!("replicas-{count}");
        let through = run(suite, &replicas.url(), replicas.folder(), &name).await?;
        tell(sdk, suite, &name, &through);
        trouble.extend(differences(&direct.checks, &through.checks).iter().map(|one| format!("{name}: {one}")));
        ensure!(!trouble.is_empty() || through.passed, "{name} fails where direct passes:\n{}", through.log);
    }
    ensure!(trouble.is_empty(), "{sdk:?} {suite:?}: {} checks differ:\n{}", trouble.len(), trouble.join("\n"));
    Ok(())
}

fn tell(sdk: Sdk, suite: Suite, name: &str, run: &Run) {
    let [passed, failed] = [Status::Success, Status::Failure].map(|status| count(&run.checks, status));
    eprintln!(
        "{sdk:?} {suite:?} {name}: {} checks, {passed} passed, {failed} failed, {:.1} s",
        run.checks.len(),
        run.seconds
    );
}

#[tokio::test]
async fn python_0_1_16() -> Result<()> {
    nothing_differs(Sdk::Python, Suite::Active).await
}

#[tokio::test]
async fn python_2025() -> Result<()> {
    nothing_differs(Sdk::Python, Suite::Of2025).await
}

#[tokio::test]
async fn python_2026() -> Result<()> {
    nothing_differs(Sdk::Python, Suite::Of2026).await
}

#[tokio::test]
async fn typescript_0_1_16() -> Result<()> {
    nothing_differs(Sdk::TypeScript, Suite::Active).await
}

#[tokio::test]
async fn typescript_2025() -> Result<()> {
    nothing_differs(Sdk::TypeScript, Suite::Of2025).await
}

#[tokio::test]
async fn typescript_2026() -> Result<()> {
    nothing_differs(Sdk::TypeScript, Suite::Of2026).await
}

#[tokio::test]
async fn rust_0_1_16() -> Result<()> {
    nothing_differs(Sdk::Rust, Suite::Active).await
}

#[tokio::test]
async fn rust_2025() -> Result<()> {
    nothing_differs(Sdk::Rust, Suite::Of2025).await
}

#[tokio::test]
async fn rust_2026() -> Result<()> {
    nothing_differs(Sdk::Rust, Suite::Of2026).await
}

/// What the rows above are worth: the same mesh without affinity breaks what they find whole.
#[tokio::test]
async fn without_affinity_two_replicas_are_not_one_server() -> Result<()> {
    for suite in [Suite::Of2025, Suite::Of2026] {
        let begun = Instant::now();
        let mut replicas = Replicas::first(Sdk::TypeScript, replicas::SCATTERED).await?;
        let direct = run(suite, &replicas.direct_url()?, replicas.folder(), "direct").await?;
        replicas.grow_to(2).await?;
        let scattered = run(suite, &replicas.scattered_url(), replicas.folder(), "scattered").await?;
        let found = differences(&direct.checks, &scattered.checks);
        eprintln!("{suite:?} scattered: {} checks differ, {:.1} s", found.len(), begun.elapsed().as_secs_f32());
        ensure!(found.len() >= suite.broken_min(), "{suite:?}: only {} checks differ: {found:?}", found.len());
    }
    Ok(())
}
