//! Client scenarios: official clients against the suite's servers, direct and through the mesh.
//!
//! Three ways besides the direct one. As an HTTP proxy that forwards to listed sites; as an HTTP proxy beside the agent, so
//! that the same URL is a call of the mesh; and by the URL of a route, through two proxies and mTLS.
//! Invariant: with the URL unchanged nothing differs, authorization included; by the URL of a route only what is listed.

mod door;
mod suite;

use std::collections::BTreeSet;

use anyhow::{Result, bail, ensure};
use outrigger_tests::conformance::{Checks, Difference, Status, count, differences};
use outrigger_tests::mesh::{Mesh, Shape};
use tokio::task::LocalSet;

use door::{Door, FORWARD, Sign};
use suite::{Client, Requirements, Run, Sdk, Way, run};

/// By the URL of a route a client that checks what it is told does not get to the authorization server: the metadata of the
/// protected resource names the URL that the server knows itself by (RFC 9728, section 3.3: they must be the same), and it is
/// looked for beside the URL of the route. Nothing else of the suite differs there.
const MOVED: &[&str] = &[
    "auth/basic-cimd",
    "auth/client-credentials-basic",
    "auth/client-credentials-jwt",
    "auth/dpop",
    "auth/dpop-nonce",
    "auth/enterprise-managed-authorization",
    "auth/metadata-default",
    "auth/metadata-var1",
    "auth/metadata-var2",
    "auth/metadata-var3",
    "auth/pre-registration",
    "auth/scope-from-scopes-supported",
    "auth/scope-from-www-authenticate",
    "auth/scope-omitted-when-undefined",
    "auth/scope-retry-limit",
    "auth/scope-step-up",
    "auth/token-endpoint-auth-basic",
    "auth/token-endpoint-auth-none",
    "auth/token-endpoint-auth-post",
    "auth/wif-jwt-bearer",
];

/// The same of the scenarios that 2026-07-28 adds.
const MOVED_2026: &[&str] = &[
    "auth/authorization-server-migration",
    "auth/iss-normalized",
    "auth/iss-not-advertised",
    "auth/iss-supported",
    "auth/iss-supported-missing",
    "auth/iss-unexpected",
    "auth/iss-wrong-issuer",
    "auth/offline-access-not-supported",
    "auth/offline-access-scope",
];

/// The Python client reads the metadata of the authorization server only after that of the resource has been accepted.
const MOVED_PYTHON: &[&str] = &["auth/metadata-issuer-mismatch"];

/// All ways of one client, for one set of requirements. `moved` are the scenarios that differ by the URL of a route.
async fn same_on_every_way(sdk: Sdk, requirements: Requirements, moved: &[&[&str]]) -> Result<()> {
    let folder = tempfile::tempdir()?;
    let folder = folder.path();
    let client = Client::ready(sdk, folder).await?;
    let direct = run(&client, requirements, &Way::Direct, folder, "direct").await?;
    ensure!(direct.passed, "a scored scenario fails direct:\n{}", direct.log);
    let direct = direct.checks;
    let (failures, warnings) = (count(&direct, Status::Failure), count(&direct, Status::Warning));
    println!("{sdk:?} {requirements:?}: {} checks direct, {failures} failures, {warnings} warnings", direct.len());

    let mesh = Mesh::new().await?;
    let proxy = mesh.start_proxy(&Shape::calling("forwards", "agent/desk").with(FORWARD)).await?;
    let way = Way::HttpProxy(format!("http://{}", proxy.outbound));
    let forwarded = run(&client, requirements, &way, folder, "forwarded").await?;
    nothing_differs("forwarded", &direct, &forwarded)?;

    let door = Door::open(Sign::HttpProxy).await?;
    let beside = run(&client, requirements, &Way::Door(door.address.clone()), folder, "beside").await?;
    nothing_differs("beside", &direct, &beside)?;

    let door = Door::open(Sign::Url).await?;
    let by_url = run(&client, requirements, &Way::Door(door.address.clone()), folder, "by-url").await?;
    let different = differences(&direct, &by_url.checks);
    let scenarios: BTreeSet<&str> = different.iter().map(|one| one.check.scenario.as_str()).collect();
    let listed: BTreeSet<&str> = moved.iter().copied().flatten().copied().collect();
    ensure!(scenarios == listed, "by URL: not the scenarios that are listed:\n{}", lines(&different));
    Ok(())
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
    LocalSet::new().run_until(same_on_every_way(Sdk::Python, Requirements::Of2025, &[MOVED])).await
}

#[tokio::test]
async fn the_python_client_of_2026() -> Result<()> {
    let moved = [MOVED, MOVED_2026, MOVED_PYTHON];
    LocalSet::new().run_until(same_on_every_way(Sdk::Python, Requirements::Of2026, &moved)).await
}

#[tokio::test]
async fn the_typescript_client_of_2025() -> Result<()> {
    LocalSet::new().run_until(same_on_every_way(Sdk::TypeScript, Requirements::Of2025, &[MOVED])).await
}

#[tokio::test]
async fn the_typescript_client_of_2026() -> Result<()> {
    let moved = [MOVED, MOVED_2026];
    LocalSet::new().run_until(same_on_every_way(Sdk::TypeScript, Requirements::Of2026, &moved)).await
}

#[tokio::test]
async fn the_rust_client_of_2025() -> Result<()> {
    LocalSet::new().run_until(same_on_every_way(Sdk::Rust, Requirements::Of2025, &[MOVED])).await
}

#[tokio::test]
async fn the_rust_client_of_2026() -> Result<()> {
    let moved = [MOVED, MOVED_2026];
    LocalSet::new().run_until(same_on_every_way(Sdk::Rust, Requirements::Of2026, &moved)).await
}
