//! A mesh with identities: what an Envoy must have, and where one that lacks it is seen.

use std::path::Path;

use anyhow::{Context, Result, ensure};
use outrigger_tests::mcp::Session;
use outrigger_tests::mesh::{Mesh, Shape};
use outrigger_tests::peers::{Agent, Sdk};
use outrigger_tests::stock::{Bootstrap, Envoy, example, told};
use outrigger_tests::wait;
use serde_json::{Value, json};

/// The certificate of `agent/edge` beside the files that the bootstrap names it by.
async fn edge(mesh: &Mesh) -> Result<std::path::PathBuf> {
    mesh.issue("agent/edge", "edge").await?;
    let folder = mesh.file("edge");
    std::fs::copy(example("envoy-identity.json"), folder.join("envoy-identity.json"))?;
    Ok(folder)
}

async fn start(mesh: &Mesh, folder: &Path, node: &str, metadata: Value) -> Result<Envoy> {
    let bootstrap = Bootstrap { metadata, ..Bootstrap::of("envoy-mtls", node) };
    Envoy::start(&bootstrap, folder, mesh.control_grpc()).await
}

async fn cluster_refusals(mesh: &Mesh, node: &str) -> Result<(u64, String)> {
    let told = told(mesh.control_http(), node).await?;
    let clusters = &told["types"]["Cluster"];
    let words = clusters["refusal"].as_str().with_context(|| format!("no refusal in {told}"))?;
    Ok((clusters["refusals"].as_u64().unwrap_or_default(), words.to_owned()))
}

#[tokio::test]
async fn an_envoy_proves_who_it_is_and_one_that_cannot_is_seen_to_refuse() -> Result<()> {
    let mut mesh = Mesh::new().await?;
    mesh.start_control().await?;
    let agent = Agent::start(Sdk::Python, "weather-1", mesh.folder()).await?;
    let _proxy = mesh.start_proxy(&Shape::beside("weather", "weather-1", &agent.url())).await?;
    let folder = edge(&mesh).await?;

    let mut good = start(&mesh, &folder, "edge", json!({})).await?;
    good.is_told().await?;
    let session = wait::until("a call over mTLS", async || Session::open(&good.url("weather")).await).await?;
    assert_eq!(session.call("increment").await?, "weather-1 counts 1");
    let seen = told(mesh.control_http(), "edge").await?;
    assert!(seen["identity"].as_str().is_some_and(|id| id.ends_with("/agent/edge")), "{seen}");
    assert!(seen["types"]["Secret"]["version"].is_string(), "whom to trust came as a secret: {seen}");

    // Its clusters name a secret that its bootstrap does not have.
    let odd = start(&mesh, &folder, "odd", json!({"certificate": "nobody", "certificate_file": null})).await?;
    let (_, words) = wait::until("the refusal is seen", async || cluster_refusals(&mesh, "odd").await).await?;
    assert!(words.contains("nobody"), "{words}");
    let told_before = told(mesh.control_http(), "odd").await?["types"]["Cluster"]["answers"].clone();
    mesh.declare("routes:\n  - {name: tally, capability: weather, version: ^1}\n").await?;
    wait::until("the other one calls it", async || {
        let reply = outrigger_tests::http::get(&good.url("tally")).await?;
        ensure!(reply.status.as_u16() != 404, "{}", reply.status);
        Ok(())
    })
    .await?;
    let (refusals, _) = cluster_refusals(&mesh, "odd").await?;
    assert!(refusals <= 3, "{refusals} refusals of {told_before} answers and one change");
    assert!(odd.counter("cluster_manager.cds.update_rejected").await? <= 3);
    let events = mesh.outrigger(&["get", "events", "-o", "json"]).await?;
    let events = String::from_utf8_lossy(&events.stdout).into_owned();
    assert!(events.contains("snapshot_refused") && events.contains("nobody"), "operators see it: {events}");
    Ok(())
}
