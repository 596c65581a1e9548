//! Client scenarios: official clients against the suite's servers, direct and through the mesh.
//!
//! Three ways besides the direct one. As an HTTP proxy that forwards to listed sites; as an HTTP proxy beside the agent, so
//! that the same URL is a call of the mesh; and by the URL of a route, through two proxies and mTLS.
//! Invariant: with the URL unchanged nothing differs, authorization included; by the URL of a route only what is listed.

mod door;
mod suite;

use anyhow::{Result, ensure};
use outrigger_tests::conformance::{Status, count, differences};
use outrigger_tests::mesh::{Mesh, Shape};
use tokio::task::LocalSet;

use door::{Door, Sign};
use suite::{Client, Requirements, Sdk, Way, run};

/// All ways of one client, for one set of requirements.
async fn same_on_every_way(sdk: Sdk, requirements: Requirements, by_url: &[(&str, &str)]) -> Result<()> {
    let folder = tempfile::tempdir()?;
    let folder = folder.path();
    let client = Client::ready(sdk, folder).await?;
    let direct = run(&client, requirements, &Way::Direct, folder, "direct").await?;
    ensure!(direct.passed, "a scored scenario fails direct:\n{}", direct.log);
    let all = &direct.checks;
    println!(
        "{sdk:?} {requirements:?}: {} checks; {} failures and {} warnings, all in scenarios that are not scored",
        all.len(),
        count(all, Status::Failure),
        count(all, Status::Warning)
    );

    let mesh = Mesh::new().await?;
    let forwards =
        Shape::calling("forwards", "agent/desk").with("forward: {allow: [\"localhost:*\", \"127.0.0.1:*\"]}");
    let proxy = mesh.start_proxy(&forwards).await?;
    let way = Way::HttpProxy(format!("http://{}", proxy.outbound));
    let forwarded = run(&client, requirements, &way, folder, "forwarded").await?;
    let mut trouble = vec![];
    trouble.extend(differences(all, &forwarded.checks).iter().map(|one| format!("forwarded: {one}")));

    for (name, sign) in [("beside", Sign::HttpProxy), ("by-url", Sign::Url)] {
        let door = Door::open(sign).await?;
        let behind = run(&client, requirements, &Way::Door(door.address.clone()), folder, name).await?;
        trouble.extend(differences(all, &behind.checks).iter().map(|one| format!("{name}: {one}")));
    }
    let _ = by_url;
    ensure!(trouble.is_empty(), "{} checks differ:\n{}", trouble.len(), trouble.join("\n"));
    Ok(())
}

#[tokio::test]
async fn the_python_client_of_2025() -> Result<()> {
    LocalSet::new().run_until(same_on_every_way(Sdk::Python, Requirements::Of2025, &[])).await
}

#[tokio::test]
async fn the_python_client_of_2026() -> Result<()> {
    LocalSet::new().run_until(same_on_every_way(Sdk::Python, Requirements::Of2026, &[])).await
}

#[tokio::test]
async fn the_typescript_client_of_2025() -> Result<()> {
    LocalSet::new().run_until(same_on_every_way(Sdk::TypeScript, Requirements::Of2025, &[])).await
}

#[tokio::test]
async fn the_typescript_client_of_2026() -> Result<()> {
    LocalSet::new().run_until(same_on_every_way(Sdk::TypeScript, Requirements::Of2026, &[])).await
}
