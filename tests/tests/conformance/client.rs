//! Client scenarios: official clients against the suite's servers, direct and through the mesh.
//!
//! Three ways besides the direct one. As an HTTP proxy that forwards to listed sites; as an HTTP proxy beside the agent, so
//! that the same URL is a call of the mesh; and by the URL of a route, through two proxies and mTLS.
//! Invariant: with the URL unchanged nothing differs, authorization included; by the URL of a route only what is listed.

mod door;
mod suite;

use std::collections::BTreeSet;
use std::path::Path;

use anyhow::{Result, bail, ensure};
use outrigger_tests::conformance::{Check, Checks, Difference, Status, count, differences};
use outrigger_tests::mesh::{Mesh, Shape};
use tokio::task::LocalSet;

use door::{Door, FORWARD, Sign};
use suite::{Client, Requirements, Run, Sdk, Way, run};

/// What differs by the URL of a route, because the server knows itself by another one: `SCENARIO`, or `SCENARIO CHECK` where that
/// check alone differs. The client names the URL that it called as the resource that it wants a token for, and the suite compares
/// that with its own. In two the metadata is where no URL of a route leads: at the root of the server only, which is nobody's
/// where several routes are; and at a place of its own, where it names the server's own URL, which is not the one called.
const MOVED: &[&str] = &[
    "auth/metadata-default resource-parameter-matches-prm",
    "auth/metadata-var1 resource-parameter-matches-prm",
    "auth/metadata-var2",
    "auth/metadata-var3",
    "auth/token-endpoint-auth-basic resource-parameter-matches-prm",
    "auth/token-endpoint-auth-none resource-parameter-matches-prm",
    "auth/token-endpoint-auth-post resource-parameter-matches-prm",
];

/// What the identity provider vouches for is the URL called as well (an extension, not scored).
const MOVED_ASSERTION: &[&str] = &["auth/enterprise-managed-authorization"];

/// A proof of possession names the URL of its request (an extension, not scored).
const MOVED_PROOF: &[&str] = &[
    "auth/dpop sep-1932-client-fresh-proof",
    "auth/dpop-nonce sep-1932-client-fresh-proof",
    "auth/dpop-nonce sep-1932-client-rs-nonce",
];

/// The Rust client opens its own stream while it calls, and the suite takes whichever GET came last for the reconnection that it
/// times; or its server asks on that stream before it is there, and the question is lost. On a loaded machine both come out either way.
/// The other clients call when their stream is open.
const UNSTEADY_RUST: &[&str] = &["sse-retry", "elicitation-sep1034-client-defaults"];

/// All ways of one client, for one set of requirements. `moved` is what differs by the URL of a route.
async fn same_on_every_way(sdk: Sdk, requirements: Requirements, moved: &[&[&str]]) -> Result<()> {
    let folder = tempfile::tempdir()?;
    let folder = folder.path();
    let client = Client::ready(sdk, folder).await?;
    let direct = steady_run(sdk, &client, requirements, &Way::Direct, folder, "direct").await?;
    ensure!(direct.passed, "a scored scenario fails direct:\n{}", direct.log);
    let direct = direct.checks;
    let (failures, warnings) = (count(&direct, Status::Failure), count(&direct, Status::Warning));
    println!("{sdk:?} {requirements:?}: {} checks direct, {failures} failures, {warnings} warnings", direct.len());

    let mesh = Mesh::new().await?;
    let proxy = mesh.start_proxy(&Shape::calling("forwards", "agent/desk").with(FORWARD)).await?;
    let way = Way::HttpProxy(format!("http://{}", proxy.outbound));
    let forwarded = steady_run(sdk, &client, requirements, &way, folder, "forwarded").await?;
    nothing_differs("forwarded", &direct, &forwarded)?;

    let door = Door::open(Sign::HttpProxy).await?;
    let beside = steady_run(sdk, &client, requirements, &Way::Door(door.address.clone()), folder, "beside").await?;
    nothing_differs("beside", &direct, &beside)?;

    let door = Door::open(Sign::Url).await?;
    let by_url = steady_run(sdk, &client, requirements, &Way::Door(door.address.clone()), folder, "by-url").await?;
    let different = differences(&direct, &by_url.checks);
    let listed: BTreeSet<String> = moved.iter().copied().flatten().map(|one| (*one).to_owned()).collect();
    let found: BTreeSet<String> = different.iter().map(|one| name(&one.check, &listed)).collect();
    ensure!(found == listed, "by URL: not what is listed:\n{}", lines(&different));
    Ok(())
}

async fn steady_run(sdk: Sdk, client: &Client, of: Requirements, way: &Way, folder: &Path, name: &str) -> Result<Run> {
    let mut run = run(client, of, way, folder, name).await?;
    if sdk == Sdk::Rust {
        run.checks.retain(|check, _| !UNSTEADY_RUST.contains(&check.scenario.as_str()));
    }
    Ok(run)
}

/// As it is listed, or would be: the check alone if that is there, else its scenario.
fn name(check: &Check, listed: &BTreeSet<String>) -> String {
    let alone = format!("{} {}", check.scenario, check.id);
    if listed.contains(&alone) { alone } else { check.scenario.clone() }
}

fn nothing_differs(way: &str, direct: &Checks, through: &Run) -> Result<()> {
    let different = differences(direct, &through.checks);
    let Some(first) = different.first() else { return Ok(()) };
    let said = through.said(&first.check.scenario);
    bail!("{way}: {} checks differ:\n{}{said}", different.len(), lines(&different))
}

fn lines(different: &[Difference]) -> String {
    different.iter().map(|one| format!("{one}\n")).collect()
}

#[tokio::test]
async fn the_python_client_of_2025() -> Result<()> {
    let moved = [MOVED, MOVED_ASSERTION];
    LocalSet::new().run_until(same_on_every_way(Sdk::Python, Requirements::Of2025, &moved)).await
}

#[tokio::test]
async fn the_python_client_of_2026() -> Result<()> {
    let moved = [MOVED, MOVED_ASSERTION];
    LocalSet::new().run_until(same_on_every_way(Sdk::Python, Requirements::Of2026, &moved)).await
}

#[tokio::test]
async fn the_typescript_client_of_2025() -> Result<()> {
    let moved = [MOVED, MOVED_ASSERTION, MOVED_PROOF];
    LocalSet::new().run_until(same_on_every_way(Sdk::TypeScript, Requirements::Of2025, &moved)).await
}

#[tokio::test]
async fn the_typescript_client_of_2026() -> Result<()> {
    let moved = [MOVED, MOVED_ASSERTION, MOVED_PROOF];
    LocalSet::new().run_until(same_on_every_way(Sdk::TypeScript, Requirements::Of2026, &moved)).await
}

#[tokio::test]
async fn the_rust_client_of_2025() -> Result<()> {
    LocalSet::new().run_until(same_on_every_way(Sdk::Rust, Requirements::Of2025, &[MOVED])).await
}

#[tokio::test]
async fn the_rust_client_of_2026() -> Result<()> {
    LocalSet::new().run_until(same_on_every_way(Sdk::Rust, Requirements::Of2026, &[MOVED])).await
}
